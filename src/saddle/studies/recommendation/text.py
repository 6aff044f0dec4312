"""A recommendation as a terminal shows it."""

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from saddle.report.tables import format_number
from saddle.studies.recommendation import wording
from saddle.studies.recommendation.answer import Answer, Candidate

__all__ = ["as_text"]


def as_text(answer: Answer, *, width: int = 112) -> str:
    """The sentence, the table of candidates, and what the numbers rest on."""
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, color_system=None)
    console.print(wording.headline(answer))
    for sentence in wording.warnings(answer):
        console.print(f"Warning: {sentence}")
    console.print(_table(answer))
    for sentence in (
        wording.rule(answer),
        wording.law_words(answer),
        wording.held_out_words(answer),
        wording.cost_words(answer),
        wording.failure_words(answer),
    ):
        console.print(sentence)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).replace("\u00a0", " ")


def _table(answer: Answer) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    heads = ("", "width", "mean (runs)", "predicted", "95 % of the mean", "95 % of a new run", "failed")
    last = () if answer.decision.budget is None else ("bought",)
    for head in (*heads, wording.UNITS[answer.of], *last):
        table.add_column(head, justify="right")
    for each in answer.candidates:
        table.add_row(*_row(answer, each))
    return table


def _row(answer: Answer, each: Candidate) -> tuple[str, ...]:
    measured = "–" if each.level is None else f"{format_number(each.value)} ({each.level.n})"
    failures = (
        "–"
        if each.failures is None
        else f"{each.failures.failed + each.failures.collapsed} of {each.failures.runs}"
    )
    cost = f"{format_number(each.cost.value)} ({format_number(each.cost.low, 2)}–{format_number(each.cost.high, 2)})"
    mark = "→" if each.width == answer.decision.width else " "
    last = () if answer.decision.budget is None else ("yes" if each.bought else "no",)
    sign = "" if each.cost.measured else "~"
    return (
        mark,
        str(each.width),
        measured,
        format_number(each.predicted),
        interval(each.mean),
        interval(each.run),
        failures,
        f"{sign}{cost}",
        *last,
    )


def interval(ends: tuple[float, float] | None) -> str:
    """Return `low to high`."""
    return "–" if ends is None else f"{format_number(ends[0])} to {format_number(ends[1])}"
