"""The planes: training points by their weight, and what every method generates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from saddle.report import Chart, Key
from saddle.report.charts import BLUE, ORANGE, Axes, Style
from saddle.studies.robust_gan.measures import off_share
from saddle.studies.robust_gan.mixture import means
from saddle.studies.robust_gan.reading import Results

__all__ = ["generated_chart", "weighted_chart"]

REACH = 5.5
SHOWN = 600
"Points drawn of each cloud."
DOT = 7
LIGHTER, FULLER = Style(colour=ORANGE), Style(colour=BLUE)
MEAN = Style(colour="var(--ink)", shape="cross")
HALF = 0.5
"Points of less weight are drawn as light ones."


def weighted_chart(found: Results, setting: str, method: str) -> Chart:
    """The training set of the first seed, coloured by the weight that its points ended with."""
    arrays = found.first(setting, method).arrays
    points, weight, outlier = arrays["points"][0], arrays["weight"][0], arrays["outlier"][0]
    light = weight < HALF
    caught = f"{light[outlier].mean():.0%} of the outliers and " if outlier.any() else ""
    return _plane(
        f"{method}: weights of the data",
        ((points[~light][:SHOWN], FULLER), (points[light][:SHOWN], LIGHTER)),
        f"Training points of {setting}; those of weight below {HALF:g} are marked.",
        keys=(
            Key(label=f"weight {HALF:g} or more", style=FULLER, marks=("point",)),
            Key(label="less", style=LIGHTER, marks=("point",)),
        ),
        note=f"{caught}{light[~outlier].mean():.1%} of the other points have a weight below {HALF:g}. First seed, at most "
        f"{SHOWN} points of each kind drawn; weights are means over the last quarter of training.",
    )


def generated_chart(found: Results, setting: str, method: str) -> Chart:
    """What the first seed's generator makes."""
    made = found.first(setting, method).arrays["generated"][0]
    off = float(off_share(torch.from_numpy(made)[None], 4)[0])
    return _plane(
        f"{method}: {off:.1%} off",
        ((made[:SHOWN], FULLER),),
        f"Generated points of {method} on {setting}.",
        keys=(
            Key(label="generated", style=FULLER, marks=("point",)),
            Key(label="mode", style=MEAN, marks=("point",)),
        ),
    )


def _plane(
    title: str,
    clouds: Sequence[tuple[np.ndarray, Style]],
    description: str,
    *,
    keys: tuple[Key, ...],
    note: str = "",
) -> Chart:
    axes = Axes(x=_axis("x₁"), y=_axis("x₂"))
    layers = [
        {**layer, "mark": {**layer["mark"], "strokeWidth": 0, "clip": True, "opacity": 0.55}}
        for points, style in clouds
        for layer in [axes.points(_rows(points), style, size=DOT)]
    ]
    layers.append(axes.points(_rows(means().numpy()), MEAN, size=40))
    return Chart(
        title=title, spec=axes.spec(*layers, height=250), description=description, keys=keys, note=note
    )


def _rows(points: np.ndarray) -> list[Mapping[str, float]]:
    return [{"x": round(float(x), 2), "y": round(float(y), 2)} for x, y in points]


def _axis(title: str) -> dict[str, Any]:
    return {
        "scale": {"domain": [-REACH, REACH], "nice": False, "zero": False},
        "axis": {"title": title, "values": [-4, -2, 0, 2, 4], "grid": False},
    }
