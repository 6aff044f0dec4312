"""The page of the study `robust-transport` as a reader meets it: couplings are drawn, and the radius can be turned up."""

import pytest
from tests.browser import chromium, drawn, media, narrow

from saddle.report import Page, charts
from saddle.studies.robust_transport.cells import cells, compute
from saddle.studies.robust_transport.claims import claims
from saddle.studies.robust_transport.config import RobustTransportConfig
from saddle.studies.robust_transport.page import sections
from saddle.studies.robust_transport.pictures import CLEAN, OUTLIERS, PARTS

pytestmark = pytest.mark.browser

TINY = RobustTransportConfig(
    seeds=1,
    instances=1,
    other_instances=1,
    points=40,
    shares=(0.1,),
    dimensions=(2,),
    ring_outliers=(25,),
    ring_radii=12,
    clean_points=20,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    results = {cell.name: compute(cell) for cell in cells(TINY)}
    page = Page("Robust transport", "The sections of its own")
    for section in sections(TINY, results, claims(TINY, results)):
        page.add_section(section.heading, *section.blocks)
    with pytest.MonkeyPatch.context() as patch:
        # Still pictures cost half a second each and are tested with another study's page.
        patch.setattr(charts, "still", lambda spec: "<svg></svg>")
        return page.write(tmp_path_factory.mktemp("study") / "report.html")


@pytest.fixture(scope="module")
def page(path, tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        browser.get(path.as_uri())
        drawn(browser)
        yield browser
        # No test may have left an error or a warning behind.
        assert browser.get_log("browser") == []


def explorer(page) -> dict:
    """Its sentence, and how many marks of which kind its charts show: costs, coupling, weights."""
    return page.execute_script(
        """const box = document.querySelector(".explorer");
        const marks = (kind) => [...box.querySelectorAll("figure")].map((figure) =>
            figure.querySelectorAll(".live " + kind + " > *").length);
        const hollow = [...box.querySelectorAll("figure")][1].querySelectorAll(".live .mark-symbol path[fill-opacity='0']");
        return {reading: box.querySelector(".reading").textContent, ways: marks(".mark-rule.role-mark")[1],
            points: marks(".mark-symbol"), hollow: hollow.length};"""
    )


def choose(page, name: str, index: int) -> None:
    """Choose in a list or among buttons."""
    page.execute_script(
        """const [name, index] = arguments;
        const list = document.querySelector(`.explorer select[name=${name}]`);
        if (list) { list.selectedIndex = index; list.dispatchEvent(new Event("input", {bubbles: true}));
                    list.dispatchEvent(new Event("change", {bubbles: true})); }
        else document.querySelectorAll(`.explorer input[name=${name}]`)[index].click();""",
        name,
        index,
    )
    page.execute_async_script("setTimeout(arguments[0], 150)")


def test_couplings_are_drawn_with_every_sample_and_target(page):
    pictures = page.execute_script(
        """return [...document.querySelectorAll("figure.chart")].slice(0, 4).map((figure) => [
            figure.querySelectorAll(".live .mark-symbol path").length,
            figure.querySelectorAll(".live .mark-rule.role-mark line").length])"""
    )
    both = CLEAN + OUTLIERS
    # Balanced and robust, of the clean samples and of all, against as many targets.
    assert [points for points, _ in pictures] == [CLEAN + both, 2 * both, CLEAN + both, 2 * both]
    assert all(ways >= both - OUTLIERS for _, ways in pictures)


def test_the_radius_can_be_turned_up_in_every_ball(page):
    seen = []
    for ball in range(4):
        choose(page, "ball", ball)
        for part in range(len(PARTS)):
            choose(page, "part", part)
            seen.append(explorer(page))
            assert seen[-1]["points"] == [1, 2 * (CLEAN + OUTLIERS), CLEAN + OUTLIERS]
            assert seen[-1]["ways"] >= CLEAN
    assert len({each["reading"] for each in seen}) == 4 * len(PARTS)
    # CVaR at the critical radius drops the outliers and nothing else: they are hollow.
    assert seen[3 * len(PARTS) + PARTS.index(1.0)]["hollow"] == OUTLIERS
    assert seen[3 * len(PARTS)]["hollow"] == 0


def test_a_phone_in_the_dark_shows_everything_without_scrolling_sideways(page, path):
    narrow(page, 360)
    media(page, "dark")
    page.get(path.as_uri())
    drawn(page)
    assert page.execute_script("return document.documentElement.scrollWidth") == 360
    edges = page.execute_script(
        """return [...document.querySelectorAll("figure.chart .live svg")].map((svg) => {
            const box = svg.getBoundingClientRect(); return [box.left, box.right]; })"""
    )
    assert len(edges) >= 10 and all(left >= 0 and right <= 360 for left, right in edges)
