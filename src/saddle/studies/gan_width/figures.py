"""The charts of the study's page that a sweep's report has not."""

import math
import statistics
from collections.abc import Mapping, Sequence

from saddle.report import Chart, Column, Key, Table, format_number
from saddle.report.charts import BLUE, GREEN, ORANGE, PURPLE, Axes, Style, scale
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.gan_width.measures import Table as Values
from saddle.studies.width_sweep import figures, wording
from saddle.studies.width_sweep.summary import by_width

__all__ = ["measure_chart", "sides_chart", "triples"]

SIDES = {
    "both": Style(colour=BLUE, shape="circle"),
    "generator": Style(colour=GREEN, shape="diamond", dash=(7, 3)),
    "discriminator": Style(colour=PURPLE, shape="square", hollow=True, dash=(2, 2)),
}
WORDS = {"both": "both networks", "generator": "generator alone", "discriminator": "discriminator alone"}


def triples(table: Values) -> list[tuple[int, int, float]]:
    """(width, seed, value) of what is finite."""
    return [(width, seed, value) for (width, seed), value in sorted(table.items()) if math.isfinite(value)]


def measure_chart(
    title: str, axis: str, table: Values, *, zero_line: bool = False, height: int = 240
) -> Chart | None:
    """One measure against width, all runs; None where nothing is finite."""
    points = triples(table)
    if not points:
        return None
    return figures.per_width_chart(title, axis, points, zero_line=zero_line, height=height)


def sides_chart(results: Mapping[str, Evidence]) -> Chart:
    """The test distance against the width that is swept, one series a side."""
    first = next(iter(results.values()))
    every = [value for each in results.values() for *_, value in triples(each.tables["test"])]
    widths = sorted({width for each in results.values() for width in each.widths})
    axes = Axes(
        x=figures.width_axis(widths),
        y=scale(f"{first.facts.split.capitalize()} {first.metric} (lower is better)", every),
    )
    layers, keys, rows = [], [], []
    for side, evidence in results.items():
        points = triples(evidence.tables["test"])
        layers += figures.per_seed_layers(axes, points, SIDES[side], first.metric)
        keys.append(Key(label=WORDS[side], style=SIDES[side]))
        rows += [
            (WORDS[side], level.width, level.n, level.median, min(level.values), max(level.values))
            for level in by_width(points)
        ]
    heads = ("Wider", "Width\u00a0k", "Seeds", "Median", "Lowest", "Highest")
    return Chart(
        title=f"{first.metric} against the width of one network or of both",
        spec=axes.spec(*layers, height=340),
        description="; ".join(
            f"{WORDS[side]}: "
            + ", ".join(
                f"{format_number(level.median)} at width {level.width}"
                for level in by_width(triples(each.tables["test"]))
            )
            for side, each in results.items()
        ),
        keys=tuple(keys),
        note=wording.bars(by_width(triples(first.tables["test"]))),
        table=Table(
            columns=tuple(Column(head, "left" if i == 0 else "right") for i, head in enumerate(heads)),
            rows=tuple(rows),
        ),
    )


def probe_chart(title: str, axis: str, series: Mapping[str, Values]) -> Chart | None:
    """Some probes of the end of training against width: medians over the seeds, one line a probe."""
    styles = (
        Style(colour=BLUE, shape="circle"),
        Style(colour=ORANGE, shape="square", hollow=True, dash=(6, 3)),
        Style(colour=GREEN, shape="diamond", dash=(2, 2)),
    )
    shown = {name: triples(table) for name, table in series.items() if triples(table)}
    if not shown:
        return None
    every: Sequence[float] = [value for points in shown.values() for *_, value in points]
    axes = Axes(
        x=figures.width_axis(sorted({width for points in shown.values() for width, *_ in points})),
        y=scale(axis, every),
    )
    layers, keys, rows = [], [], []
    for (name, points), style in zip(shown.items(), styles, strict=False):
        layers += figures.per_seed_layers(axes, points, style, name)
        keys.append(Key(label=name, style=style))
        rows += [(name, level.width, level.n, statistics.median(level.values)) for level in by_width(points)]
    return Chart(
        title=title,
        spec=axes.spec(*layers, height=220),
        description=", ".join(f"{name}: {format_number(value)} at width {k}" for name, k, _, value in rows),
        keys=tuple(keys),
        table=Table(
            columns=tuple(
                Column(head, "left" if head == "Probe" else "right")
                for head in ("Probe", "Width\u00a0k", "Seeds", "Median")
            ),
            rows=tuple(rows),
        ),
    )
