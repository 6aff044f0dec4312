"""The page of one study, and the page of several."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from saddle.report import Block, Code, Column, Details, KeyFigure, KeyFigures, Page, Paragraph, Table
from saddle.report.tables import format_seconds
from saddle.studies.carry_out import Finished
from saddle.studies.cell import Section
from saddle.studies.claims_file import claims_table, verdict_counts

__all__ = ["build_page", "build_together"]

RULE = (
    "A claim is supported when the interval of what was measured lies inside what was predicted, refuted when it lies "
    "wholly outside, and undecided otherwise. The word behind a source says how the prediction is known: stated there, "
    "recalled, derived here, or measured before."
)


def build_page(finished: Finished) -> Path:
    """Write `report.html` into a study's folder, and return its path."""
    study = finished.study
    page = Page(
        study.title, study.summary, kicker=f"Saddle · study {study.name}", footer=_footer()
    )  # fmt: skip
    for section in _sections(finished):
        page.add_section(section.heading, *section.blocks)
    return page.write(finished.out / "report.html")


def build_together(studies: Sequence[Finished], path: Path) -> Path:
    """Write one page of several studies, and return its path."""
    page = Page(
        "Min-max theory, re-measured",
        "Every claim with its source, what it predicts and what was measured",
        kicker=f"Saddle · {len(studies)} stud{'ies' if len(studies) > 1 else 'y'}",
        footer=_footer(),
    )
    columns = (Column("Study", "left"), *(Column(head) for head in ("Claims", *verdict_counts(()))))
    rows = tuple(
        (each.study.name, len(each.claims), *verdict_counts(each.claims).values()) for each in studies
    )
    page.add_section("In short", Table(columns=columns, rows=rows, caption="Claims by study"))
    for each in studies:
        page.add_part(each.study.title, each.study.summary)
        for section in _sections(each):
            page.add_section(section.heading, *section.blocks)
    return page.write(path)


def _sections(finished: Finished) -> list[Section]:
    own = finished.study.part("page").sections(finished.config, finished.results, finished.claims)
    return [
        Section("In short", _short(finished)),
        *own,
        Section("All claims", (claims_table(finished.claims), Paragraph(RULE, "note"))),
        Section("Settings and versions", _settings(finished)),
    ]


def _short(finished: Finished) -> tuple[Block, ...]:
    """How many claims of each verdict, and those that are not supported."""
    counts = verdict_counts(finished.claims)
    figures = KeyFigures(
        tuple(
            KeyFigure(label=f"claims {verdict}", value=str(count), note=f"of {len(finished.claims)}")
            for verdict, count in counts.items()
        )
    )
    doubtful = [claim for claim in finished.claims if claim.verdict != "supported"]
    if not doubtful:
        return (figures, Paragraph("Every claim is supported; all of them stand below the figures.", "note"))
    return (
        figures,
        claims_table(doubtful, "Claims that are not supported"),
        Paragraph("The others stand below the figures.", "note"),
    )


def _settings(finished: Finished) -> tuple[Block, ...]:
    if finished.study.own_options:
        return finished.study.part("page").settings(finished.config, finished.results)
    results = [folder.result() or {} for folder in finished.folders]
    seconds = sum(float(result.get("seconds") or 0) for result in results)
    made = results[0].get("environment") or {}
    where = f"{made.get('cpu')}, saddle {made.get('saddle')}, torch {made.get('torch')}, Python {made.get('python')}"
    return (
        Paragraph(
            f"{len(results)} cells took {format_seconds(seconds)} of processor time on: {where}.", "note"
        ),
        Details("Settings", (Code.from_json(asdict(finished.config), "Settings"),)),
    )


def _footer() -> str:
    try:
        release = version("saddle-minmax")
    except PackageNotFoundError:
        release = "from source"
    return f"Made by Saddle {release}. This page is one file and asks the network for nothing."
