"""The pictures of a recommendation: distance against cost, distance against width, cost against width."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saddle.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Axes, Chart, Key, Style, scale
from saddle.report.tables import Column, Table, format_bytes, format_number
from saddle.studies.recommendation.answer import Answer, Candidate
from saddle.studies.recommendation.forecast import Forecast
from saddle.studies.recommendation.measure import KINDS
from saddle.studies.recommendation.wording import UNITS

__all__ = ["cost_chart", "law_chart", "pareto_chart"]

TRAINED = Style(colour=BLUE)
FORESEEN = Style(colour=PURPLE, shape="diamond", hollow=True)
DOMINATED = Style(colour=GREY, shape="square", hollow=True)
CHOSEN = Style(colour=GREEN, shape="triangle-up")
BUDGET = Style(colour=ORANGE, dash=(6, 3))
MEAN, RUN = Style(colour=PURPLE), Style(colour=GREY)
OF = {
    "sampling": Style(colour=BLUE),
    "latency": Style(colour=ORANGE, shape="square", dash=(6, 3)),
    "training": Style(colour=GREEN, shape="diamond", dash=(2, 2)),
}


def pareto_chart(answer: Answer) -> Chart:
    """Draw distance against measured cost: a candidate a mark, its width beside it."""
    shown = [each for each in answer.candidates if each.value is not None]
    metric = f"{answer.evidence.split.capitalize()} {answer.evidence.metric} (lower is better)"
    budget = answer.decision.budget
    ends = [end for each in shown for end in _ends(each)]
    axes = Axes(
        x=scale(f"Cost in {UNITS[answer.of]}", [*(each.cost.value for each in shown), budget], log=True),
        y=scale(metric, [*(each.value for each in shown), *ends]),
    )
    groups = [
        ("trained: mean of its runs", TRAINED, [c for c in shown if c.level and not _aside(answer, c)]),
        ("not trained: predicted", FORESEEN, [c for c in shown if not c.level and not _aside(answer, c)]),
        ("dominated: another is no dearer and no worse", DOMINATED, [c for c in shown if _aside(answer, c)]),
        ("recommended", CHOSEN, [c for c in shown if c.width == answer.decision.width]),
    ]
    layers: list[dict[str, Any]] = []
    keys = []
    if budget is not None:
        layers.append(axes.upright(budget, BUDGET))
        keys.append(Key(label=f"budget: {format_number(budget)} ms", style=BUDGET, marks=("line",)))
    for label, style, group in groups:
        if not group:
            continue
        bars = [
            {"x": each.cost.value, "low": low, "high": high} for each in group for low, high in _bars(each)
        ]
        layers += [axes.intervals(bars, style)] if bars else []
        layers.append(
            axes.points(
                [_row(each) for each in group],
                style,
                tips={"Width": "width", metric: "value", "Cost in ms": "cost"},
                size=120 if style is CHOSEN else 70,
            )
        )
        keys.append(Key(label=label, style=style, marks=("point",)))
    layers.append(_labels(axes, shown))
    return Chart(
        title="What a width costs, and what it gives",
        spec=axes.spec(*layers, height=380),
        description="; ".join(
            f"width {c.width}: {format_number(c.value)} at {format_number(c.cost.value)} ms" for c in shown
        ),
        keys=tuple(keys),
        note="Numbers beside the marks: widths. Bars: 95 % interval of the mean over seeds by the law, or the range of the "
        "runs where there is no law.",
        table=_table(answer),
    )


def law_chart(answer: Answer) -> Chart | None:
    """Draw the law through the runs and beyond, with the intervals of the mean and of a new run."""
    found = answer.forecast
    if not isinstance(found, Forecast):
        return None
    widths = [each.width for each in answer.candidates]
    grid = np.geomspace(min(widths), max(widths), 60)
    mean, run = found.mean(grid), found.runs(grid)
    scores = answer.evidence.scores
    trained = list(answer.evidence.widths)
    reach = [] if run is None else run.ravel().tolist()
    axes = Axes(
        x=scale("Width\u00a0k", widths, ticks=widths, log=True, form="d"),
        y=scale(
            f"{answer.evidence.split.capitalize()} {answer.evidence.metric} (lower is better)",
            [*(score.value for score in scores), *reach, found.law.a or None],
        ),
    )
    layers, keys = [], [Key(label="one point a run", style=TRAINED, marks=("point",))]
    for label, style, ends in (
        ("95 % of new runs", RUN, run),
        ("95 % of the mean over seeds", MEAN, mean),
    ):
        if ends is not None:
            rows = zip(grid.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True)
            layers.append(axes.band([{"x": x, "low": low, "high": high} for x, low, high in rows], style))
            keys.append(Key(label=label, style=style, marks=("band",)))
    curve = zip(grid.tolist(), found.law(grid).tolist(), strict=True)
    layers.append(axes.line([{"x": x, "y": y} for x, y in curve], MEAN))
    keys.append(Key(label="a + b·k⁻ᶜ", style=MEAN, marks=("line",)))
    if found.law.a > 0:
        limit = Style(colour=PURPLE, dash=(1, 3))
        layers.append(axes.level(found.law.a, limit))
        keys.append(Key(label=f"its limit: {format_number(found.law.a)}", style=limit, marks=("line",)))
    chosen = Style(colour=GREEN, dash=(6, 3))
    layers.insert(0, axes.upright(answer.decision.width, chosen))
    keys.append(Key(label=f"recommended: {answer.decision.width}", style=chosen, marks=("line",)))
    if max(widths) > max(trained):
        edge = Style(colour=GREY, dash=(2, 3))
        layers.insert(0, axes.upright(max(trained), edge))
        keys.append(Key(label="widest that was trained", style=edge, marks=("line",)))
    rows = [
        {"x": s.width, "y": s.value, "width": s.width, "seed": str(s.seed), "value": s.value} for s in scores
    ]
    layers.append(axes.points(rows, TRAINED, tips={"Width": "width", "Seed": "seed", "Value": "value"}))
    return Chart(
        title="The law, at widths trained and not",
        spec=axes.spec(*layers, height=340),
        description=f"The fitted law falls from {format_number(float(found.law(min(widths))))} at width {min(widths)} to "
        f"{format_number(float(found.law(max(widths))))} at width {max(widths)}.",
        keys=tuple(keys),
    )


def cost_chart(answer: Answer) -> Chart:
    """Draw the measured costs of all kinds against width."""
    by_width = answer.costs.by_width
    widths = sorted(by_width)
    every = [each.milliseconds[kind] for each in by_width.values() for kind in KINDS]
    axes = Axes(
        x=scale("Width\u00a0k", widths, ticks=widths, log=True, form="d"),
        y=scale("Milliseconds", [end for each in every for end in (each.low, each.high)], log=True),
    )
    layers = []
    for kind in KINDS:
        points = [(k, by_width[k].milliseconds[kind]) for k in widths]
        rows = [{"x": k, "y": m.median, "width": k, "value": m.median, "n": m.rounds} for k, m in points]
        layers += [
            axes.intervals([{"x": k, "low": m.low, "high": m.high} for k, m in points], OF[kind]),
            axes.line(rows, OF[kind]),
            axes.points(rows, OF[kind], tips={"Width": "width", "ms": "value", "Rounds": "n"}),
        ]
    heads = [
        "Width\u00a0k",
        *(f"{kind}, {UNITS[kind]}" for kind in KINDS),
        *(f"memory, {kind}" for kind in KINDS),
    ]
    table = [
        (
            k,
            *(by_width[k].milliseconds[kind].median for kind in KINDS),
            *(format_bytes(by_width[k].memory[kind]) for kind in KINDS),
        )
        for k in widths
    ]
    return Chart(
        title="Measured cost",
        spec=axes.spec(*layers, height=280),
        description="; ".join(
            f"{kind}: {format_number(by_width[widths[0]].milliseconds[kind].median)} ms at width {widths[0]}, "
            f"{format_number(by_width[widths[-1]].milliseconds[kind].median)} ms at width {widths[-1]}"
            for kind in KINDS
        ),
        keys=tuple(Key(label=UNITS[kind], style=OF[kind]) for kind in KINDS),
        note=f"Points: median over {min(m.rounds for m in every)} or more rounds; bars: its order-statistic interval. Memory: "
        "peak above the process at rest, weights included.",
        table=Table(columns=tuple(Column(head) for head in heads), rows=tuple(table)),
    )


def _aside(answer: Answer, each: Candidate) -> bool:
    return each.dominated and each.width != answer.decision.width


def _row(each: Candidate) -> dict[str, Any]:
    return {
        "x": each.cost.value,
        "y": each.value,
        "width": each.width,
        "value": each.value,
        "cost": each.cost.value,
    }


def _bars(each: Candidate) -> list[tuple[float, float]]:
    ends = _ends(each)
    return [(min(ends), max(ends))] if ends else []


def _ends(each: Candidate) -> tuple[float, ...]:
    """The ends of a candidate's bar: the law's interval of the mean, else the range of the runs."""
    if each.mean is not None:
        return each.mean
    return () if each.level is None else (min(each.level.values), max(each.level.values))


def _labels(axes: Axes, shown: Sequence[Candidate]) -> dict[str, Any]:
    rows = [{"x": each.cost.value, "y": each.value, "text": str(each.width)} for each in shown]
    return {
        "data": {"values": rows},
        "mark": {"type": "text", "dx": 9, "dy": -9, "align": "left", "fontSize": 12, "color": "var(--ink)"},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", **axes.x},
            "y": {"field": "y", "type": "quantitative", **axes.y},
            "text": {"field": "text", "type": "nominal"},
        },
    }


def _table(answer: Answer) -> Table:
    heads = ("Width\u00a0k", "Runs", "Mean measured", "Predicted", "95\u00a0% mean, low", "high")
    tail = ("95\u00a0% new run, low", "high", "Failed", UNITS[answer.of], "low", "high")
    rows = []
    for each in answer.candidates:
        mean, run = each.mean or (None, None), each.run or (None, None)
        failed = each.failures
        rows.append(
            (
                each.width,
                None if each.level is None else each.level.n,
                None if each.level is None else each.value,
                each.predicted,
                *mean,
                *run,
                None if failed is None else f"{failed.failed + failed.collapsed} of {failed.runs}",
                each.cost.value,
                each.cost.low,
                each.cost.high,
            )
        )
    return Table(columns=tuple(Column(head) for head in (*heads, *tail)), rows=tuple(rows))
