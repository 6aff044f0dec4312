"""How good generated points are: off the modes, transport distance, modes; and how well weights find the outliers."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import rankdata
from torch import Tensor

from saddle.studies.robust_gan.mixture import NEAR, distances

__all__ = ["auroc", "mode_shares", "off_share", "transport_distance"]


def off_share(points: Float[Tensor, "fleet n 2"], modes: int) -> Float[Tensor, " fleet"]:
    """The share of points that are farther than 1.5 from every mode's mean; what is not finite is off."""
    return 1 - (distances(points, modes).amin(2) <= NEAR).double().mean(1)


def mode_shares(points: Float[Tensor, "fleet n 2"], modes: int) -> Float[Tensor, "fleet modes"]:
    """The share of points within 1.5 of each mode's mean (no point is near two)."""
    return (distances(points, modes) <= NEAR).double().mean(1)


def transport_distance(x: Float[Tensor, "n 2"], y: Float[Tensor, "n 2"]) -> float:
    """`W_1` of two sets of equally many points: the mean distance under the best matching. NaN where points are.

    Exact either way: by POT's network simplex where the extra `transport` is installed (about four times as fast), else
    by SciPy's assignment solver.
    """
    cost = cdist(x.double().numpy(), y.double().numpy())
    if not np.isfinite(cost).all():
        return float("nan")
    try:
        import ot
    except ImportError:
        return float(cost[linear_sum_assignment(cost)].mean())
    return float(np.asarray(ot.emd2([], [], cost, numItermax=10_000_000)))


def auroc(score: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a positive has a higher score than a negative, ties counting half; NaN without either."""
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * few))
