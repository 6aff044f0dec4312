"""Charts: a Vega-Lite specification with its words, its key and its numbers, and the pieces specs are built of.

A `Style` is shared by a mark and by its entry in the key, so the two cannot disagree. The key is HTML, because it
wraps on a phone where a legend inside the drawing would not. Styles differ in shape or dash as well as in colour.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

from saddle.report.blocks import Block
from saddle.report.tables import Table, format_number
from saddle.report.vega import script_json, still

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "PURPLE", "Axes", "Chart", "Key", "Style", "ramp", "scale"]

Row = Mapping[str, Any]
BLUE, ORANGE, GREEN, PURPLE = "var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)"
GREY = "var(--grey)"
RAMP = tuple(f"var(--ramp-{step})" for step in range(9))
DASHES = ((), (7, 3), (2, 2), (9, 3, 2, 3))
SHAPES = ("circle", "square", "diamond", "triangle-up")


@final
@dataclass(frozen=True, kw_only=True)
class Style:
    """How the marks of one series look. Colours are the page's CSS variables."""

    colour: str = BLUE
    shape: Literal["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"] = "circle"
    hollow: bool = False
    dash: tuple[int, ...] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Key:
    """One entry of a chart's key: a label, and the marks that stand for it."""

    label: str
    style: Style
    marks: tuple[Literal["line", "point", "band"], ...] = ("line", "point")


@final
@dataclass(frozen=True, kw_only=True)
class Chart(Block):
    """A drawing with a title, a sentence for those who do not see it, a key and the numbers behind it.

    `spec` is a Vega-Lite specification, or anything with `to_dict()` that gives one (an Altair chart).
    """

    kind: ClassVar[str] = "chart"
    title: str
    spec: Any
    description: str
    "What the chart shows, in one sentence: the text alternative."
    keys: tuple[Key, ...] = ()
    note: str = ""
    "Shown below: what the marks are, and how many values they rest on."
    table: Table | None = None
    "The numbers behind the drawing."

    @property
    def specification(self) -> dict[str, Any]:
        """Return the Vega-Lite specification that is drawn."""
        spec = self.spec if isinstance(self.spec, Mapping) else self.spec.to_dict()
        return {"width": "container", "description": f"{self.title}. {self.description}", **spec}

    @property
    def json(self) -> str:
        """Return the specification as text for a script element."""
        return script_json(self.specification)

    @property
    def still(self) -> str:
        """Return the SVG that is seen where no script runs."""
        return still(self.specification)


def ramp(count: int) -> tuple[Style, ...]:
    """Return styles for `count` ordered series: colours along a ramp of rising weight, dashes and shapes in turn."""
    steps = [round(i * (len(RAMP) - 1) / max(count - 1, 1)) for i in range(count)]
    return tuple(
        Style(colour=RAMP[step], dash=DASHES[i % len(DASHES)], shape=SHAPES[i % len(SHAPES)])  # type: ignore[arg-type]
        for i, step in enumerate(steps)
    )


def scale(
    title: str,
    values: Iterable[float | int | None],
    *,
    ticks: Sequence[float | int] | None = None,
    log: bool | None = None,
    zero: bool = False,
    pad: float | int = 0.06,
    form: str | None = None,
) -> dict[str, Any]:
    """Return title, scale and axis of a position channel that holds all `values`.

    `log=None` takes a logarithmic axis where the values are positive and span more than a factor of 8. The limits
    leave `pad` of the span on either side, so that no mark is cut.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if max(abs(low), abs(high)) >= 20_000:
        form = form or "~s"
    if log is None:
        log = low > 0 and high > 8 * low
    axis: dict[str, Any] = {"title": title, "labelOverlap": "greedy", "format": form or ",~r"}
    if log:
        margin = max((high / low) ** pad, 1.08)
        low, high = low / margin, high * margin
        axis["values"] = list(ticks) if ticks is not None else _log_ticks(low, high)
        return {"scale": {"type": "log", "domain": [low, high], "nice": False}, "axis": axis}
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    span = (high - low) or abs(high) or 1.0
    domain = [low - (0 if zero and low == 0 else pad * span), high + pad * span]
    if ticks is not None:
        axis["values"] = list(ticks)
    else:
        axis["tickCount"] = 5
    return {"scale": {"domain": domain, "nice": False, "zero": False}, "axis": axis}


@final
@dataclass(frozen=True, kw_only=True)
class Axes:
    """Two position channels (from `scale`), and the layers drawn on them.

    Rows hold `x` and `y`, or `x`, `low` and `high`. `tips` names what a pointer shows: title → field of the row.
    """

    x: Mapping[str, Any]
    y: Mapping[str, Any]

    def points(
        self, rows: Sequence[Row], style: Style, *, tips: Mapping[str, str] | None = None, size: int = 55
    ) -> dict[str, Any]:
        """Return a layer with one mark a row."""
        fill = {"fill": "var(--page)"} if style.hollow else {"fill": style.colour, "fillOpacity": 0.8}
        mark = {
            "type": "point",
            "shape": style.shape,
            "size": size,
            "stroke": style.colour,
            "strokeWidth": 1.5,
            "opacity": 1,
            **fill,
        }
        return self._layer(mark, rows, {"x": self._x, "y": self._y("y")}, tips)

    def line(self, rows: Sequence[Row], style: Style, *, width: float | int = 2) -> dict[str, Any]:
        """Return a layer with one line through the rows in the order of x."""
        mark = {"type": "line", "color": style.colour, "strokeWidth": width, "strokeDash": list(style.dash)}
        return self._layer(mark, rows, {"x": self._x, "y": self._y("y")})

    def band(self, rows: Sequence[Row], style: Style) -> dict[str, Any]:
        """Return a layer with the area between `low` and `high`."""
        mark = {"type": "area", "color": style.colour, "opacity": 0.16}
        return self._layer(mark, rows, {"x": self._x, "y": self._y("low"), "y2": {"field": "high"}})

    def intervals(self, rows: Sequence[Row], style: Style) -> dict[str, Any]:
        """Return a layer with one upright bar a row, from `low` to `high`."""
        mark = {"type": "rule", "color": style.colour, "strokeWidth": 2.5, "opacity": 0.5}
        return self._layer(mark, rows, {"x": self._x, "y": self._y("low"), "y2": {"field": "high"}})

    def level(self, value: float | int, style: Style) -> dict[str, Any]:
        """Return a layer with a level line across the drawing."""
        mark = {"type": "rule", "color": style.colour, "strokeWidth": 1.5, "strokeDash": list(style.dash)}
        return self._layer(mark, [{"y": value}], {"y": self._y("y")})

    def upright(self, value: float | int, style: Style) -> dict[str, Any]:
        """Return a layer with an upright line across the drawing."""
        mark = {"type": "rule", "color": style.colour, "strokeWidth": 1.5, "strokeDash": list(style.dash)}
        return self._layer(mark, [{"x": value}], {"x": self._x})

    def spec(self, *layers: dict[str, Any], height: int = 320) -> dict[str, Any]:
        """Return the Vega-Lite specification of the layers, the first one at the back."""
        return {
            "width": "container",
            "height": height,
            "autosize": {"type": "fit-x", "contains": "padding"},
            "layer": list(layers),
        }

    @property
    def _x(self) -> dict[str, Any]:
        return {"field": "x", "type": "quantitative", **self.x}

    def _y(self, field: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", **self.y}

    @staticmethod
    def _layer(
        mark: dict[str, Any],
        rows: Sequence[Row],
        encoding: dict[str, Any],
        tips: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        if tips:
            # Vega writes a tip's title into an expression, where a line separator (U+2028 too) is no character.
            encoding["tooltip"] = [
                {"field": field, "type": "nominal", "title": " ".join(title.split())}
                for title, field in tips.items()
            ]
            rows = [{**row, **{field: _shown(row[field]) for field in tips.values()}} for row in rows]
        return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else format_number(value, 4)


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers inside the limits: powers of ten alone where there are many, finer ones else."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        ticks = [float(f"{d}e{n}") for n in decades for d in digits if low <= float(f"{d}e{n}") <= high]
        if len(ticks) >= 4:
            break
    return ticks
