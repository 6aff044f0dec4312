"""The theorem's bound, the knee, what is left of the outliers, and what becomes of a minority mode."""

import numpy as np

from saddle.report import Chart, Column, Key, Table
from saddle.report.charts import BLUE, GREY, ORANGE, Axes, Style, ramp, scale
from saddle.studies.robust_transport.config import RobustTransportConfig
from saddle.studies.robust_transport.modes import SUSPECTED
from saddle.studies.robust_transport.reading import Results, numbers_of, of_kind, problems

__all__ = ["bound_chart", "knee_chart", "minority_chart", "residue_chart"]

LINE = Style(colour=GREY, dash=(5, 3))


def knee_chart(config: RobustTransportConfig, results: Results) -> Chart:
    """The value over rho, one line a share of outliers, with R*/2 upright."""
    cells = {count: results[f"knee {count} 0"].numbers for count in config.ring_outliers}
    lines = {
        count: [{"x": chi2 / 2, "y": value} for chi2, value in zip(row["chi2"], row["value"], strict=True)]
        for count, row in cells.items()
    }
    styles = dict(zip(cells, ramp(len(cells) + 1)[1:], strict=True))
    rows = [row for line in lines.values() for row in line]
    axes = Axes(
        x=scale("rho = R/2", [row["x"] for row in rows], log=False),
        y=scale("Robust cost (squared distances)", [row["y"] for row in rows], log=True),
    )
    layers = [
        axes.upright(row["critical"] / 2, Style(colour=styles[count].colour, dash=(2, 3)))
        for count, row in cells.items()
    ]
    layers += [axes.line(lines[count], styles[count]) for count in cells]
    return Chart(
        title="The value over the radius has its knee at the critical radius",
        spec=axes.spec(*layers),
        description="Robust cost of ring data with far outliers against rho, for several shares of outliers.",
        keys=tuple(Key(label=_share(row["g"]), style=styles[count], marks=("line",)) for count, row in cells.items()),
        note="100 clean points on a ring of radius 3, outliers at distance 60, seed 0. Dotted: rho* = g/(2(1 − g)). Left of it "
        "outliers are still paid for, right of it the ball eats into the clean data.",
        table=Table(
            columns=(Column("Share g"), Column("R* = g/(1 − g)"), Column("Knee found at R, of each seed", "left", wide=True)),
            rows=tuple(
                (row["g"], row["critical"],
                 ", ".join(f"{each['knee']:.4f}" for each in of_kind(results, f"knee {count}", config)))
                for count, row in cells.items()
            ),
        ),
    )  # fmt: skip


def residue_chart(config: RobustTransportConfig, results: Results) -> Chart:
    """The outliers' mass in the optimum over rho: measured and as the theorem's weights leave it."""
    cells = {count: results[f"knee {count} 0"].numbers for count in config.ring_outliers}
    styles = dict(zip(cells, ramp(len(cells) + 1)[1:], strict=True))
    axes = Axes(
        x=scale("rho = R/2", [value / 2 for row in cells.values() for value in row["chi2"]], log=False),
        y=scale(
            "Mass left to the outliers",
            [value for row in cells.values() for value in row["mass"]],
            log=False,
            zero=True,
        ),
    )
    layers = []
    for count, row in cells.items():
        line = [{"x": chi2 / 2, "y": left} for chi2, left in zip(row["chi2"], row["predicted"], strict=True)]
        marks = [{"x": chi2 / 2, "y": mass} for chi2, mass in zip(row["chi2"], row["mass"], strict=True)]
        layers += [axes.line(line, styles[count]), axes.points(marks, styles[count], size=30)]
    return Chart(
        title="The optimum leaves as much of the outliers as the theorem says",
        spec=axes.spec(*layers),
        description="Mass of the outliers in the optimum against rho, beside the residual share.",
        keys=tuple(Key(label=_share(row["g"]), style=styles[count]) for count, row in cells.items()),
        note="Marks: the solver's optimum, seed 0. Lines: g' = (g − sqrt(2 rho g (1 − g)))₊.",
    )


def bound_chart(config: RobustTransportConfig, results: Results) -> Chart:
    """Cost over bound of all random problems."""
    columns = problems(results, config)
    ratio = columns["robust_high"] / columns["bound_high"]
    own, other = Style(colour=BLUE), Style(colour=ORANGE, shape="square", hollow=True)
    chi2 = columns["ball"] == "chi-square"
    axes = Axes(
        x=scale("Radius, of the critical one", [0, *columns["part"]], log=False),
        y=scale("Robust cost over its bound", [0, 1, *ratio], log=False),
    )
    layers = [axes.level(1, LINE)]
    for chosen, style in ((~chi2, other), (chi2, own)):
        rows = [
            {"x": float(part), "y": float(value), "ball": str(ball), "g": float(g)}
            for part, value, ball, g in zip(
                columns["part"][chosen],
                ratio[chosen],
                columns["ball"][chosen],
                columns["g"][chosen],
                strict=True,
            )
        ]
        layers.append(
            axes.points(rows, style, tips={"ball": "ball", "g": "g", "cost over bound": "y"}, size=40)
        )
    return Chart(
        title="No random problem costs more than its bound",
        spec=axes.spec(*layers),
        description="Robust cost divided by the theorem's bound, of random problems, against the radius.",
        keys=(
            Key(label="chi-square", style=own, marks=("point",)),
            Key(label="other balls", style=other, marks=("point",)),
        ),
        note=f"{len(ratio)} random problems: 1 to 5 dimensions, distances and squared distances, outliers from among the clean "
        "points to far away. Dashed: the bound.",
    )


def minority_chart(config: RobustTransportConfig, results: Results) -> Chart:
    """What a genuine second mode keeps of its mass."""
    rows = of_kind(results, "minority", config)
    share, kept, predicted = (numbers_of(rows, key) for key in ("share", "kept", "predicted"))
    found, line = Style(colour=BLUE), Style(colour=GREY)
    axes = Axes(
        x=scale("Share of the second mode in the data", share.ravel(), log=False, zero=True),
        y=scale("Share that it keeps", [*kept.ravel(), float(share.max())], log=False, zero=True),
    )
    marks = [{"x": float(x), "y": float(y)} for x, y in zip(share.ravel(), kept.ravel(), strict=True)]
    curve = np.linspace(0, float(share.max()), 121)
    theory = [
        {"x": float(s), "y": float(max(0.0, s - np.sqrt(SUSPECTED / (1 - SUSPECTED) * s * (1 - s))))}
        for s in curve
    ]
    same = [{"x": 0.0, "y": 0.0}, {"x": float(share.max()), "y": float(share.max())}]
    assert np.isfinite(predicted).all()
    return Chart(
        title="A minority mode as light as the suspected dirt is dropped",
        spec=axes.spec(
            axes.upright(SUSPECTED, LINE),
            axes.line(same, LINE),
            axes.line(theory, line),
            axes.points(marks, found, size=40),
        ),
        description="Share that a second mode keeps in the optimum, against its share in the data.",
        keys=(
            Key(label="second mode, one mark a seed", style=found, marks=("point",)),
            Key(label="residual share g'", style=line, marks=("line",)),
            Key(label="all of it; the suspected share", style=LINE, marks=("line",)),
        ),
        note=f"The radius is the critical one for {SUSPECTED:.0%} outliers; the other side has the main mode only.",
    )


def _share(g: float) -> str:
    return f"g = {g:.3g}"
