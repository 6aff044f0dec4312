"""Couplings drawn as lines: without outliers, with them, and in every ball at several radii."""

from typing import Any

import numpy as np

from saddle.report import Chart, Choice, Columns, Explorer, Key, Option
from saddle.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Axes, Style, scale
from saddle.studies.cell import CellResult
from saddle.studies.robust_transport.coupling_layers import (
    CLEAN_STYLE,
    OUTLIER_STYLE,
    SIZE,
    Rows,
    coupling_keys,
    rounded,
    sample_layers,
    sample_rows,
    square,
    target_layer,
    way_layer,
    way_rows,
)
from saddle.studies.robust_transport.pictures import CLEAN, DRAWN, OUTLIERS, PARTS
from saddle.studies.robust_transport.theorem import BALLS

__all__ = ["coupling_explorer", "four_couplings"]

COLOURS = (BLUE, ORANGE, GREEN, GREY)
DASHES = ((), (7, 3), (2, 2), (9, 3, 2, 3))
CHOSEN = {"filter": "datum.k == ball && datum.p == part"}
NAMES = {
    "chi-square": "chi-square",
    "kullback-leibler": "Kullback-Leibler",
    "total-variation": "total variation",
    "cvar": "CVaR (partial transport)",
}


def four_couplings(pictures: CellResult) -> Columns:
    """Balanced and robust transport, of the clean samples and of all samples."""
    arrays = pictures.arrays
    x, y = arrays["x"], arrays["y"]
    ones = np.ones(len(x))
    at = PARTS.index(1.0)
    weights, plan = arrays["weights"][0, at], arrays["plans"][0, at]
    stays = weights[CLEAN:].sum() / len(x)
    return Columns(
        (
            _picture("Balanced, clean", "Optimal transport of the clean samples.",
                     f"Cost {float(arrays['value_clean']):.3f}.", arrays["plan_clean"], ones[:CLEAN], x[:CLEAN], y),
            _picture("Balanced, with outliers", "Optimal transport of all samples: outliers pull mass across.",
                     f"{OUTLIERS} of {len(x)} samples are outliers. Cost {arrays['values'][0, 0]:.3f}: they must be matched, "
                     "and their targets are missing elsewhere.", arrays["plans"][0, 0], ones, x, y),
            _picture("Robust, clean", "Robust transport of the clean samples at the same radius.",
                     f"The same radius without outliers. Cost {float(arrays['value_shrunk']):.3f} instead of "
                     f"{float(arrays['value_clean']):.3f}: what there is to remove is then clean.",
                     arrays["plan_shrunk"], arrays["weights_shrunk"], x[:CLEAN], y),
            _picture("Robust, with outliers", "Robust transport at the critical radius: the outliers weigh little.",
                     f"The same samples at R* = g/(1 − g). Cost {arrays['values'][0, at]:.3f}; the outliers keep {stays:.4f} "
                     "of the mass, and hollow samples count for little.", plan, weights, x, y),
        )
    )  # fmt: skip


def coupling_explorer(pictures: CellResult) -> Explorer:
    """The coupling, and the weights over the potentials, in the chosen ball at the chosen radius."""
    arrays = pictures.arrays
    ways, points, readings = [], [], {}
    for k, name in enumerate(BALLS):
        for p, part in enumerate(PARTS):
            chosen = {"k": k, "p": p}
            weights, scores = arrays["weights"][k, p], arrays["potentials"][k, p]
            ways += [{**chosen, **row} for row in way_rows(arrays["plans"][k, p], arrays["x"], arrays["y"])]
            middle = float(np.median(scores[:CLEAN]))
            points += [
                {**chosen, **row, "f": rounded(score - middle), "weight": rounded(weight)}
                for row, score, weight in zip(sample_rows(arrays["x"], weights), scores, weights, strict=True)
            ]
            readings[k, p] = _reading(name, part, weights, float(arrays["values"][k, p]))
    return Explorer(
        title="One coupling, four balls: turn the radius up",
        choices=(
            Choice(name="ball", label="Ball", value=0,
                   options=tuple(Option(k, NAMES[name]) for k, name in enumerate(BALLS))),
            Choice(name="part", label="Radius, of the critical one", value=PARTS.index(1.0),
                   options=tuple(Option(p, _times(part)) for p, part in enumerate(PARTS))),
        ),
        charts=(
            _steered_value(arrays["values"]),
            _steered_coupling(ways, points, arrays["y"]),
            _steered_weights(points),
        ),
        readings=readings,
    )  # fmt: skip


def _picture(
    title: str,
    description: str,
    note: str,
    plan: np.ndarray,
    weights: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
) -> Chart:
    layers = [
        way_layer({"data": {"values": way_rows(plan, x, y)}}),
        target_layer(y),
        *sample_layers({"data": {"values": sample_rows(x, weights)}}),
    ]
    kinds = coupling_keys(outliers=len(x) > CLEAN)
    return Chart(title=title, spec=square(layers), description=description, keys=kinds, note=note)


def _steered_value(values: np.ndarray) -> Chart:
    rows = [
        {"k": k, "p": p, "x": part, "y": float(values[k, p])}
        for k in range(len(BALLS))
        for p, part in enumerate(PARTS)
    ]
    axes = Axes(
        x=scale("Radius, of the critical one", PARTS, ticks=PARTS, log=False),
        y=scale("Cost", values.ravel().tolist(), log=False),
    )
    styles = [Style(colour=colour, dash=dash) for colour, dash in zip(COLOURS, DASHES, strict=True)]
    layers = [axes.line([row for row in rows if row["k"] == k], style) for k, style in enumerate(styles)]
    layers.append({**axes.points(rows, Style(colour=PURPLE), size=90), "transform": [CHOSEN]})
    return Chart(
        title="The cost",
        spec=axes.spec(*layers, height=190),
        description="Cost of the coupling in each ball against the radius, the chosen one marked.",
        keys=tuple(
            Key(label=NAMES[name], style=style, marks=("line",))
            for name, style in zip(BALLS, styles, strict=True)
        ),
        note="At 1 each ball can just remove the outliers. Balls of the same critical radius differ in what else they allow: "
        "total variation may pile all that it takes on the cheapest samples.",
    )


def _steered_coupling(ways: Rows, points: Rows, y: np.ndarray) -> Chart:
    layers = [
        way_layer({"data": {"values": ways}, "transform": [CHOSEN]}),
        target_layer(y),
        *sample_layers({"data": {"values": points}, "transform": [CHOSEN]}),
    ]
    return Chart(
        title="The coupling",
        spec=square(layers),
        description="Samples, their targets, and which mass goes where.",
        keys=coupling_keys(outliers=True),
        note=f"A line is drawn where at least {DRAWN:.0%} of a sample's mass goes. A sample is the fuller the more it weighs.",
    )


def _steered_weights(points: Rows) -> Chart:
    def axis(field: str, title: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", "axis": {"title": title, "tickCount": 5, "format": ",~r"},
                "scale": {"zero": field == "weight", "nice": True}}  # fmt: skip

    encoding = {"x": axis("f", "Potential, from the clean samples' median"), "y": axis("weight", "Weight")}
    layers = [
        {
            "transform": [CHOSEN, {"filter": f"datum.out == {out}"}],
            "mark": {"type": "point", "shape": style.shape, "size": 45, "stroke": style.colour, "fill": style.colour,
                     "fillOpacity": 0.4, "opacity": 1},
            "encoding": encoding,
        }
        for out, style in ((0, CLEAN_STYLE), (1, OUTLIER_STYLE))
    ]  # fmt: skip
    return Chart(
        title="Weights over potentials",
        spec={"width": SIZE, "height": SIZE, "data": {"values": points}, "layer": layers},
        description="The weight of every sample against its potential.",
        keys=(
            Key(label="clean", style=CLEAN_STYLE, marks=("point",)),
            Key(label="outlier", style=OUTLIER_STYLE, marks=("point",)),
        ),
        note="Chi-square: a straight line that ends at 0. Kullback-Leibler: an exponential, never quite 0. Total variation: "
        "the highest lose everything, the lowest get it. CVaR: a step.",
    )


def _times(part: float) -> str:
    return "0" if part == 0 else f"{part:g} ×"


def _reading(name: str, part: float, weights: np.ndarray, value: float) -> str:
    stays = float(weights[CLEAN:].sum() / len(weights))
    where = "without room" if part == 0 else f"at {part:g} times the critical radius"
    return (
        f"The {NAMES[name]} ball {where}: cost {value:.3f}. The outliers, {OUTLIERS / len(weights):.2f} of the mass, keep "
        f"{stays:.3f}; the clean samples' weights go from {float(weights[:CLEAN].min()):.2f} to "
        f"{float(weights[:CLEAN].max()):.2f}."
    )
