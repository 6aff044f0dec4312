"""The decision rule, and how sure the seeds make it.

**With a budget** the recommended width is the smallest one whose predicted distance is at most (1 + t) times the best
predicted distance among the widths that the budget buys; t = 5 % unless said otherwise. **Without**, the smallest
one whose predicted distance is at most (1 + t) times the limit a of the law a + b·k^(−c). Where no candidate comes
so near to the limit, the largest candidate is named, and that it is not enough.

Candidates are the measured widths and unmeasured ones up to `REACH` times the largest. A width of which more than half
of the runs failed is none. Where there is no law, the measured widths are compared by their medians.

Every bootstrap resample of the seeds is a law, and so a choice; where the means lie farther from the law than the seeds
explain, each is off by that misfit as well, at every width and in the limit. They give the interval (95 % of the choices), how
many choose the very width, and the probability that the width is wide enough: the share in which its own distance
is within t of that resample's best. Costs vary too: by their measured interval where the width was measured, by the
cost curve's held-out error where not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from saddle.errors import UserError
from saddle.report.tables import format_number
from saddle.studies.recommendation.cost_model import Cost
from saddle.studies.recommendation.forecast import Forecast
from saddle.studies.width_sweep.summary import Level
from saddle.theory.power_law import Number

__all__ = ["REACH", "Decision", "candidates_of", "check_request", "decide"]

REACH = 4
"Beyond so many times the largest measured width nothing is recommended."
RESAMPLES = 1000


@final
@dataclass(frozen=True, kw_only=True)
class Decision:
    """The recommended width."""

    width: int
    value: float
    "Its distance: predicted by the law, or the measured median."
    best: float
    "What `value` was compared with: the best among the widths bought, or the law's limit."
    by_law: bool
    tolerance: float
    budget: float | None
    enough: bool
    "Whether it is within the tolerance of `best`; false only where no candidate is."
    interval: tuple[int, int] | None
    "Holds 95 % of the resamples' choices; None with one seed a width."
    agreement: float | None
    "Share of the resamples that choose this very width."
    wide_enough: float | None
    "Share of the resamples in which this width is within the tolerance of their best."
    over_budget: float | None
    "Probability that its cost is above the budget, by the cost's own interval; None without a budget."
    ratio: float
    "Width over the largest measured one: above 1 it is an extrapolation."
    bought: tuple[int, ...]
    "The candidates within the budget; all without one."


def candidates_of(measured: Sequence[int], asked: Sequence[int] = ()) -> tuple[int, ...]:
    """Return the measured widths, and `asked` ones or else 2ⁿ and 3·2ⁿ from the smallest to `REACH` times the largest.

    Raises:
        UserError: an asked width lies below the measured ones or beyond the reach.
    """
    low, high = min(measured), REACH * max(measured)
    wrong = [width for width in asked if not low <= width <= high]
    if wrong:
        raise UserError(
            f"--widths {wrong[0]} lies too far from the measured widths {low} to {max(measured)} to say anything of it; "
            f"ask for widths from {low} to {high}, or train it."
        )
    grid = asked or [k for n in range(40) for k in (2**n, 3 * 2**n) if low <= k <= high]
    return tuple(sorted({*measured, *grid}))


def check_request(budget: Number | None, tolerance: Number) -> None:
    """Raise `UserError` unless the budget is positive and finite (or None) and 0 ≤ tolerance < 1."""
    if budget is not None and not 0 < budget < math.inf:
        raise UserError(f"The budget is {budget:g}; it must be a positive number of milliseconds.")
    if not 0 <= tolerance < 1:
        raise UserError(f"The tolerance is {tolerance:g}; it must be at least 0 and below 1 (0.05 is 5 %).")


def decide(
    found: Forecast | None,
    measured: Sequence[Level],
    candidates: Sequence[int],
    *,
    costs: Mapping[int, Cost] | None = None,
    budget: Number | None = None,
    tolerance: Number = 0.05,
) -> Decision:
    """Choose among `candidates` by the module's rule; without a law (`found` None), among the measured ones.

    Raises:
        UserError: no candidate is within the budget; what `check_request` refuses.
    """
    check_request(budget, tolerance)
    levels = {level.width: level for level in measured}
    widths = [k for k in candidates if found is not None or k in levels]
    assert widths, "there are measured widths among the candidates"
    if found is not None:
        values, curves, limits = found.law(widths), found.curves([*widths, np.inf]), None
        limit = None if budget is not None else found.law.a
        if curves is not None:
            curves, limits = curves[:, :-1], None if budget is not None else curves[:, -1]
    else:
        values = np.array([levels[k].median for k in widths])
        curves, limit, limits = _resampled_medians([levels[k] for k in widths]), None, None
    price = None if costs is None else np.array([costs[k].value for k in widths])
    bought = np.ones(len(widths), bool) if budget is None or price is None else price <= budget
    if not bought.any():
        assert budget is not None and price is not None
        at = int(np.argmin(price))
        raise UserError(
            f"No width costs at most {format_number(budget)} ms; the cheapest, {widths[at]}, costs "
            f"{format_number(float(price[at]))} ms. Raise --budget-ms, or train narrower widths."
        )
    chosen, enough, best = _choose(values, bought, limit, tolerance)
    interval = agreement = wide = over = None
    affordable = _affordable([costs[k] for k in widths], budget) if costs is not None and budget else None
    if curves is not None:
        rows = len(curves)
        could = np.ones((rows, len(widths)), bool) if affordable is None else affordable[:rows]
        every = [
            _choose(curves[row], could[row], None if limits is None else float(limits[row]), tolerance)
            for row in range(rows)
        ]
        choices = np.array([widths[at] for at, _, _ in every])
        low, high = np.quantile(choices, [0.025, 0.975], method="closest_observation")
        interval, agreement = (int(low), int(high)), float(np.mean(choices == widths[chosen]))
        bests = np.array([each[2] for each in every])
        wide = float(np.mean(curves[:, chosen] <= bests + tolerance * np.abs(bests)))
    if affordable is not None:
        over = float(np.mean(~affordable[:, chosen]))
    return Decision(
        width=int(widths[chosen]),
        value=float(values[chosen]),
        best=best,
        by_law=found is not None,
        tolerance=float(tolerance),
        budget=None if budget is None else float(budget),
        enough=enough,
        interval=interval,
        agreement=agreement,
        wide_enough=wide,
        over_budget=over,
        ratio=widths[chosen] / max(levels),
        bought=tuple(int(k) for k, able in zip(widths, bought, strict=True) if able),
    )


def _choose(
    values: Float[np.ndarray, "n"], bought: np.ndarray, limit: float | None, tolerance: Number
) -> tuple[int, bool, float]:
    """Return the chosen place, whether it is within the tolerance, and the best that it was compared with."""
    if not bought.any():
        return 0, False, float(values[0])  # the cheapest, by the order of the widths
    able = np.flatnonzero(bought)
    best = float(values[able].min()) if limit is None else limit
    near = able[values[able] <= best + tolerance * abs(best)]
    return (int(near[0]), True, best) if len(near) else (int(able[-1]), False, best)


def _affordable(costs: Sequence[Cost], budget: Number | None) -> np.ndarray:
    """Return, a resample, which widths the budget buys: all costs of a resample err to one side together."""
    z = np.random.default_rng(2).normal(size=(RESAMPLES, 1))
    centre = np.log([cost.value for cost in costs])
    spread = np.log([cost.high / cost.low for cost in costs]) / (2 * 1.96)
    return np.exp(centre + z * spread) <= budget


def _resampled_medians(levels: Sequence[Level]) -> Float[np.ndarray, "rows n"] | None:
    if all(level.n < 2 for level in levels):
        return None
    generator = np.random.default_rng(0)
    columns = [
        np.median(generator.choice(np.array(level.values), size=(RESAMPLES, level.n)), axis=1)
        for level in levels
    ]
    return np.stack(columns, axis=1)
