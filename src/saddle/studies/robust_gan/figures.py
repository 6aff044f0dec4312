"""The charts of numbers: every seed of every method, the course of training, and the weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saddle.report import Chart, Column, Key, Table
from saddle.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Axes, Style, scale
from saddle.studies.robust_gan.reading import Results

__all__ = ["course_chart", "mean_and_spread", "seeds_chart", "weight_chart"]

STYLES = {
    "plain": Style(colour=ORANGE, shape="square"),
    "exact": Style(colour=BLUE),
    "trim": Style(colour=GREEN, shape="triangle-up", dash=(2, 2)),
    "network": Style(colour=PURPLE, shape="diamond", dash=(7, 3)),
    "stale": Style(colour=GREY, shape="cross", dash=(9, 3, 2, 3)),
}
EVERY_SEED, MEAN = Style(colour=BLUE, hollow=True), Style(colour=ORANGE, shape="diamond")
BINS = np.linspace(0.0, 2.0, 21)


def seeds_chart(
    found: Results, setting: str, number: str, title: str, *, level: float | None = None
) -> Chart:
    """One row a method: a mark a seed, and their mean."""
    methods = list(dict(found.config.plan)[setting])
    values = {method: found.values(setting, method, number) for method in methods}
    rows = [
        {"method": method, "x": float(value), "shown": f"{value:.4f}", "seed": found.config.first_seed + i}
        for method in methods
        for i, value in enumerate(values[method])
        if np.isfinite(value)
    ]
    averages = [{"method": method, "x": float(np.nanmean(values[method]))} for method in methods]
    y = {
        "field": "method",
        "type": "nominal",
        "sort": methods,
        "axis": {"title": None, "grid": False, "ticks": False},
    }
    # Shares from a tenth to a thousandth side by side: a square root shows both, and 0 too.
    high = max(row["x"] for row in rows) * 1.05
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": {"type": "sqrt" if number == "off" else "linear", "domain": [0, high], "nice": False},
        "axis": {"title": title, "tickCount": 6, "grid": True, "format": ",~r"},
    }
    tips = [{"field": "method", "type": "nominal", "title": "Method"}, {"field": "seed", "type": "nominal", "title": "Seed"},
            {"field": "shown", "type": "nominal", "title": title}]  # fmt: skip
    layers: list[dict[str, Any]] = [
        {"data": {"values": rows}, "mark": _mark(EVERY_SEED, 45), "encoding": {"x": x, "y": y, "tooltip": tips}},
        {"data": {"values": averages}, "mark": _mark(MEAN, 60), "encoding": {"x": x, "y": y}},
    ]  # fmt: skip
    if level is not None:
        rule = {"type": "rule", "color": GREY, "strokeDash": [5, 3], "strokeWidth": 1.5}
        layers.insert(0, {"data": {"values": [{"x": level}]}, "mark": rule, "encoding": {"x": x}})
    spec = {
        "width": "container",
        "height": 26 * len(methods) + 10,
        "autosize": {"type": "fit", "contains": "padding"},
        "layer": layers,
    }
    spec["height"] += 50
    return Chart(
        title=f"{setting}: {title}",
        spec=spec,
        description="; ".join(f"{row['method']} {row['x']:.3f}" for row in averages),
        keys=(
            Key(label="a seed", style=EVERY_SEED, marks=("point",)),
            Key(label="mean", style=MEAN, marks=("point",)),
        ),
        note=f"{found.config.seeds} seeds, the same for all methods."
        + (" Dashed: two clean samples of the same size, on average." if level is not None else ""),
        table=Table(
            columns=(Column("Method", "left"), Column("mean"), Column("sd"), Column("least"), Column("most")),
            rows=tuple(
                (
                    m,
                    float(v.mean()),
                    float(v.std(ddof=1)) if len(v) > 1 else None,
                    float(v.min()),
                    float(v.max()),
                )
                for m, v in values.items()
            ),
            caption=title,
        ),
    )


def course_chart(found: Results, setting: str, methods: Sequence[str]) -> Chart:
    """The share off the modes over training: the mean over seeds, and their range."""
    shown = [method for method in methods if found.has(setting, method)]
    steps = found.first(setting, shown[0]).arrays["steps"]
    layers, every, keys = [], [], []
    for method in shown:
        values = _smooth(found.array(setting, method, "course", axis=1))
        rows = [
            {"x": int(t), "y": float(v.mean()), "low": float(v.min()), "high": float(v.max())}
            for t, v in zip(steps, values, strict=True)
        ]
        every += [row["high"] for row in rows]
        keys.append(Key(label=method, style=STYLES[method], marks=("line", "band")))
        layers.append((rows, STYLES[method]))
    axes = Axes(
        x=scale("Generator steps", steps.tolist(), log=False, pad=0),
        y=scale("Share off the modes", [0.0, *every], log=False, zero=True),
    )
    axes.y["scale"]["domain"] = [0, min(0.5, max(every))]
    drawn = []
    for rows, style in layers:
        pair = (axes.band(rows, style), axes.line(rows, style))
        drawn += [{**layer, "mark": {**layer["mark"], "clip": True}} for layer in pair]
    return Chart(
        title=f"{setting}: share off the modes during training",
        spec=axes.spec(*drawn, height=300),
        description="The share of generated points off the modes over generator steps, for each method.",
        keys=tuple(keys),
        note=f"Means of {found.config.seeds} seeds, bands from the least to the most; 512 points a look, running mean over five "
        "looks. Above the drawing in the first steps, when no mode is found yet.",
    )


def weight_chart(found: Results, setting: str, method: str) -> Chart:
    """How many clean points and how many outliers ended with which weight, all seeds."""
    weight = found.array(setting, method, "weight")
    outlier = found.outliers(setting)
    styles = (
        ("clean points", ~outlier, Style(colour=BLUE)),
        ("outliers", outlier, Style(colour=ORANGE, dash=(7, 3))),
    )
    every = []
    shares = {}
    for name, those, _ in styles:
        counts = np.histogram(np.clip(weight[those], BINS[0], BINS[-1]), BINS)[0] / max(int(those.sum()), 1)
        shares[name] = counts
        every += counts.tolist()
    axes = Axes(
        x=scale("Weight", BINS.tolist(), log=False, pad=0),
        y=scale("Share of the points", [0.0, *every], log=False, zero=True),
    )
    layers = []
    for name, _, style in styles:
        rows = [
            {"x": float(edge), "y": float(share)}
            for left, right, share in zip(BINS[:-1], BINS[1:], shares[name], strict=True)
            for edge in (left, right)
        ]
        layers.append(axes.line(rows, style))
    return Chart(
        title=f"{setting}: weights of {method}",
        spec=axes.spec(*layers, height=220),
        description=f"Histograms of the weights of clean points and outliers, {method} on {setting}.",
        keys=tuple(Key(label=name, style=style, marks=("line",)) for name, _, style in styles),
        note="All seeds. Weights are means over the last quarter of training; 1 is what every point counts without.",
    )


def mean_and_spread(values: np.ndarray, digits: int) -> str:
    """`0.021 ± 0.017`: mean and standard deviation over seeds."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "–"
    spread = f"\u00a0±\u00a0{finite.std(ddof=1):.{digits}f}" if len(finite) > 1 else ""
    return f"{finite.mean():.{digits}f}{spread}"


def _smooth(values: np.ndarray) -> np.ndarray:
    window = [slice(max(0, i - 4), i + 1) for i in range(len(values))]
    return np.stack([values[each].mean(0) for each in window])


def _mark(style: Style, size: int) -> dict[str, Any]:
    fill = {"fill": "var(--page)"} if style.hollow else {"fill": style.colour}
    return {
        "type": "point",
        "shape": style.shape,
        "size": size,
        "stroke": style.colour,
        "strokeWidth": 1.5,
        "opacity": 1,
        **fill,
    }
