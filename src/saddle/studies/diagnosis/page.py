"""`diagnosis.html`: the findings with their pictures."""

from collections.abc import Sequence
from pathlib import Path

from saddle.gan.sampling import grid_png
from saddle.report import (
    Badge,
    Block,
    Column,
    Columns,
    Details,
    Page,
    Paragraph,
    Picture,
    Pictures,
    Table,
)
from saddle.studies.diagnosis.charts import curve_charts, eigenvalue_chart
from saddle.studies.diagnosis.finding import Finding, Severity
from saddle.studies.diagnosis.judge import KINDS, TITLES
from saddle.studies.diagnosis.runs import Diagnosed
from saddle.studies.diagnosis.text import SIGNS, numbers_line

__all__ = ["write_page"]

TONES = {
    Severity.SERIOUS: "bad",
    Severity.WARNING: "bad",
    Severity.FINE: "good",
    Severity.UNDECIDED: "neutral",
}
SHOWN = 12
"Runs of a sweep whose charts are on its page, those with the most findings first."


def write_page(runs: Sequence[Diagnosed], path: Path) -> Path:
    """Write the page of one run, or of all runs of a sweep, and return its path."""
    single = len(runs) == 1
    title = "What went wrong" if any(run.found for run in runs) else "Nothing wrong found"
    subtitle = f"{runs[0].folder.name}: {runs[0].label}" if single else f"{len(runs)} runs"
    page = Page(title, subtitle, kicker="Saddle · diagnosis", footer="Written by saddle diagnose.")
    if single:
        _add_run(page, runs[0])
        return page.write(path)
    page.add_section("Runs and findings", _table(runs), Paragraph(_legend(), "note"))
    ordered = sorted(runs, key=lambda run: -len(run.found))
    for run in ordered[:SHOWN]:
        page.add_section(
            run.label, *_findings(run), Details("Curves", tuple(curve_charts(run.examined.evidence)))
        )
    if len(ordered) > SHOWN:
        page.add_section(
            "The other runs", Paragraph(f"`saddle diagnose RUN` shows the other {len(ordered) - SHOWN} runs.")
        )
    return page.write(path)


def _add_run(page: Page, run: Diagnosed) -> None:
    exhibits, evidence = run.examined.exhibits, run.examined.evidence
    page.add_section("Findings", *_findings(run))
    charts = curve_charts(evidence)
    if charts:
        page.add_section("Over the steps", Columns(tuple(charts)))
    if exhibits.samples is not None and exhibits.real is not None:
        pictures = Pictures(
            pictures=(
                Picture(
                    png=grid_png(exhibits.samples),
                    caption=f"Samples at step {evidence.step:,}",
                    alt="Generated images",
                ),
                Picture(png=grid_png(exhibits.real), caption="Training images", alt="Training images"),
            )
        )
        page.add_section("Samples beside training images", pictures)
    if exhibits.pairs is not None:
        neighbours = Picture(
            png=grid_png(exhibits.pairs, columns=8),
            caption="Sample, nearest training image, sample, …",
            alt="Pairs of a sample and the training image nearest to it",
        )
        note = "The samples that lie nearest to a training image in pixels, each beside that image."
        page.add_section("Nearest training images", Pictures(pictures=(neighbours,)), Paragraph(note, "note"))
    if exhibits.eigenvalues is not None:
        page.add_section("The game's eigenvalues", eigenvalue_chart(exhibits.eigenvalues))


def _findings(run: Diagnosed) -> list[Block]:
    blocks: list[Block] = []
    for finding in run.found:
        blocks += [
            Paragraph(f"{finding.title}. {finding.sentence}", "warning"),
            Paragraph(f"Next: {finding.next_step}"),
        ]
    if not blocks:
        blocks.append(Paragraph("Nothing wrong found. What was looked at:", "lead"))
    columns = (
        Column("Finding", "left"),
        Column("Verdict", "left"),
        Column("What was looked at", "left", wide=True),
        Column("Numbers", "left", wide=True),
    )
    rows = tuple(
        (finding.title, _badge(finding), finding.sentence, numbers_line(finding.evidence))
        for finding in run.findings
    )
    return [*blocks, Table(columns=columns, rows=rows, caption="Every finding")]


def _table(runs: Sequence[Diagnosed]) -> Table:
    columns = (Column("Run", "left"), *(Column(TITLES[kind], "left") for kind in KINDS))
    rows = []
    for run in runs:
        by_kind = {finding.kind: finding for finding in run.findings}
        rows.append((run.label, *(Badge(SIGNS[by_kind[k].severity], _badge(by_kind[k]).tone) for k in KINDS)))
    return Table(columns=columns, rows=tuple(rows), caption="Runs and findings")


def _badge(finding: Finding) -> Badge:
    return Badge(f"{SIGNS[finding.severity]} {finding.severity}", TONES[finding.severity])  # type: ignore[arg-type]


def _legend() -> str:
    return ", ".join(f"{sign} {severity}" for severity, sign in SIGNS.items()) + "."
