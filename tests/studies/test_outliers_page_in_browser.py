"""The page of a ranking as a reader meets it: drawn in headless Chromium, with file names that attack it."""

import json
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.utils import Bunch
from tests.browser import chromium, drawn, media, narrow

from saddle.data import ImageSet
from saddle.studies.outliers.page import page_of
from saddle.studies.outliers.ranking import Named, rank

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=alert(1)>.png",
    "</script><script>alert(2)</script>.png",
    "a\nb\u2028\u202ec.png",
    "\udcff.png",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.fixture(scope="module", params=[True, False], ids=["with a reference", "without"])
def ranking(request):
    digits = np.rint(cast(Bunch, load_digits()).images[:100] * 255 / 16).astype(np.uint8)[:, None]
    noise = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), dtype=np.uint8)
    names = (*HOSTILE, *(f"{k}.png" for k in range(50)))
    photos = ImageSet(name="p", images=torch.from_numpy(np.concatenate([noise, digits[:50]])), names=names)
    clean = ImageSet(name="c", images=torch.from_numpy(digits[50:]))
    reference = Named(source="clean<b>", images=clean) if request.param else None
    return rank(
        Named(source="photos<b>/", images=photos),
        reference,
        contamination=4 / 54,
        features="pixels",
        device="cpu",
    )


def test_the_page_shows_the_worst_the_weights_and_what_it_cannot_see(ranking, browser, tmp_path):
    path = page_of(ranking).write(tmp_path / "page.html")
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    drawn(browser)
    headings = [each.text for each in browser.find_elements("css selector", "main h2")]
    assert headings == [
        "In short",
        "The images trusted least",
        "The images trusted most",
        "Weights and potentials",
        "Where the plain baseline disagrees",
        "How it was computed",
        "What this cannot see",
    ]
    pictures = browser.find_elements("css selector", ".pictures.dense img")
    assert len(pictures) >= 48 + 12
    assert all(browser.execute_script("return arguments[0].naturalWidth", each) == 8 for each in pictures[:3])
    captions = [each.text for each in browser.find_elements("css selector", ".pictures figcaption")]
    assert [text.split(".")[0] for text in captions[:48]] == [str(k) for k in range(1, 49)]
    assert sum("flagged" in text for text in captions[:48]) == 4
    shown = browser.find_element("tag name", "body").text
    for name in (
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "a\\nb\\u2028\\u202ec",
        "\\udcff",
    ):
        assert name in shown
    assert ("densest part of itself" in shown) == (ranking.reference is None)
    # One mark an image in each of the two scatter plots, in the two groups' shapes.
    marks = browser.find_elements("css selector", "figure.chart .mark-symbol path")
    assert len(marks) == 2 * 54
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        each["params"]["request"]["url"] for each in asked if each["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in urls if not url.startswith(("file:", "data:"))] == []


def test_the_page_fits_a_phone_and_the_dark(ranking, browser, tmp_path):
    path = page_of(ranking).write(tmp_path / "page.html")
    narrow(browser, 360)
    media(browser, "dark")
    browser.get(path.as_uri())
    drawn(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    narrow(browser, 1200)
    media(browser, "light")


def test_an_uncertified_transport_is_said_first(ranking):
    # Whatever the solver says is passed on; here a warning of its own words.
    page = page_of(replace(ranking, warnings=("The transport cost is certified only to 0.1.",))).render()
    assert page.index("certified only to 0.1") < page.index("The images trusted least</h2>")
