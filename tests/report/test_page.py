"""The page: whole, inert whatever it is given, and closed to the network."""

import base64
import hashlib
import io
import json
import re

import pytest
from PIL import Image

from saddle.errors import UserError
from saddle.report import (
    Badge,
    Chart,
    Code,
    Column,
    Columns,
    Details,
    Key,
    KeyFigure,
    KeyFigures,
    Page,
    Paragraph,
    Picture,
    Pictures,
    Table,
)
from saddle.report.charts import Axes, Style, scale

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u2028"


def png(width: int = 8, height: int = 8, noise: int | None = None) -> bytes:
    image = Image.new("L", (width, height), 128)
    if noise is not None:
        image = Image.effect_noise((width, height), noise)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def chart(title: str = "A chart", value: str = "one") -> Chart:
    axes = Axes(x=scale("x in m", [1, 2]), y=scale("y in s", [3, 4]))
    rows = [{"x": 1, "y": 3, "name": value}, {"x": 2, "y": 4, "name": value}]
    return Chart(
        title=title,
        spec=axes.spec(axes.points(rows, Style(), tips={title: "name"})),
        description=value,
        keys=(Key(label=value, style=Style()),),
        table=Table(columns=(Column(title),), rows=((value,),), caption=title),
    )


def evil_page() -> str:
    page = Page(EVIL, EVIL, kicker=EVIL, footer=EVIL)
    page.add_section(
        EVIL,
        Paragraph(EVIL, "lead"),
        KeyFigures((KeyFigure(label=EVIL, value=EVIL, note=EVIL),)),
        Table(columns=(Column(EVIL, "left"),), rows=((EVIL,), (Badge(EVIL, "bad"),)), caption=EVIL),
        Columns((chart(EVIL, EVIL),)),
        Details(EVIL, (Code.from_json({EVIL: EVIL}, EVIL),)),
        Pictures(pictures=(Picture(png=png(), caption=EVIL, alt=EVIL),)),
    )
    return page.render()


def test_no_text_becomes_markup():
    html = evil_page()
    outside = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    # What is left of script elements is the chart's JSON, and no element or handler came from a text.
    assert re.findall(r"<script[^>]*>", outside) == ['<script type="application/json">']
    assert "<img src=x" not in html and "<script>alert" not in html


def test_a_chart_keeps_its_text_as_data():
    element = re.search(r'<script type="application/json">(.*?)</script>', evil_page(), re.DOTALL)
    assert element is not None
    assert not set("<>&\u2028") & set(element[1])
    assert json.loads(element[1])["description"] == f"{EVIL}. {EVIL}"


def test_only_the_page_s_own_scripts_may_run():
    html = evil_page()
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts}
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    text = policy[1].replace("&#39;", "'")
    assert len(scripts) == 2
    assert set(re.findall(r"'sha256-([^']*)'", text)) == hashes
    assert text.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in text and "http" not in text


def test_the_chart_library_is_there_once_and_only_for_charts():
    page = Page("Two charts")
    page.add_section("One", chart(), chart("Another"))
    assert page.render().count("window.vegaEmbed=") == 1
    plain = Page("No chart")
    plain.add_section("One", Paragraph("text"))
    assert len(plain.render()) < 20_000 and "<script" not in plain.render()


def test_nothing_is_loaded_from_elsewhere():
    html = re.sub(r"<script>.*?</script>", "", evil_page(), flags=re.DOTALL)
    assert not re.search(r"<(?:link|script|img|iframe|video|object)[^>]+(?:src|href)=\"(?!data:)", html)
    assert "@import" not in html and "url(" not in html


def test_contents_are_listed_from_five_sections_on():
    page = Page("Sections")
    for number in range(4):
        page.add_section(f"Part {number}", Paragraph("text"))
    assert "<nav" not in page.render()
    page.add_section("Part 4", Paragraph("text"))
    assert page.render().count('<li><a href="#section-') == 5


def test_every_chart_has_a_still_picture_for_readers_without_scripts():
    still = re.search(r'<div class="still">(<svg.*?</svg>)', evil_page(), re.DOTALL)
    assert still is not None
    assert "x in m" in still[1] and "var(--soft)" in still[1]


def test_an_altair_chart_is_a_chart():
    altair = pytest.importorskip("altair")
    data = altair.Data(values=[{"x": 1, "y": 2}])
    drawn = Chart(
        title="Altair", spec=altair.Chart(data).mark_point().encode(x="x:Q", y="y:Q"), description="a dot"
    )
    assert json.loads(drawn.json)["width"] == "container"
    assert "<path" in drawn.still


def test_a_missing_number_is_null_in_a_chart():
    axes = Axes(x=scale("x", [1]), y=scale("y", [1]))
    drawn = Chart(
        title="t", spec=axes.spec(axes.line([{"x": 1, "y": float("nan")}], Style())), description="d"
    )
    assert json.loads(drawn.json)["layer"][0]["data"]["values"] == [{"x": 1, "y": None}]


def test_a_page_is_written_whole(tmp_path):
    page = Page("Title")
    page.add_section("One", Paragraph("text"))
    path = page.write(tmp_path / "report.html")
    assert path.read_text("utf-8") == page.render()
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_pictures_are_exact_within_the_budget_and_smaller_beyond_it():
    exact = Pictures(pictures=(Picture(png=png(), caption="c", alt="a"),))
    assert base64.b64decode(exact.source(exact.pictures[0]).split(",")[1]) == png()
    big = png(300, 300, noise=80)
    squeezed = Pictures(pictures=(Picture(png=big, caption="c", alt="a"),), budget=20_000)
    source = squeezed.source(squeezed.pictures[0])
    assert source.startswith("data:image/webp;base64,") and len(base64.b64decode(source.split(",")[1])) < len(
        big
    )
    page = Page("Pictures")
    page.add_section("One", squeezed)
    assert "compressed for this page" in page.render()


def test_a_picture_is_a_png_and_small_ones_are_enlarged():
    with pytest.raises(UserError, match="not a PNG"):
        Picture(png=b"GIF89a", caption="c", alt="a")
    small = Picture(png=png(66, 40), caption="c", alt="a")
    assert small.size == (66, 40) and small.pixelated
    assert not Picture(png=png(600, 40), caption="c", alt="a").pixelated


def test_the_text_colours_are_readable_in_light_and_dark():
    # WCAG 2.1, 1.4.3: text has a contrast of at least 4.5; 1.4.11: marks have at least 3.
    page = Page("Colours")
    blocks = re.findall(r":root \{(.*?)\}", page.render(), re.DOTALL)
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[0]))
    dark = light | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[1]))
    for colours in (light, dark):
        for name in ("ink", "soft", "link"):
            assert contrast(colours[name], colours["page"]) >= 4.5
        assert contrast(colours["ink"], colours["panel"]) >= 4.5
        assert contrast(colours["good"], colours["good-back"]) >= 4.5
        assert contrast(colours["bad"], colours["bad-back"]) >= 4.5
        for name in ("c1", "c2", "c3", "c4", "grey", *(f"ramp-{step}" for step in range(9))):
            assert contrast(colours[name], colours["page"]) >= 3, name
        weights = [luminance(colours[f"ramp-{step}"]) for step in range(9)]
        assert weights == sorted(weights, reverse=colours is light)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
