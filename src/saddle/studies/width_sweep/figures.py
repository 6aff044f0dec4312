"""The charts of a sweep's report: what is drawn for which numbers. Widths stand on a logarithmic axis."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from saddle.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Axes, Chart, Key, Style, ramp, scale
from saddle.report.tables import Column, Table, format_number
from saddle.studies.width_sweep import wording
from saddle.studies.width_sweep.law import Choice
from saddle.studies.width_sweep.reading import Score
from saddle.studies.width_sweep.summary import Level, by_width, floor_of, levels, size_of
from saddle.theory.power_law import PowerLaw

__all__ = [
    "cost_chart",
    "curve_chart",
    "law_chart",
    "loss_chart",
    "per_seed_layers",
    "per_width_chart",
    "score_chart",
    "width_axis",
]

TEST = Style(colour=BLUE, shape="circle")
TRAIN = Style(colour=ORANGE, shape="square", hollow=True, dash=(6, 3))
FLOOR = Style(colour=GREY, dash=(2, 3))
GENERATOR = Style(colour=GREEN, shape="diamond")
DISCRIMINATOR = Style(colour=PURPLE, shape="triangle-up", hollow=True, dash=(6, 3))
WIDTH = "Width\u00a0k"


def width_axis(widths: Sequence[int]) -> dict[str, Any]:
    """Return the x channel: a base-free logarithm with a tick at every real width."""
    return scale(WIDTH, widths, ticks=widths, log=True, form="d")


def score_chart(
    metric: str,
    split_scores: Mapping[str, Sequence[Score]],
    *,
    height: int = 320,
    title: str | None = None,
    note: bool = True,
) -> Chart:
    """Draw one metric against width: every run, medians and intervals, train beside test, and the floor.

    A floor that lies far below every value is named in the key only (`_floor_key`).
    """
    series = {split: list(scores) for split, scores in split_scores.items() if scores}
    every = [score for scores in series.values() for score in scores]
    widths = sorted({score.width for score in every})
    floors = {split: floor_of(scores) for split, scores in series.items()}
    shown = "test" if "test" in series else next(iter(series), "")
    floor_key, floor = _floor_key(floors.get(shown), [s.value for s in every], f"real against real ({shown})")
    better = wording.direction(metric)
    axes = Axes(
        x=width_axis(widths),
        y=scale(
            f"{metric}{f' ({better})' if better else ''}",
            [*(s.value for s in every), floor],
        ),
    )
    layers, keys = [], []
    for split, scores in series.items():
        style = TRAIN if split == "train" else TEST
        aside = _aside(widths, -1 if split == "train" else 1) if len(series) > 1 else 1.0
        layers += _seeds_layers(axes, levels(scores), _score_rows(scores, aside), style, aside, metric)
        keys.append(Key(label=f"{split}, {size_of(scores)}", style=style))
    keys += floor_key
    if floor is not None:
        layers.insert(0, axes.level(floor, FLOOR))
    measured = levels(series.get("test") or every)
    return Chart(
        title=title or f"{metric} against width",
        spec=axes.spec(*layers, height=height),
        description=wording.trend(measured, metric, shown),
        keys=tuple(keys),
        note=wording.bars(measured) if note else "",
        table=_score_table(series, floors),
    )


def curve_chart(
    metric: str,
    split: str,
    curves: Mapping[int, Sequence[tuple[int, Level]]],
    floor: float | None,
) -> Chart:
    """Draw one metric against the step: the median of every width, and the range of its seeds."""
    styles = dict(zip(curves, ramp(len(curves)), strict=True))
    every = [level for points in curves.values() for _, level in points]
    values = [value for level in every for value in (level.low, level.high)]
    floor_key, floor = _floor_key(floor, values)
    axes = Axes(
        x=scale(
            "Generator steps",
            [0, *(step for points in curves.values() for step, _ in points)],
            log=False,
            pad=0.02,
            zero=True,
        ),
        y=scale(f"{split.capitalize()} {metric} ({wording.direction(metric)})", [*values, floor]),
    )
    layers, lines, rows = [], [], []
    for width, points in curves.items():
        style = styles[width]
        band = [{"x": step, "low": level.low, "high": level.high} for step, level in points]
        line = [
            {
                "x": step,
                "y": level.median,
                "width": width,
                "step": step,
                "seeds": level.n,
                "value": level.median,
            }
            for step, level in points
        ]
        tips = {"Width": "width", "Step": "step", "Median": "value", "Seeds": "seeds"}
        layers.append(axes.band(band, style))
        lines += [axes.line(line, style), axes.points(line, style, tips=tips, size=28)]
        rows += [
            (width, step, level.n, level.median, min(level.values), max(level.values))
            for step, level in points
        ]
    keys = [Key(label=f"width {width}", style=style) for width, style in styles.items()]
    keys += floor_key
    if floor is not None:
        layers.insert(0, axes.level(floor, FLOOR))
    heads = (WIDTH, "Step", "Seeds", "Median", "Lowest", "Highest")
    return Chart(
        title=f"{split.capitalize()} {metric} during training",
        spec=axes.spec(*layers, *lines, height=360),
        description=f"Median over the seeds of {len(curves)} widths against the generator's steps.",
        keys=tuple(keys),
        note=f"Lines: median over {wording.seeds_words([level.n for level in every])}. "
        f"Bands: {'range of the seeds' if max(level.n for level in every) < 6 else 'interval of the median'}.",
        table=Table(columns=tuple(Column(head) for head in heads), rows=tuple(rows)),
    )


def per_width_chart(
    title: str,
    axis: str,
    triples: Sequence[tuple[int, int, float]],
    *,
    zero_line: bool = False,
    height: int = 260,
    style: Style = TEST,
) -> Chart:
    """Draw one number a run against width, with medians and intervals."""
    measured = by_width(triples)
    widths = [level.width for level in measured]
    axes = Axes(
        x=width_axis(widths),
        y=scale(
            axis,
            [*(value for *_, value in triples), *([0.0] if zero_line else [])],
            zero=zero_line,
            log=False,
        ),
    )
    layers = [axes.level(0, FLOOR)] if zero_line else []
    layers += per_seed_layers(axes, triples, style, axis)
    heads = (WIDTH, "Seeds", "Median", "Lowest", "Highest")
    return Chart(
        title=title,
        spec=axes.spec(*layers, height=height),
        description=f"{axis}: "
        + ", ".join(f"{format_number(m.median)} at width {m.width}" for m in measured),
        note=wording.bars(measured),
        table=Table(
            columns=tuple(Column(head) for head in heads),
            rows=tuple((m.width, m.n, m.median, min(m.values), max(m.values)) for m in measured),
        ),
    )


def law_chart(metric: str, split: str, scores: Sequence[Score], choice: Choice) -> Chart:
    """Draw the fitted law with its band through the runs, and the recommended width."""
    law = choice.law
    assert isinstance(law, PowerLaw)
    grid = np.geomspace(min(law.widths), max(law.widths), 80)
    band = law.band(grid)
    reach = [] if band is None else [*band[0].tolist(), *band[1].tolist()]
    floor_key, floor = _floor_key(floor_of(scores), [score.value for score in scores])
    axes = Axes(
        x=width_axis(choice.widths),
        y=scale(
            f"{split.capitalize()} {metric} ({wording.direction(metric)})",
            [*(s.value for s in scores), *reach, law.a or None, floor],
        ),
    )
    style = Style(colour=PURPLE)
    layers, keys = [], [Key(label=f"{split}, one point a run", style=TEST, marks=("point",))]
    if floor is not None:
        layers.append(axes.level(floor, FLOOR))
    if band is not None:
        rows = zip(grid.tolist(), band[0].tolist(), band[1].tolist(), strict=True)
        layers.append(axes.band([{"x": x, "low": low, "high": high} for x, low, high in rows], style))
        keys.append(Key(label="a + b·k⁻ᶜ with its 95 % band", style=style, marks=("band", "line")))
    else:
        keys.append(Key(label="a + b·k⁻ᶜ", style=style, marks=("line",)))
    keys += floor_key
    if law.a > 0:
        limit = Style(colour=PURPLE, dash=(1, 3))
        layers.append(axes.level(law.a, limit))
        keys.append(Key(label=f"a, the law's limit: {format_number(law.a)}", style=limit, marks=("line",)))
    curve = law(grid)
    line = [{"x": x, "y": y} for x, y in zip(grid.tolist(), curve.tolist(), strict=True)]
    if len(choice.widths) > 1:
        mark = Style(colour=GREEN, dash=(6, 3))
        layers.insert(0, axes.upright(choice.width, mark))
        keys.append(Key(label=f"recommended width: {choice.width}", style=mark, marks=("line",)))
    layers += [axes.line(line, style), axes.points(_score_rows(scores, 1.0), TEST, tips=_tips(metric))]
    heads = (Column(WIDTH), Column("Law"), Column("95\u00a0% low"), Column("95\u00a0% high"))
    at = law.band(list(law.widths))
    table = [
        (int(k), float(law(k)), *((None, None) if at is None else (float(at[0][i]), float(at[1][i]))))
        for i, k in enumerate(law.widths)
    ]
    return Chart(
        title=f"{split.capitalize()} {metric} against width, with the fitted law",
        spec=axes.spec(*layers),
        description=wording.law_words(choice),
        keys=tuple(keys),
        table=Table(columns=heads, rows=tuple(table)),
    )


def cost_chart(
    title: str,
    axis: str,
    series: Mapping[str, Sequence[tuple[int, float]]],
    show: Callable[[float], str],
) -> Chart:
    """Draw a cost against width; the series are `generator` and `discriminator`, or one."""
    styles = {"generator": GENERATOR, "discriminator": DISCRIMINATOR}
    every = [pair for pairs in series.values() for pair in pairs]
    axes = Axes(
        x=width_axis(sorted({width for width, _ in every})),
        y=scale(axis, [value for _, value in every], zero=not _wide(every)),
    )
    layers = []
    for name, pairs in series.items():
        style = styles.get(name, TEST)
        rows = [{"x": w, "y": v, "width": w, "of": name, "value": show(v)} for w, v in pairs]
        tips = {"Width": "width", "Of": "of", title: "value"}
        layers += [axes.line(rows, style), axes.points(rows, style, tips=tips)]
    return Chart(
        title=title,
        spec=axes.spec(*layers, height=200),
        description="; ".join(
            f"{name}: " + ", ".join(f"{show(v)} at width {w}" for w, v in pairs)
            for name, pairs in series.items()
        ),
        keys=tuple(Key(label=name, style=styles[name]) for name in series if name in styles),
    )


def loss_chart(player: str, curves: Mapping[int, Sequence[tuple[int, float]]]) -> Chart:
    """Draw a player's loss against the step, one line a width."""
    styles = dict(zip(curves, ramp(len(curves)), strict=True))
    every = [point for points in curves.values() for point in points]
    axes = Axes(
        x=scale("Generator steps", [step for step, _ in every], log=False, pad=0.02),
        y=scale(f"Loss of the {player}", [value for _, value in every], log=False),
    )
    layers = [
        axes.line([{"x": step, "y": value} for step, value in points], styles[width], width=1.5)
        for width, points in curves.items()
    ]
    return Chart(
        title=f"Loss of the {player}",
        spec=axes.spec(*layers, height=240),
        description=f"Median over the seeds of {len(curves)} widths against the generator's steps.",
        keys=tuple(Key(label=f"width {w}", style=s, marks=("line",)) for w, s in styles.items()),
    )


def per_seed_layers(
    axes: Axes, triples: Sequence[tuple[int, int, float]], style: Style, name: str
) -> list[dict[str, Any]]:
    """Return the layers of one number a run: bars, the medians' line, one point a run."""
    rows = [{"x": w, "y": v, "width": w, "seed": str(s), "value": v} for w, s, v in triples]
    return _seeds_layers(axes, by_width(triples), rows, style, 1.0, name)


def _seeds_layers(
    axes: Axes,
    measured: Sequence[Level],
    rows: Sequence[Mapping[str, Any]],
    style: Style,
    aside: float,
    name: str,
) -> list[dict[str, Any]]:
    """Return the layers of a series over widths: bars, medians' line, one point a run."""
    bars = [{"x": m.width * aside, "low": m.low, "high": m.high} for m in measured if m.n > 1]
    line = [{"x": m.width * aside, "y": m.median} for m in measured]
    layers = [axes.intervals(bars, style)] if bars else []
    return [*layers, axes.line(line, style), axes.points(rows, style, tips=_tips(name))]


def _tips(name: str) -> dict[str, str]:
    return {"Width": "width", "Seed": "seed", name: "value"}


def _score_rows(scores: Sequence[Score], aside: float) -> list[dict[str, Any]]:
    return [
        {"x": s.width * aside, "y": s.value, "width": s.width, "seed": str(s.seed), "value": s.value}
        for s in scores
    ]


def _score_table(series: Mapping[str, Sequence[Score]], floors: Mapping[str, float | None]) -> Table:
    heads = ("Split", WIDTH, "Seeds", "Median", "Low", "High", "Values by seed", "Step", "n", "Floor")
    columns = tuple(
        Column(head, "left" if head in ("Split", "Values by seed", "n") else "right") for head in heads
    )
    rows = []
    for split, scores in series.items():
        for level in levels(scores):
            mine = [score for score in scores if score.width == level.width]
            values = " · ".join(f"{s.seed}: {format_number(s.value)}" for s in mine)
            steps = sorted({s.step for s in mine})
            step = steps[0] if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
            rows.append(
                (
                    split,
                    level.width,
                    level.n,
                    level.median,
                    level.low,
                    level.high,
                    values,
                    step,
                    size_of(mine),
                    floors[split],
                )
            )
    return Table(columns=columns, rows=tuple(rows))


def _floor_key(
    floor: float | None, values: Sequence[float], label: str = "real against real"
) -> tuple[list[Key], float | None]:
    """Return the floor's entry of the key, and the floor where it can be drawn.

    It cannot where it is more than a hundred times below all values, or not positive while they are: the axis
    would have to press the values together to reach it.
    """
    if floor is None:
        return [], None
    lowest = min(values)
    drawn = lowest <= 0 or floor >= lowest / 100
    text = f"{label}: {format_number(floor)}" + ("" if drawn else ", below the drawing")
    return [Key(label=text, style=FLOOR, marks=("line",))], floor if drawn else None


def _wide(pairs: Sequence[tuple[int, float]]) -> bool:
    """Return whether the values span so much that `scale` takes a logarithmic axis."""
    return max(value for _, value in pairs) > 8 * min(value for _, value in pairs)


def _aside(widths: Sequence[int], side: int) -> float:
    """Return the factor that sets a series a little aside on the logarithmic axis, so that train and test both show."""
    span = math.log(max(widths) / min(widths)) or 1.0
    return math.exp(side * 0.008 * span)
