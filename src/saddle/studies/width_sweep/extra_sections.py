"""The sections of a sweep's report that `--nnd` and `--diagnose` add."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from saddle.report.blocks import Details, Paragraph
from saddle.report.charts import GREEN, GREY, Axes, Chart, Key, Style, scale
from saddle.report.tables import Badge, Column, Table, format_list, format_number
from saddle.studies.width_sweep import figures, wording
from saddle.studies.width_sweep.extras import Extras
from saddle.studies.width_sweep.facts import Blocks
from saddle.studies.width_sweep.reading import Sweep
from saddle.studies.width_sweep.summary import by_width

__all__ = ["diagnosis", "divergence", "divergence_chart", "findings_table"]

MEMORISED = Style(colour="var(--c2)", dash=(7, 3))
HELD_OUT = Style(colour=GREY, dash=(2, 3))
MARKS: Mapping[str, Any] = {"serious": "bad", "warning": "bad", "fine": "good"}


def divergence(extras: Extras) -> Blocks:
    """The neural network divergence against width, beside a generator that memorised and the held-out images."""
    return [
        Paragraph(
            "The neural network divergence is what a small critic, trained anew for each generator, can tell apart from the "
            "held-out images: lower is better. Unlike a Fréchet distance to the training images it does not reward a copy: a "
            "generator that draws the training images themselves is the dashed line. A GAN above that line generalises worse "
            "than a copy would. A generator that draws the very held-out images that its critic is trained on cannot be told "
            "apart: its divergence is at most 0 on average by construction, and shows what the critic makes of nothing to learn."
        ),
        divergence_chart(extras),
    ]


def divergence_chart(extras: Extras) -> Chart:
    """Every run, medians and intervals, and the reference lines."""
    name = extras.protocol or "NND"
    triples = [(width, seed, value) for (width, seed), value in sorted(extras.tables["nnd"].items())]
    lines = {name: statistics.median(found.values()) for name, found in extras.references.items() if found}
    measured = by_width(triples)
    axes = Axes(
        x=figures.width_axis([level.width for level in measured]),
        y=scale(f"{name} (lower is better)", [*(value for *_, value in triples), *lines.values()], zero=True),
    )
    layers, keys = [], [Key(label="GAN, one point a run", style=figures.TEST)]
    styles = {"memorised": MEMORISED, "held-out": HELD_OUT}
    words = {
        "memorised": "draws the training images",
        "held-out": "draws the held-out images themselves (0 or less by construction, but for the draw)",
    }
    for each, level in lines.items():
        style = styles.get(each, Style(colour=GREEN, dash=(1, 3)))
        layers.append(axes.level(level, style))
        n = len(extras.references[each])
        label = f"{words.get(each, each)}: {format_number(level)} (median of {n} critics)"
        keys.append(Key(label=label, style=style, marks=("line",)))
    layers += figures.per_seed_layers(axes, triples, figures.TEST, name)
    heads = ("Width\u00a0k", "Seeds", "Median", "Lowest", "Highest")
    return Chart(
        title=f"{name} against width",
        spec=axes.spec(*layers, height=300),
        description=f"{name}: "
        + ", ".join(f"{format_number(m.median)} at width {m.width}" for m in measured),
        keys=tuple(keys),
        note=wording.bars(measured),
        table=Table(
            columns=tuple(Column(head) for head in heads),
            rows=tuple((m.width, m.n, m.median, min(m.values), max(m.values)) for m in measured),
        ),
    )


def diagnosis(sweep: Sweep, extras: Extras) -> Blocks:
    """What `--diagnose` found, or nothing where it was not asked."""
    if not extras.findings:
        return []
    blocks: Blocks = [*findings_table(sweep, extras)]
    return blocks


def findings_table(sweep: Sweep, extras: Extras) -> Blocks:
    """How many runs of each width have each finding, and the sentences of those that were found."""
    runs = [run for run in sweep.runs if run.key in extras.findings]
    kinds = list({str(f.get("kind")): None for run in runs for f in extras.findings[run.key]})
    widths = sorted({run.width for run in runs if run.width is not None})
    rows = []
    for kind in kinds:
        cells: list[Any] = []
        for width in widths:
            mine = [_severity(extras.findings[run.key], kind) for run in runs if run.width == width]
            count = sum(each in ("serious", "warning") for each in mine)
            decided = sum(each in MARKS for each in mine)
            text = "–" if not decided else f"{count} of {decided}"
            cells.append(Badge(text, "bad" if count else "neutral"))
        rows.append((kind, *cells))
    table = Table(
        columns=(Column("Finding", "left"), *(Column(f"Width {width}") for width in widths)),
        rows=tuple(rows),
        caption="Runs in which each was found",
    )
    found = [
        (run.width, run.seed, f.get("title"), str(f.get("severity")), _sentence(f))
        for run in runs
        for f in extras.findings[run.key]
        if f.get("severity") in ("serious", "warning")
    ]
    if not found:
        words = f"Nothing was found in {len(runs)} runs. Each was looked at for {format_list(kinds)}."
        return [Paragraph(words), table]
    heads = ("Width\u00a0k", "Seed", "Finding", "How bad", "What it means, and what to do")
    listed = Table(
        columns=tuple(
            Column(head, "right" if i < 2 else "left", wide=i == 4) for i, head in enumerate(heads)
        ),
        rows=tuple(
            (width, seed, str(title), Badge(severity, MARKS[severity]), sentence)
            for width, seed, title, severity, sentence in found
        ),
    )
    summary = f"{len(found)} findings in {len({row[:2] for row in found})} of {len(runs)} runs"
    return [
        Paragraph(f"{summary}. A dash: the numbers that it takes are not there."),
        table,
        Details(summary, (listed,)),
    ]


def _severity(found: Sequence[Mapping[str, Any]], kind: str) -> str:
    return next((str(f.get("severity")) for f in found if f.get("kind") == kind), "not decidable")


def _sentence(found: Mapping[str, Any]) -> str:
    return " ".join(str(found.get(part) or "") for part in ("sentence", "next_step")).strip()
