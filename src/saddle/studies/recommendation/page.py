"""`recommendation.html`: the answer, the picture of distance against cost, and what it rests on."""

from pathlib import Path

from saddle.report.blocks import Block, Code, Details, KeyFigure, KeyFigures, Paragraph
from saddle.report.page import Page
from saddle.report.tables import format_bytes, format_list, format_number
from saddle.runs.textfiles import explained
from saddle.studies.recommendation import figures, wording
from saddle.studies.recommendation.answer import Answer
from saddle.studies.recommendation.text import interval

__all__ = ["build_page", "page_of"]


def build_page(answer: Answer) -> Path:
    """Write `recommendation.html` into the sweep's folder and return its path."""
    path = answer.evidence.folder / "recommendation.html"
    with explained("write", path):
        return page_of(answer).write(path)


def page_of(answer: Answer) -> Page:
    """Return the page of a recommendation."""
    evidence = answer.evidence
    page = Page(
        f"Which width to use on {evidence.name}?",
        f"By the {evidence.split} {evidence.metric} of widths {format_list(evidence.widths)}, "
        f"and costs measured on this machine",
        kicker="Saddle · recommendation",
        footer="Made by Saddle. This page is one file and asks the network for nothing.",
    )
    short: list[Block] = [Paragraph(wording.headline(answer), "lead")]
    short += [Paragraph(text, "warning") for text in wording.warnings(answer)]
    page.add_section("In short", *short, KeyFigures(tuple(_key_figures(answer))))
    page.add_section(
        "Distance against cost",
        Paragraph(wording.rule(answer)),
        figures.pareto_chart(answer),
        Paragraph(wording.failure_words(answer), "note"),
    )
    law = figures.law_chart(answer)
    blocks: list[Block] = [Paragraph(wording.law_words(answer)), *([] if law is None else [law])]
    page.add_section(
        "What other widths would give", *blocks, Paragraph(wording.held_out_words(answer)), _caveat()
    )
    page.add_section(
        "What a width costs",
        Paragraph(wording.cost_words(answer)),
        figures.cost_chart(answer),
        Details("Where it was measured", (Code.from_json(answer.costs.conditions, "conditions"),)),
    )
    return page


def _caveat() -> Paragraph:
    return Paragraph(
        "The intervals know the spread of the seeds. They hold if the law does, which the held-out check tries, and for runs "
        "like these: the same images, steps and settings.",
        "note",
    )


def _key_figures(answer: Answer) -> list[KeyFigure]:
    made, chosen = answer.decision, answer.chosen
    low_high = (
        ""
        if made.interval is None
        else f"95\u00a0% of the resamples: {made.interval[0]} to {made.interval[1]}"
    )
    found = [KeyFigure(label="Recommended width", value=str(made.width), note=low_high)]
    if made.wide_enough is not None:
        found.append(
            KeyFigure(
                label="Wide enough, with probability",
                value=f"{100 * made.wide_enough:.0f}\u00a0%",
                note=f"this very width: {100 * (made.agreement or 0):.0f}\u00a0%",
            )
        )
    note = "" if chosen.run is None else f"one new run: {interval(chosen.run)} (95\u00a0%)"
    found.append(
        KeyFigure(
            label=f"{answer.evidence.metric}, {'predicted' if made.by_law else 'median'}",
            value=format_number(made.value),
            note=note,
        )
    )
    cost = chosen.cost
    how = "measured" if cost.measured else "by the cost curve"
    memory = "" if chosen.memory is None else f", {format_bytes(chosen.memory)} at its peak"
    found.append(
        KeyFigure(
            label=f"Cost, {wording.UNITS[answer.of]}",
            value=format_number(cost.value),
            note=f"{how}, {interval((cost.low, cost.high))}{memory}",
        )
    )
    return found
