"""The sentences of a sweep's report. They say what the seeds can tell apart and what they cannot."""

import math
from collections.abc import Sequence
from itertools import pairwise

from saddle.report.tables import format_list, format_number
from saddle.studies.width_sweep.law import POOR_FIT, Choice
from saddle.studies.width_sweep.summary import Level, about
from saddle.theory.power_law import PowerLaw

__all__ = ["bars", "direction", "headline", "law_words", "seeds_words", "separation", "trend"]


def headline(choice: Choice, metric: str, split: str) -> str:
    """Return the recommendation in one or two sentences."""
    if len(choice.widths) == 1:
        return (
            f"One width, {choice.width}, was trained, so no width can be recommended. "
            f"Its {split} {metric} is {format_number(choice.value)}."
        )
    kind = "predicted" if choice.by_law else "median"
    if choice.at_edge:
        return (
            f"Of the {len(choice.widths)} measured widths, {choice.widths[0]} to {choice.widths[-1]}, the widest is "
            f"recommended: no narrower one has a {kind} {split} {metric} within 5\u00a0% of its "
            f"{format_number(choice.value)}. {confidence(choice)}"
        )
    first = (
        f"Width {choice.width} is recommended: the smallest of the {len(choice.widths)} measured widths "
        f"({choice.widths[0]} to {choice.widths[-1]}) whose {kind} {split} {metric} is within 5\u00a0% of the best"
    )
    if choice.value > choice.best:
        first += f" ({format_number(choice.value)} against {format_number(choice.best)})"
    return f"{first}. {confidence(choice)}"


def confidence(choice: Choice) -> str:
    """Return how sure the seeds make the recommendation."""
    if choice.interval is None:
        return "With one seed a width there is no interval: another seed might choose another width."
    low, high = choice.interval
    share = round(100 * (choice.agreement or 0))
    if low == high:
        return f"{share}\u00a0% of 1,000 resamples of the seeds choose it too."
    return f"Resampling the seeds, 95\u00a0% of the choices lie between {low} and {high} ({share}\u00a0% are {choice.width})."


def edge(choice: Choice, wider: Sequence[int] = ()) -> str | None:
    """Return the warning that the best width may lie beyond those compared, where it may.

    `wider` are widths of the sweep above the recommended one that have no run to compare.
    """
    if not choice.at_edge:
        return None
    advice = f"Add a width above {choice.width} to find out."
    if wider:
        advice = f"Width {format_list(wider)} has no run to compare yet."
    return (
        "The recommended width is the widest that could be compared. A wider model may be better still; this sweep "
        f"cannot say, and the report does not extrapolate. {advice}"
    )


def trend(measured: Sequence[Level], metric: str, split: str) -> str:
    """Return whether the narrowest and the widest width differ, and which way."""
    if len(measured) < 2:
        return f"Only width {measured[0].width} was measured." if measured else ""
    first, last = measured[0], measured[-1]
    falls = last.median < first.median
    better = _lower_is_better(metric) == falls
    numbers = (
        f"from {format_number(first.median)} at width {first.width} to {format_number(last.median)} "
        f"at width {last.width}"
    )
    subject = f"The median {split} {metric}"
    if min(first.n, last.n) < 2:
        verb = "falls" if falls else "rises"
        return f"{subject} {verb} {numbers}; with one seed that may be chance."
    if _overlap(first, last):
        return (
            f"{subject} goes {numbers}, but the seeds of the two overlap: this sweep does not show "
            "that width matters."
        )
    verb = "falls" if falls else "rises"
    # Under no difference every order of the seeds is as likely: two of C(n + m, n) keep the widths apart.
    chance = 2 / math.comb(first.n + last.n, first.n)
    what = "more width is better" if better else "more width is worse"
    hint = "" if chance <= 0.1 else "that hints that "
    sentence = (
        f"{subject} {verb} {numbers}, and no seed of one reaches a seed of the other: {hint}{what} "
        f"(were there no difference, {first.n} and {last.n} seeds would still come apart in "
        f"{format_number(100 * chance, 2)}\u00a0% of sweeps)."
    )
    best = (min if _lower_is_better(metric) else max)(measured, key=lambda level: level.median)
    if better and best is not last:
        sentence += f" The best median, {format_number(best.median)}, is that of width {best.width}."
    return sentence


def separation(measured: Sequence[Level]) -> str | None:
    """Return which neighbouring widths cannot be told apart, or that all can."""
    if len(measured) < 2 or any(level.n < 2 for level in measured):
        return None
    pairs = list(pairwise(measured))
    same = [f"{a.width} and {b.width}" for a, b in pairs if _overlap(a, b)]
    if not same:
        return "The seeds of neighbouring widths do not overlap."
    if len(same) == 1:
        return f"Widths {same[0]} cannot be told apart: their seeds overlap."
    return f"These neighbours cannot be told apart, because their seeds overlap: {'; '.join(same)}."


def bars(measured: Sequence[Level]) -> str:
    """Return what the bars of a chart are."""
    counts = sorted({level.n for level in measured})
    if not counts or counts[-1] < 2:
        return "Points: runs. One seed a width, so there are no intervals."
    shares = sorted({round(100 * level.coverage, 1) for level in measured if level.n > 1})
    share = " or ".join(f"{each:g}\u00a0%" for each in shares)
    kind = "range of the seeds" if counts[-1] < 6 else "order-statistic interval"
    return (
        f"Points: runs. Line: median over the seeds ({format_list(counts)} per width). Bars: {kind}, which holds the "
        f"true median over seeds with probability {share}."
    )


def direction(metric: str) -> str:
    """Return which way a metric is better."""
    info = about(metric)
    return "" if info is None else f"{info.better} is better"


def law_words(choice: Choice) -> str:
    """Return what the fit says and how far it can be trusted."""
    law = choice.law
    if not isinstance(law, PowerLaw):
        return f"{law.reason} The recommended width rests on the measured medians instead."
    words = [
        f"With a = {format_number(law.a)}, b = {format_number(law.b)} and c = {format_number(law.c)} the law meets "
        f"the widths' means to {format_number(100 * law.error, 2)}\u00a0% (root mean square)."
    ]
    if law.a == 0:
        words.append("a = 0 is its limit: the values show no sign of levelling off.")
    if len(law.widths) == 3 and law.a > 0:
        words.append("Three widths determine three numbers, so the fit is not tested by anything.")
    if law.at_limit:
        words.append("c sits on the limit of the search: the values do not determine it.")
    if law.flat_share > 0.025:
        words.append(f"In {100 * law.flat_share:.0f}\u00a0% of the resamples the values do not fall at all.")
    if law.error > POOR_FIT:
        words.append("That is too far off to choose a width by, so the recommendation rests on the medians.")
    if law.draws is None:
        words.append("With one seed a width there are no intervals.")
    return " ".join(words)


def seeds_words(counts: Sequence[int]) -> str:
    """Return `3 seeds`, `1 seed` or `2 to 3 seeds`."""
    low, high = min(counts), max(counts)
    return f"{low} to {high} seeds" if low < high else f"{low} seed{'s' if low != 1 else ''}"


def _overlap(a: Level, b: Level) -> bool:
    return min(a.values) <= max(b.values) and min(b.values) <= max(a.values)


def _lower_is_better(metric: str) -> bool:
    info = about(metric)
    return info is None or info.better == "lower"
