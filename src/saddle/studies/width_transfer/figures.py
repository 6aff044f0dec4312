"""The study's charts: distance against step, best step against width, and the coordinate check."""

import math
from collections.abc import Mapping

from saddle.report import Chart, Column, Key, Table
from saddle.report.charts import BLUE, GREY, ORANGE, Axes, Style, ramp, scale
from saddle.studies.width_transfer.best import Transfer
from saddle.studies.width_transfer.coordinates import Coordinates

__all__ = ["best_chart", "coordinate_chart", "distance_chart"]

STYLES = {"standard": Style(colour=ORANGE, shape="square"), "mup": Style(colour=BLUE)}


def distance_chart(name: str, found: Transfer, distances: list[float]) -> Chart:
    """Geometric mean over seeds of the distance against the step, a line a width; `distances` set the axis."""
    steps = [2.0**exponent for exponent in found.exponents]
    axes = Axes(
        x=scale("Step of both players", steps, log=True), y=scale("Fréchet distance", distances, log=True)
    )
    layers, keys = [], []
    for width, style, level in zip(found.widths, ramp(len(found.widths)), found.levels, strict=True):
        rows = [{"x": x, "y": float(2**y)} for x, y in zip(steps, level.mean(axis=1), strict=True)]
        layers += [axes.line(rows, style), axes.points(rows, style, tips={"Step": "x", "Distance": "y"})]
        keys.append(Key(label=f"width {width}", style=style))
    lowest = [steps[int(level.mean(axis=1).argmin())] for level in found.levels]
    return Chart(
        title=f"{name}: distance after training, by step",
        spec=axes.spec(*layers, height=300),
        description="; ".join(
            f"width {width} is best at {step:.2g}" for width, step in zip(found.widths, lowest, strict=True)
        ),
        keys=tuple(keys),
        note=f"Geometric mean of {found.levels.shape[2]} seeds. A run that diverged counts as twice its seed's worst.",
    )


def best_chart(arch: str, both: Mapping[str, Transfer]) -> Chart:
    """The best step against the width, with intervals over seeds."""
    rows: dict[str, list[dict[str, float]]] = {}
    for name, found in both.items():
        best = [found.best_of(width) for width in found.widths]
        ends = (float(found.exponents[0]), float(found.exponents[-1]))
        rows[name] = [
            {
                "x": float(width),
                "y": 2.0**each.value,
                # Steps beyond the grid were not tried; an interval is drawn as far as it.
                "low": 2.0 ** max(each.interval[0], ends[0] - 1),
                "high": 2.0 ** min(each.interval[1], ends[1] + 1),
            }
            for width, each in zip(found.widths, best, strict=True)
        ]
    every = [row for found in rows.values() for row in found]
    axes = Axes(
        x=scale("Width", [row["x"] for row in every], log=True, ticks=sorted({row["x"] for row in every})),
        y=scale("Best step", [row[key] for row in every for key in ("low", "high")], log=True, form="~e"),
    )
    layers = []
    for name, found in rows.items():
        style = STYLES[name]
        layers += [axes.intervals(found, style), axes.line(found, style), axes.points(found, style)]
    return Chart(
        title=f"{arch}: the best step against the width",
        spec=axes.spec(*layers, height=300),
        description="; ".join(
            f"{name}: slope {found.slope.value:.2f} on logarithmic axes" for name, found in both.items()
        ),
        keys=tuple(Key(label=name, style=STYLES[name]) for name in rows),
        note="Mean of the seeds' log best steps, with Student's 95 % interval, drawn as far as one step beyond the grid.",
        table=Table(
            columns=(
                Column("width"),
                Column("parameterisation", "left"),
                Column("best step"),
                Column("from"),
                Column("to"),
            ),
            rows=tuple(
                (int(row["x"]), name, row["y"], row["low"], row["high"])
                for name, found in rows.items()
                for row in found
            ),
            caption="Best step by width",
        ),
    )


def coordinate_chart(name: str, found: Coordinates, t: int, changes: list[float]) -> Chart:
    """How far t steps moved every layer's pre-activations, against the width; `changes` set the axis."""
    axes = Axes(
        x=scale("Width", found.widths, log=True, ticks=found.widths),
        y=scale("Change of pre-activations (rms)", changes, log=True, form="~e"),
    )
    layers, keys = [], []
    for layer, style, change in zip(found.layers, ramp(len(found.layers)), found.change, strict=True):
        means = change[:, t].mean(axis=1)
        rows = [{"x": w, "y": float(y)} for w, y in zip(found.widths, means, strict=True) if y > 0]
        layers += [axes.line(rows, style), axes.points(rows, style, tips={"Width": "x", "Change": "y"})]
        keys.append(Key(label=layer, style=style))
    first = _line(changes, found.widths)
    dashed = Style(colour=GREY, dash=(6, 3))
    return Chart(
        title=f"{name}: how far {t} steps move each layer",
        spec=axes.spec(axes.line(first, dashed), *layers, height=320),
        description="; ".join(
            f"{layer} has slope {found.slope(layer, t).mean():.2f}" for layer in found.layers
        ),
        keys=(*keys, Key(label="proportional to the width", style=dashed, marks=("line",))),
        note=f"Mean of {found.change.shape[3]} seeds at 64 fixed latents (generator) and images (discriminator).",
        table=Table(
            columns=(
                Column("layer", "left"),
                *(Column(f"slope after {i}") for i in range(1, found.change.shape[2])),
            ),
            rows=tuple(
                (layer, *(float(found.slope(layer, i).mean()) for i in range(1, found.change.shape[2])))
                for layer in found.layers
            ),
            caption="Slope of log change against log width",
        ),
    )


def _line(changes: list[float], widths: tuple[int, ...]) -> list[dict[str, float]]:
    """A line of slope one through the middle of the drawing."""
    good = [change for change in changes if change > 0]
    middle = math.sqrt(min(good) * max(good))
    centre = math.sqrt(widths[0] * widths[-1])
    return [{"x": float(width), "y": middle * width / centre} for width in widths]
