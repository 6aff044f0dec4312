"""What the value does at the ends of the radius, between them, under the two conventions, and without unit mass."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from saddle.studies.robust_transport.samples import gaussian
from saddle.transport import balanced, robust
from saddle.transport.problem import Mass

__all__ = ["limits", "shrinkage"]

TINY = 1e-6
RADII = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
"Chi-square radii, each the double of the one before: convexity is a chord over two steps."


def limits(seed: int) -> dict[str, Any]:
    """Both sides in a chi-square ball of one radius R, n and m random, Euclidean cost.

    Differences that the theory says are zero or negative are relative to the balanced cost.
    """
    rng = np.random.default_rng([seed, 3])
    n, m = (int(count) for count in rng.integers(25, 46, 2))
    x, y = gaussian(rng, n, 2), gaussian(rng, m, 2, shift=1.0)
    cost = cdist(x, y)
    flat = balanced(x, y).upper

    def both(chi2: float, mass: Mass = "unit") -> Any:
        return robust(x, y, chi2=chi2, chi2_y=chi2, mass=mass)

    unit = [both(chi2) for chi2 in RADII]
    free = [both(chi2, "free") for chi2 in RADII if chi2 < 1]
    ends = [both(TINY), both(float(max(n, m) - 1)), both(1.0, "free")]
    by_rho = [robust(x, y, rho=chi2 / 2, rho_y=chi2 / 2) for chi2 in RADII[:3]]
    return {
        "n": n,
        "m": m,
        "flat": flat,
        "chi2": list(RADII),
        "unit": [each.upper / flat for each in unit],
        "free": [each.upper / flat for each in free],
        "shipped": [float(each.plan.sum()) for each in free],
        "towards_flat": 1 - ends[0].upper / flat,
        "towards_least": float(ends[1].upper - cost.min()) / flat,
        "free_at_one": ends[2].upper / flat,
        "rise": max(after.lower - before.upper for before, after in pairwise(unit)) / flat,
        "bulge": max(_bulge(unit, i) for i in range(len(unit) - 2)) / flat,
        "conventions": max(abs(a.upper - b.upper) for a, b in zip(by_rho, unit, strict=False)) / flat,
        "over_scaled": max(
            each.lower / flat - (1 - chi2**0.5) for chi2, each in zip(RADII, free, strict=False)
        ),
        "free_over_unit": max((a.lower - b.upper) / flat for a, b in zip(free, unit, strict=False)),
        "solved": len([*unit, *free, *ends]),
        "uncertified": sum(not each.certified for each in (*unit, *free, *ends)),
    }


def _bulge(found: list[Any], i: int) -> float:
    """By how much the middle one certainly lies above the chord of its neighbours; at most 0 for a convex function."""
    left, middle, right = RADII[i : i + 3]
    share = (middle - left) / (right - left)
    return float(found[i + 1].lower - (1 - share) * found[i].upper - share * found[i + 2].upper)


def shrinkage(seed: int, shift: float, points: int, chi2: float = 0.1) -> dict[str, float]:
    """What is kept of the balanced W1 between clean samples of N(0, I) and N(shift · e₁, I) in the plane."""
    rng = np.random.default_rng([seed, 4, round(100 * shift)])
    x, y = gaussian(rng, points, 2), gaussian(rng, points, 2, shift=shift)
    flat = balanced(x, y).upper
    free = robust(x, y, chi2=chi2, chi2_y=chi2, mass="free")
    one, two = robust(x, y, chi2=chi2), robust(x, y, chi2=chi2, chi2_y=chi2)
    assert free.plan is not None
    return {
        "flat": flat,
        "one-sided": one.upper / flat,
        "two-sided": two.upper / flat,
        "mass-free": free.upper / flat,
        "shipped": float(free.plan.sum()),
        "solved": 3,
        "uncertified": sum(not each.certified for each in (one, two, free)),
    }
