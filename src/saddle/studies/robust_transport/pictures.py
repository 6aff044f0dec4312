"""One small example in the plane, solved in every ball at several radii: what the page draws."""

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from saddle.studies.robust_transport.samples import ring
from saddle.studies.robust_transport.theorem import BALLS, ball_of
from saddle.transport import balanced, robust, weights

__all__ = ["CLEAN", "OUTLIERS", "PARTS", "pictures"]

CLEAN, OUTLIERS = 45, 5
PARTS = (0.0, 0.25, 0.5, 1.0, 2.0)
"Radii, times the one at which the outliers are removed."
DRAWN = 0.04
"The least part of a sample's mass whose way is drawn."


def pictures(seed: int) -> dict[str, Any]:
    """Arrays of points, plans, weights and potentials: `plans` is ball x part x n x m, Euclidean cost, y held."""
    rng = np.random.default_rng([seed, 8])
    clean = ring(rng, CLEAN, modes=4, radius=2.0, sd=0.4)
    x = np.concatenate([clean, np.array([4.2, 3.2]) + 0.25 * rng.standard_normal((OUTLIERS, 2))])
    y = ring(rng, len(x), modes=4, radius=2.0, sd=0.4, turn=0.3)
    g = OUTLIERS / len(x)
    alone = balanced(clean, y)
    shrunk = robust(clean, y, ball=ball_of("chi-square", 1.0, g))
    solved = [[robust(x, y, ball=ball_of(name, part, g)) for part in PARTS] for name in BALLS]
    return {
        "x": x,
        "y": y,
        "plan_clean": _plan(alone),
        "value_clean": np.array(alone.upper),
        "plan_shrunk": _plan(shrunk),
        "value_shrunk": np.array(shrunk.upper),
        "weights_shrunk": shrunk.weights_x,
        "plans": np.array([[_plan(each) for each in row] for row in solved]),
        "weights": np.array([[each.weights_x for each in row] for row in solved]),
        "closed_form": np.array(
            [
                [
                    weights(each.potential_x, ball=ball_of(name, part, g))
                    for part, each in zip(PARTS, row, strict=True)
                ]
                for name, row in zip(BALLS, solved, strict=True)
            ]
        ),
        "potentials": np.array([[each.potential_x for each in row] for row in solved]),
        "values": np.array([[each.upper for each in row] for row in solved]),
        "gaps": np.array([[each.gap for each in row] for row in solved]),
        "costs": cdist(x, y),
    }


def _plan(found: Any) -> np.ndarray:
    assert found.plan is not None
    return np.asarray(found.plan)
