"""The charts of the page: how the weights are spread, and what they follow."""

import numpy as np

from saddle.report import Chart, Column, Key, Table
from saddle.report.charts import BLUE, ORANGE, Axes, Style, scale
from saddle.studies.outliers.ranking import Ranking

__all__ = ["cost_chart", "potential_chart", "weights_chart"]

KEPT, FLAGGED = Style(colour=BLUE), Style(colour=ORANGE, shape="triangle-up")
KEYS = (
    Key(label="kept", style=KEPT, marks=("point",)),
    Key(label="flagged", style=FLAGGED, marks=("point",)),
)
BINS = 24
DRAWN = 2000
"Points in a chart; of more images a fixed draw is shown."


def weights_chart(ranking: Ranking) -> Chart:
    """How many images have which weight."""
    top = max(float(ranking.weight.max()), 1e-9)
    edges = np.linspace(0, top, BINS + 1)
    counts = [np.histogram(ranking.weight[part], edges)[0] for part in (~ranking.flagged, ranking.flagged)]
    rows = []
    for k in range(BINS):
        base = 0
        for name, count in zip(("kept", "flagged"), counts, strict=True):
            if count[k]:
                rows.append(
                    {
                        "x": edges[k],
                        "to": edges[k + 1],
                        "low": base,
                        "high": base + int(count[k]),
                        "group": name,
                    }
                )
            base += int(count[k])
    most = int((counts[0] + counts[1]).max())
    x, y = scale("weight", [0, top], log=False), scale("images", [0, most], log=False, zero=True)
    layers = [
        {
            "data": {
                "values": [
                    {k: float(v) if k != "group" else v for k, v in row.items()}
                    for row in rows
                    if row["group"] == group
                ]
            },
            "mark": {"type": "rect", "color": style.colour, "stroke": "var(--page)", "strokeWidth": 1},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", **x},
                "x2": {"field": "to"},
                "y": {"field": "low", "type": "quantitative", **y},
                "y2": {"field": "high"},
            },
        }
        for group, style in (("kept", KEPT), ("flagged", FLAGGED))
    ]
    axes = Axes(x=x, y=y)
    return Chart(
        title="How much each image counts",
        spec=axes.spec(*layers, height=260),
        description=f"Histogram of the weights of {len(ranking.weight)} images; {int((ranking.weight == 0).sum())} are 0.",
        keys=tuple(
            Key(label=key.label, style=Style(colour=key.style.colour), marks=("band",)) for key in KEYS
        ),
        note=f"{len(ranking.weight):,} images; 1 is the mean weight.",
        table=Table(
            columns=(Column("weight from"), Column("to"), Column("kept"), Column("flagged")),
            rows=tuple(
                (float(edges[k]), float(edges[k + 1]), int(counts[0][k]), int(counts[1][k]))
                for k in range(BINS)
            ),
        ),
    )


def potential_chart(ranking: Ranking) -> Chart:
    """Weight against potential: a falling line that ends at 0."""
    return _scatter(
        ranking,
        -ranking.score,
        ranking.weight,
        title="Weight against potential",
        names=("potential f (outlier score)", "weight"),
        description="The weight falls in a straight line as the potential rises, and is 0 beyond a point.",
        note="The best weights of a chi-square ball are an affine function of the potential, cut at 0. Images of weight "
        "0 are still ranked, by their potential.",
    )


def cost_chart(ranking: Ranking) -> Chart:
    """Potential against the baseline's cost."""
    return _scatter(
        ranking,
        ranking.row_cost,
        -ranking.score,
        title="Potential against the cost in balanced transport",
        names=("row cost of balanced transport", "potential f (outlier score)"),
        description="Each image's outlier score by robust transport against what it pays in balanced transport.",
        note="Images high up on the left are cheap to transport and yet too many: a crowd. On the right lie images that "
        "are far from the reference.",
    )


def _scatter(
    ranking: Ranking,
    x: np.ndarray,
    y: np.ndarray,
    *,
    title: str,
    names: tuple[str, str],
    description: str,
    note: str,
) -> Chart:
    shown = np.arange(len(x))
    if len(x) > DRAWN:
        shown = np.sort(np.random.default_rng(0).permutation(len(x))[:DRAWN])
        note += f" A fixed draw of {DRAWN:,} of the {len(x):,} images is shown."
    axes = Axes(
        x=scale(names[0], x[shown].tolist(), log=False), y=scale(names[1], y[shown].tolist(), log=False)
    )
    layers = []
    for group, style in ((shown[~ranking.flagged[shown]], KEPT), (shown[ranking.flagged[shown]], FLAGGED)):
        rows = [{"x": float(x[i]), "y": float(y[i])} for i in group]
        if rows:
            layers.append(axes.points(rows, style, size=28))
    return Chart(
        title=title, spec=axes.spec(*layers, height=300), description=description, keys=KEYS, note=note
    )
