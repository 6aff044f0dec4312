"""The charts of a diagnosis: curves against the step, and eigenvalues in the plane."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Complex

from saddle.report import Chart, ComplexPlane, Key
from saddle.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Axes, Style, scale
from saddle.report.tables import format_number
from saddle.studies.diagnosis.curve import Curve
from saddle.studies.diagnosis.evidence import Evidence

__all__ = ["curve_charts", "eigenvalue_chart"]

STYLES = (
    Style(colour=BLUE, shape="circle"),
    Style(colour=ORANGE, shape="square", dash=(6, 3)),
    Style(colour=GREEN, shape="diamond", dash=(2, 2)),
    Style(colour=PURPLE, shape="triangle-up", dash=(9, 3, 2, 3)),
)
MOST = 400
"Points of a line; longer curves are thinned."


def curve_charts(evidence: Evidence) -> list[Chart]:
    """Every chart for which the run has numbers."""
    curve = evidence.curve
    distance = evidence.distance
    scores = [s for s in evidence.scores if distance is not None and s.metric == distance.metric]
    charts = [
        _chart(
            distance.metric if distance else "",
            {score.split: score.curve.finite for score in scores},
            level=None if distance is None else distance.floor,
            level_name="real against real",
        ),
        _chart("Losses", {name: curve(f"loss/{name}") for name in ("discriminator", "generator")}),
        _chart(
            "The discriminator's accuracy",
            {name: curve(f"accuracy/{name}") for name in ("train", "test")},
            level=0.5,
            level_name="guessing",
        ),
        _chart(
            "Gradient norms",
            {name: curve(f"gradient_norm/{name}") for name in ("discriminator", "generator")},
        ),
        _chart(
            "Diversity and coverage",
            {
                "distance of two samples over that of two real images": curve("diversity/pixels"),
                "share of classes that occur": curve("coverage/classes"),
            },
        ),
    ]
    return [chart for chart in charts if chart is not None]


def _chart(
    title: str, series: Mapping[str, Curve], *, level: float | None = None, level_name: str = ""
) -> Chart | None:
    """One line a curve; None where no curve has two points. One point stands in the numbers of the findings."""
    shown = {name: _thinned(each) for name, each in series.items() if len(each.steps) > 1}
    if not shown:
        return None
    drawn_level = level if level is not None and np.isfinite(level) else None
    values = [value for each in shown.values() for value in each.values]
    axes = Axes(
        x=scale(
            "Generator steps", [step for each in shown.values() for step in each.steps], log=False, pad=0.02
        ),
        y=scale(title, [*values, drawn_level]),
    )
    layers, keys = [], []
    if drawn_level is not None:
        style = Style(colour=GREY, dash=(2, 3))
        layers.append(axes.level(drawn_level, style))
        keys.append(Key(label=f"{level_name}: {format_number(drawn_level)}", style=style, marks=("line",)))
    for (name, each), style in zip(shown.items(), STYLES, strict=False):
        rows = [{"x": step, "y": value} for step, value in zip(each.steps, each.values, strict=True)]
        layers.append(axes.line(rows, style, width=1.8))
        keys.append(Key(label=name, style=style, marks=("line",)))
    ends = "; ".join(
        f"{name} from {format_number(c.values[0])} to {format_number(c.last)}" for name, c in shown.items()
    )
    return Chart(title=title, spec=axes.spec(*layers, height=220), description=ends, keys=tuple(keys))


def _thinned(curve: Curve) -> Curve:
    every = -(-len(curve.steps) // MOST)
    return Curve(curve.steps[::every], curve.values[::every])


def eigenvalue_chart(values: Complex[np.ndarray, " k"]) -> Chart:
    """The leading eigenvalues of the game's Jacobian."""
    reach = 1.1 * float(np.abs(values).max()) or 1.0
    plane = ComplexPlane(reach=reach)
    rows = [{"re": float(value.real), "im": float(value.imag)} for value in values]
    style = Style(colour=BLUE)
    right = int((values.real > 0).sum())
    turning = int((np.abs(values.imag) > np.abs(values.real)).sum())
    return Chart(
        title="Leading eigenvalues of the game",
        spec=plane.spec(plane.upright(), plane.points(style, rows=rows)),
        description=f"{len(values)} eigenvalues of the field's Jacobian: {right} right of 0, {turning} turn faster "
        "than they grow or decay.",
        note="Those of largest size and of largest real part, on one batch. Left of the line the plain gradient flow is "
        "attracted, right of it repelled; far above or below 0 it turns. Adam's steps are not the flow's.",
    )
