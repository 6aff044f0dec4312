"""Couplings drawn as lines: without outliers, with them, and in every ball at several radii."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from saddle.report import Chart, Choice, Columns, Explorer, Key, Option
from saddle.report.charts import BLUE, GREY, ORANGE, PURPLE, Style
from saddle.studies.cell import CellResult
from saddle.studies.robust_transport.pictures import CLEAN, DRAWN, OUTLIERS, PARTS
from saddle.studies.robust_transport.theorem import BALLS

__all__ = ["coupling_explorer", "four_couplings"]

SIZE = 290
LOW, HIGH = -3.2, 5.2
CLEAN_STYLE = Style(colour=BLUE)
OUTLIER_STYLE = Style(colour=PURPLE, shape="square")
TARGET_STYLE = Style(colour=ORANGE, shape="diamond")
WAY_STYLE = Style(colour=GREY)
CHOSEN = {"filter": "datum.k == ball && datum.p == part"}
NAMES = {
    "chi-square": "chi-square",
    "kullback-leibler": "Kullback-Leibler",
    "total-variation": "total variation",
    "cvar": "CVaR (partial transport)",
}
Rows = list[dict[str, Any]]


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
            ways += [{**chosen, **row} for row in _ways(arrays["plans"][k, p], arrays["x"], arrays["y"])]
            middle = float(np.median(scores[:CLEAN]))
            points += [
                {**chosen, **row, "f": _near(score - middle), "weight": _near(weight)}
                for row, score, weight in zip(_points(arrays["x"], weights), scores, weights, strict=True)
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
        charts=(_steered_coupling(ways, points, arrays["y"]), _steered_weights(points)),
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
        _way_layer({"data": {"values": _ways(plan, x, y)}}),
        _target_layer(y),
        *_sample_layers({"data": {"values": _points(x, weights)}}),
    ]
    kinds = _keys(outliers=len(x) > CLEAN)
    return Chart(title=title, spec=_square(layers), description=description, keys=kinds, note=note)


def _steered_coupling(ways: Rows, points: Rows, y: np.ndarray) -> Chart:
    layers = [
        _way_layer({"data": {"values": ways}, "transform": [CHOSEN]}),
        _target_layer(y),
        *_sample_layers({"data": {"values": points}, "transform": [CHOSEN]}),
    ]
    return Chart(
        title="The coupling",
        spec=_square(layers),
        description="Samples, their targets, and which mass goes where.",
        keys=_keys(outliers=True),
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


def _ways(plan: np.ndarray, x: np.ndarray, y: np.ndarray) -> Rows:
    i, j = np.nonzero(plan > DRAWN / len(x))
    return [
        {
            "x": _near(x[a, 0]),
            "y": _near(x[a, 1]),
            "x2": _near(y[b, 0]),
            "y2": _near(y[b, 1]),
            "m": round(min(1.0, float(plan[a, b]) * len(x)), 2),
        }
        for a, b in zip(i, j, strict=True)
    ]


def _points(x: np.ndarray, weights: np.ndarray) -> Rows:
    return [
        {
            "x": _near(at[0]),
            "y": _near(at[1]),
            "w": round(float(np.clip(weight, 0, 1)), 3),
            "out": int(i >= CLEAN),
        }
        for i, (at, weight) in enumerate(zip(x, weights, strict=True))
    ]


def _position(field: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [LOW, HIGH], "nice": False, "zero": False},
        "axis": {"title": None, "values": [-2, 0, 2, 4], "grid": False},
    }


def _way_layer(source: Mapping[str, Any]) -> dict[str, Any]:
    strength = {
        "field": "m",
        "type": "quantitative",
        "scale": {"domain": [0, 1], "range": [0.15, 0.9]},
        "legend": None,
    }
    ends = {"x": _position("x"), "y": _position("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {
        **source,
        "mark": {"type": "rule", "color": GREY, "strokeWidth": 1.4},
        "encoding": {**ends, "opacity": strength},
    }


def _target_layer(y: np.ndarray) -> dict[str, Any]:
    rows = [{"x": _near(at[0]), "y": _near(at[1])} for at in y]
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "shape": TARGET_STYLE.shape, "size": 26, "stroke": TARGET_STYLE.colour,
                 "fill": TARGET_STYLE.colour, "opacity": 1},
        "encoding": {"x": _position("x"), "y": _position("y")},
    }  # fmt: skip


def _sample_layers(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    fullness = {
        "field": "w",
        "type": "quantitative",
        "scale": {"domain": [0, 1], "range": [0, 1]},
        "legend": None,
    }
    transform = list(source.get("transform", ()))
    return [
        {
            **source,
            "transform": [*transform, {"filter": f"datum.out == {out}"}],
            "mark": {"type": "point", "shape": style.shape, "size": 50, "stroke": style.colour, "fill": style.colour,
                     "strokeWidth": 1.3, "strokeOpacity": 1},
            "encoding": {"x": _position("x"), "y": _position("y"), "fillOpacity": fullness},
        }
        for out, style in ((0, CLEAN_STYLE), (1, OUTLIER_STYLE))
    ]  # fmt: skip


def _square(layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"width": SIZE, "height": SIZE, "layer": layers}


def _keys(*, outliers: bool) -> tuple[Key, ...]:
    keys = [Key(label="sample", style=CLEAN_STYLE, marks=("point",))]
    if outliers:
        keys.append(Key(label="outlier", style=OUTLIER_STYLE, marks=("point",)))
    return (
        *keys,
        Key(label="target", style=TARGET_STYLE, marks=("point",)),
        Key(label="mass", style=WAY_STYLE, marks=("line",)),
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


def _near(value: float) -> float:
    return round(float(value), 3)
