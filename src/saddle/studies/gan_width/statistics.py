"""From one value a (width, seed) to a number with its interval over the seeds.

Runs of one seed share batches and latents across the widths, so widths are compared seed by seed, and the interval is
Student's over the seeds' differences (of logarithms where the number is a ratio). Shares of yes and no are Wilson's.
Values that are equal at every seed decide nothing: a spread of 0 there is the instrument's, not the seeds'.
"""

import math
from collections.abc import Container, Iterable, Sequence
from typing import Literal

import numpy as np

from saddle.core import Measured
from saddle.studies.gan_width.measures import Table

__all__ = ["NOTHING", "mean", "opened", "paired", "per_doubling", "share", "values_at"]

NOTHING = Measured(value=math.nan, interval=(-math.inf, math.inf), n=0, kind="not measured")


def values_at(table: Table, width: int) -> dict[int, float]:
    """Seed → the finite value at `width`."""
    return {seed: value for (k, seed), value in table.items() if k == width and math.isfinite(value)}


def paired(table: Table, one: int, other: int, kind: Literal["ratio", "difference"]) -> Measured:
    """value(one) / value(other), geometric mean over the seeds that have both; or the mean difference."""
    first, second = values_at(table, one), values_at(table, other)
    seeds = sorted(first.keys() & second.keys())
    if kind == "difference":
        return mean([first[s] - second[s] for s in seeds], "mean difference, paired by seed (Student)")
    if any(min(first[s], second[s]) <= 0 for s in seeds):
        return NOTHING
    return _exp(mean([math.log(first[s] / second[s]) for s in seeds], ""), "ratio")


def per_doubling(table: Table, widths: Sequence[int], kind: Literal["factor", "slope"]) -> Measured:
    """What one doubling of the width does: a seed's least-squares slope on log₂ k, of ln(value) for a factor.

    Seeds that lack a width, or a finite value there, are left out.
    """
    rows = []
    for seed in sorted({seed for _, seed in table}):
        row = [table.get((width, seed), math.nan) for width in widths]
        if all(math.isfinite(value) and (kind == "slope" or value > 0) for value in row):
            rows.append(row)
    if len(widths) < 2 or not rows:
        return NOTHING
    values = np.array(rows)
    x = np.log2(np.array(widths, dtype=float))
    x -= x.mean()
    y = np.log(values) if kind == "factor" else values
    # Less the first, which changes no slope: a row of equal values has exactly 0.
    slopes = (y - y[:, :1]) @ x / (x @ x)
    if kind == "slope":
        return mean(slopes.tolist(), "mean slope per doubling of k (Student over seeds)")
    return _exp(mean(slopes.tolist(), ""), "factor per doubling of k")


def opened(measured: Measured, widths: Sequence[int], early: Container[int]) -> Measured:
    """A factor per doubling of steps, some of which at the widths `early` are upper bounds of the true ones.

    The slope rises with the steps of widths above the mean of log₂ k and falls with the others', so that bounds at
    wider ones open the interval below, and at narrower ones above.
    """
    logs = [math.log2(width) for width in widths]
    middle = sum(logs) / len(logs)
    low = any(width in early and log > middle for width, log in zip(widths, logs, strict=True))
    high = any(width in early and log < middle for width, log in zip(widths, logs, strict=True))
    ends = (0.0 if low else measured.interval[0], math.inf if high else measured.interval[1])
    return Measured(value=measured.value, interval=ends, n=measured.n, kind=measured.kind)


def share(answers: Iterable[bool]) -> Measured:
    """How many say yes; nothing measured where nobody was asked."""
    found = list(answers)
    return Measured.proportion(sum(found), len(found)) if found else NOTHING


def mean(values: Sequence[float], kind: str) -> Measured:
    """The mean with Student's interval; nothing of no value, and no interval where every value is exactly 0."""
    if not values:
        return NOTHING
    found = Measured.mean(values)
    ends = found.interval if any(values) else (-math.inf, math.inf)
    return Measured(value=found.value, interval=ends, n=found.n, kind=kind)


def _exp(logs: Measured, what: str) -> Measured:
    if logs.n == 0:
        return logs
    low, high = (math.inf if end > 700 else math.exp(end) for end in logs.interval)
    kind = f"{what}, geometric mean (Student on logarithms over seeds)"
    return Measured(value=math.exp(logs.value), interval=(low, high), n=logs.n, kind=kind)
