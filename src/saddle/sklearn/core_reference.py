"""The reference of a detector that was given none: the part of the data that lies densest on the scale of the dirt."""

import math

import numpy as np
from jaxtyping import Float64, Int64
from sklearn.neighbors import NearestNeighbors

__all__ = ["core"]


def core(x: Float64[np.ndarray, "n d"], contamination: float) -> Int64[np.ndarray, " m"]:
    """Rows of the `1 − 2 contamination` (at least a half) of `x` with the nearest `k`-th neighbour, in ascending order.

    `k = ⌈contamination · n⌉ + 1`: a ball with so many points cannot hold outliers alone, however tightly these are
    clumped, so a clump away from the rest is not taken for its core. A clump *inside* the support of the rest is: no
    method can tell it from a mode without a reference.
    """
    n = len(x)
    keep = max(math.ceil(n / 2), math.floor((1 - 2 * contamination) * n), 1)
    k = min(math.ceil(contamination * n) + 1, n - 1)
    radius = NearestNeighbors(n_neighbors=k).fit(x).kneighbors()[0][:, -1]
    return np.sort(np.argsort(radius, kind="stable")[:keep])
