"""Does the law foresee? Fit it to the smaller widths, and hold the largest to what it said."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.errors import UserError
from saddle.studies.recommendation.forecast import Forecast, forecast
from saddle.theory.power_law import Number, Undetermined, Values

__all__ = ["HeldOut", "held_out_check"]


@final
@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The largest width, foretold by the smaller ones."""

    width: float
    fitted: tuple[float, ...]
    "The smaller widths that the law was fitted to."
    predicted: float
    observed: float
    "Mean of the runs at the width."
    values: tuple[float, ...]
    relative_error: float
    "(predicted − observed) / observed."
    interval: tuple[float, float] | None
    "95 % prediction interval of the mean of as many new runs as there are; None with one seed a width."
    interval_of_a_run: tuple[float, float] | None
    "95 % prediction interval of one new run."

    @property
    def inside(self) -> bool | None:
        """Return whether `observed` lies in `interval`; None where there is none."""
        return None if self.interval is None else self.interval[0] <= self.observed <= self.interval[1]

    @property
    def runs_inside(self) -> int | None:
        """Return how many of `values` lie in the interval of one run."""
        if self.interval_of_a_run is None:
            return None
        low, high = self.interval_of_a_run
        return sum(low <= value <= high for value in self.values)

    def __str__(self) -> str:
        """Return the check as a sentence."""
        words = (
            f"From widths {', '.join(f'{k:g}' for k in self.fitted)} the law foretells {self.predicted:.4g} at width "
            f"{self.width:g}; {len(self.values)} runs gave {self.observed:.4g} on average: an error of "
            f"{100 * self.relative_error:+.1f}\u00a0%"
        )
        if self.interval is None:
            return f"{words} (one seed a width: no interval)."
        low, high = self.interval
        where = "inside" if self.inside else "outside"
        return f"{words}, {where} the 95\u00a0% prediction interval {low:.4g} to {high:.4g}."


def held_out_check(width: Values, value: Values, *, seeds: Values | None = None) -> HeldOut | Undetermined:
    """Fit a + b·k^(−c) to all widths but the largest, and compare its prediction there with the runs.

    Args:
        width: k of every run.
        value: its distance; values that are not finite are left out.
        seeds: the seed of every run.

    Returns:
        `Undetermined`, with a sentence, where fewer than four widths have a finite value, or where the smaller
        widths decide no law (see `forecast`).

    Raises:
        UserError: see `saddle.theory.fit_power_law`.
    """
    k, y = np.asarray(width, dtype=float), np.asarray(value, dtype=float)
    if k.shape != y.shape or k.ndim != 1:
        raise UserError(
            f"A check needs one value a width, but there are {k.size} widths and {y.size} values."
        )
    good = np.isfinite(y)
    widths = np.unique(k[good])
    if len(widths) < 4:
        return Undetermined(
            reason=f"Holding the largest width out needs at least 4 widths with a finite value; there are {len(widths)}.",
            dropped=int(np.sum(~good)),
        )
    largest = float(widths[-1])
    small, held = good & (k < largest), good & (k == largest)
    labels = None if seeds is None else np.asarray(seeds)[small]
    found = forecast(k[small], y[small], seeds=labels)
    if not isinstance(found, Forecast):
        return Undetermined(reason=f"Without width {largest:g}: {found.reason}", dropped=found.dropped)
    observed, predicted = float(y[held].mean()), float(found.law(largest))
    return HeldOut(
        width=largest,
        fitted=found.law.widths,
        predicted=predicted,
        observed=observed,
        values=tuple(y[held].tolist()),
        relative_error=(predicted - observed) / observed,
        interval=_pair(found, largest, int(held.sum())),
        interval_of_a_run=_pair(found, largest, 1),
    )


def _pair(found: Forecast, width: Number, count: int) -> tuple[float, float] | None:
    ends = found.runs([width], count=count)
    return None if ends is None else (float(ends[0, 0]), float(ends[1, 0]))
