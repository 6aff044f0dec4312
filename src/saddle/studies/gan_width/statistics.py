"""From one value a (width, seed) to a number with its interval over the seeds.

Runs of one seed share batches and latents across the widths, so widths are compared seed by seed, and the interval is
Student's over the seeds' differences (of logarithms where the number is a ratio). Shares of yes and no are Wilson's.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from saddle.core import Measured
from saddle.studies.gan_width.measures import Table

__all__ = ["NOTHING", "paired", "per_doubling", "share", "values_at"]

NOTHING = Measured(value=math.nan, interval=(-math.inf, math.inf), n=0, kind="not measured")


def values_at(table: Table, width: int) -> dict[int, float]:
    """Seed → the finite value at `width`."""
    return {seed: value for (k, seed), value in table.items() if k == width and math.isfinite(value)}


def paired(table: Table, one: int, other: int, kind: Literal["ratio", "difference"]) -> Measured:
    """value(one) / value(other), geometric mean over the seeds that have both; or the mean difference."""
    first, second = values_at(table, one), values_at(table, other)
    seeds = sorted(first.keys() & second.keys())
    if kind == "difference":
        return _mean([first[s] - second[s] for s in seeds], "mean difference, paired by seed (Student)")
    if any(min(first[s], second[s]) <= 0 for s in seeds):
        return NOTHING
    return _exp(_mean([math.log(first[s] / second[s]) for s in seeds], ""), "ratio")


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
    slopes = (np.log(values) if kind == "factor" else values) @ x / (x @ x)
    if kind == "slope":
        return _mean(slopes.tolist(), "mean slope per doubling of k (Student over seeds)")
    return _exp(_mean(slopes.tolist(), ""), "factor per doubling of k")


def share(answers: Iterable[bool]) -> Measured:
    """How many say yes; nothing measured where nobody was asked."""
    found = list(answers)
    return Measured.proportion(sum(found), len(found)) if found else NOTHING


def _mean(values: Sequence[float], kind: str) -> Measured:
    if not values:
        return NOTHING
    mean = Measured.mean(values)
    return Measured(value=mean.value, interval=mean.interval, n=mean.n, kind=kind)


def _exp(mean: Measured, what: str) -> Measured:
    if mean.n == 0:
        return mean
    low, high = (math.exp(min(end, 700.0)) for end in mean.interval)
    kind = f"{what}, geometric mean (Student on logarithms over seeds)"
    return Measured(value=math.exp(mean.value), interval=(low, high), n=mean.n, kind=kind)
