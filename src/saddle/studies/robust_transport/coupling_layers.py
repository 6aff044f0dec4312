"""The marks of a coupling in the plane: samples as full as they weigh, targets, and lines where mass goes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from saddle.report import Key
from saddle.report.charts import BLUE, GREY, ORANGE, PURPLE, Style
from saddle.studies.robust_transport.pictures import CLEAN, DRAWN

__all__ = [
    "CLEAN_STYLE",
    "OUTLIER_STYLE",
    "SIZE",
    "Rows",
    "coupling_keys",
    "rounded",
    "sample_layers",
    "sample_rows",
    "square",
    "target_layer",
    "way_layer",
    "way_rows",
]

SIZE = 290
LOW, HIGH = -3.2, 5.2
CLEAN_STYLE = Style(colour=BLUE)
OUTLIER_STYLE = Style(colour=PURPLE, shape="square")
TARGET_STYLE = Style(colour=ORANGE, shape="diamond")
WAY_STYLE = Style(colour=GREY)
Rows = list[dict[str, Any]]


def way_rows(plan: np.ndarray, x: np.ndarray, y: np.ndarray) -> Rows:
    """A row for every way of at least `DRAWN` of a sample's mass, `m` of it."""
    i, j = np.nonzero(plan > DRAWN / len(x))
    return [
        {
            "x": rounded(x[a, 0]),
            "y": rounded(x[a, 1]),
            "x2": rounded(y[b, 0]),
            "y2": rounded(y[b, 1]),
            "m": round(min(1.0, float(plan[a, b]) * len(x)), 2),
        }
        for a, b in zip(i, j, strict=True)
    ]


def sample_rows(x: np.ndarray, weights: np.ndarray) -> Rows:
    """A row a sample, with its weight and whether it is an outlier."""
    return [
        {
            "x": rounded(at[0]),
            "y": rounded(at[1]),
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


def way_layer(source: Mapping[str, Any]) -> dict[str, Any]:
    """The lines of the mass, from the rows of `source`."""
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


def target_layer(y: np.ndarray) -> dict[str, Any]:
    """The marks of the held side."""
    rows = [{"x": rounded(at[0]), "y": rounded(at[1])} for at in y]
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "shape": TARGET_STYLE.shape, "size": 26, "stroke": TARGET_STYLE.colour,
                 "fill": TARGET_STYLE.colour, "opacity": 1},
        "encoding": {"x": _position("x"), "y": _position("y")},
    }  # fmt: skip


def sample_layers(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The marks of the samples, clean ones and outliers, the fuller the more they weigh."""
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


def square(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """The specification of layers in the plane, with equal units on both axes."""
    return {"width": SIZE, "height": SIZE, "layer": layers}


def coupling_keys(*, outliers: bool) -> tuple[Key, ...]:
    """The key of the layers."""
    found = [Key(label="sample", style=CLEAN_STYLE, marks=("point",))]
    if outliers:
        found.append(Key(label="outlier", style=OUTLIER_STYLE, marks=("point",)))
    return (
        *found,
        Key(label="target", style=TARGET_STYLE, marks=("point",)),
        Key(label="mass", style=WAY_STYLE, marks=("line",)),
    )


def rounded(value: float) -> float:
    """Few digits: a page is to be mailed."""
    return round(float(value), 3)
