"""The drawings of the study's page."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from saddle.gan.sampling import grid_png
from saddle.report import Chart, Column, Key, Picture, Pictures, Table
from saddle.report.charts import BLUE, GREEN, GREY, ORANGE, Axes, Style, scale
from saddle.studies.cell import CellResult
from saddle.studies.domain_adaptation.cells import cell_name
from saddle.studies.domain_adaptation.claims import WORDS, accuracies, title
from saddle.studies.domain_adaptation.config import DomainAdaptationConfig, Method, TargetCase

__all__ = ["STYLES", "accuracy_chart", "course_chart", "lightest", "weight_chart"]

STYLES: dict[Method, Style] = {
    "source": Style(colour=GREY, shape="circle", hollow=True),
    "adversarial": Style(colour=ORANGE, shape="square", dash=(7, 3)),
    "robust": Style(colour=BLUE, shape="circle"),
    "trim": Style(colour=GREEN, shape="diamond", dash=(2, 2)),
}
BINS = 20
SHOWN = 24
Results = Mapping[str, CellResult]


def accuracy_chart(config: DomainAdaptationConfig, results: Results, pair: str) -> Chart:
    """Every seed of every method on every target of a pair."""
    methods, cases = config.chosen_methods, config.contaminations
    points: dict[Method, list[dict[str, float | str]]] = {method: [] for method in methods}
    for place, case in enumerate(cases):
        for number, method in enumerate(methods):
            x = place + 0.18 * (number - (len(methods) - 1) / 2)
            for seed, value in enumerate(accuracies(config, results, pair, case, method)):
                points[method].append({"x": x, "y": 100 * float(value), "seed": str(seed), "target": case})
    shown = [float(point["y"]) for rows in points.values() for point in rows]
    axes = Axes(
        x=scale("Target", [-0.4, len(cases) - 0.6], ticks=range(len(cases)), form="d"),
        y=scale("Mean class accuracy, %", shown),
    )
    tips = {"target": "target", "seed": "seed", "%": "y"}
    layers = [axes.points(rows, STYLES[method], tips=tips) for method, rows in points.items()]
    legend = "; ".join(f"{place}: {case}" for place, case in enumerate(cases))
    return Chart(
        title=title(pair),
        spec=axes.spec(*layers, height=240),
        description="Mean class accuracy on the clean test part of the target, a mark a seed.",
        keys=tuple(Key(label=WORDS[method], style=STYLES[method], marks=("point",)) for method in methods),
        note=f"{legend}. {config.seeds} seeds each.",
    )


def course_chart(config: DomainAdaptationConfig, results: Results, pair: str, case: TargetCase) -> Chart:
    """The mean over the seeds of the accuracy while training."""
    rows: dict[Method, list[dict[str, float]]] = {}
    for method in config.chosen_methods:
        found = results[cell_name(pair, case, method)].arrays
        rows[method] = [
            {"x": float(step), "y": 100 * float(value)}
            for step, value in zip(found["course steps"], found["course accuracy"].mean(1), strict=True)
        ]
    axes = Axes(
        x=scale("Step", [point["x"] for each in rows.values() for point in each], log=False),
        y=scale("Mean class accuracy, %", [point["y"] for each in rows.values() for point in each]),
    )
    layers = [
        layer
        for method, each in rows.items()
        for layer in (axes.line(each, STYLES[method]), axes.points(each, STYLES[method], size=30))
    ]
    return Chart(
        title=f"{title(pair)}, {case}",
        spec=axes.spec(*layers, height=200),
        description="Accuracy on up to 2,000 test images while training, mean over the seeds.",
        keys=tuple(Key(label=WORDS[method], style=STYLES[method]) for method in rows),
    )


def weight_chart(results: Results, pair: str, case: TargetCase, method: Method) -> Chart | None:
    """How the weights of a cell are spread, what belongs and what does not apart."""
    found = results[cell_name(pair, case, method)].arrays
    if "weights" not in found:
        return None
    values, outliers = found["weights"].ravel(), np.tile(found["outliers"], len(found["weights"]))
    edges = np.linspace(0, max(float(np.quantile(values, 0.995)), 1.2), BINS + 1)
    rows: dict[str, list[dict[str, float]]] = {}
    for name, chosen in (("belongs", ~outliers), ("does not", outliers)):
        if chosen.any():
            counts, _ = np.histogram(values[chosen].clip(edges[0], edges[-1]), edges)
            middles = (edges[1:] + edges[:-1]) / 2
            rows[name] = [
                {"x": float(x), "y": float(y), "low": 0.0, "high": float(y)}
                for x, y in zip(middles, 100 * counts / chosen.sum(), strict=True)
            ]
    styles = {"belongs": Style(colour=BLUE), "does not": Style(colour=ORANGE, dash=(7, 3))}
    axes = Axes(
        x=scale("Mean weight", edges.tolist(), log=False),
        y=scale(
            "% of the images",
            [0.0, *(row["y"] for each in rows.values() for row in each)],
            log=False,
            zero=True,
        ),
    )
    layers = [
        layer
        for name, each in rows.items()
        for layer in (axes.band(each, styles[name]), axes.line(each, styles[name]))
    ]
    return Chart(
        title=f"{title(pair)}, {case}, {WORDS[method]}",
        spec=axes.spec(*layers, axes.upright(1.0, Style(colour=GREY, dash=(2, 2))), height=180),
        description="Share of target images by their weight, averaged over ten looks while training.",
        keys=tuple(Key(label=name, style=styles[name], marks=("line", "band")) for name in rows),
        table=_spread(rows),
    )


def lightest(results: Results, chosen: Sequence[tuple[str, TargetCase, Method]]) -> Pictures | None:
    """The target images with the smallest weights, of several cells."""
    pictures = []
    for pair, case, method in chosen:
        found = results[cell_name(pair, case, method)].arrays
        if "lightest" not in found:
            continue
        wrong = found["lightest outliers"][:SHOWN]
        words = (
            f"{title(pair)}, {case}, {WORDS[method]}: the {len(wrong)} lightest, weights up to "
            f"{found['lightest weights'][:SHOWN].max():.2f}; {int(wrong.sum())} do not belong."
        )
        png = grid_png(torch.from_numpy(found["lightest"][:SHOWN]), columns=8)
        pictures.append(Picture(png=png, caption=words, alt=f"Grid of target images. {words}"))
    return Pictures(pictures=tuple(pictures)) if pictures else None


def _spread(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> Table:
    names = list(rows)
    return Table(
        columns=(Column("Weight"), *(Column(f"{name}, %") for name in names)),
        rows=tuple(
            (rows[names[0]][i]["x"], *(rows[name][i]["y"] for name in names))
            for i in range(len(rows[names[0]]))
        ),
    )
