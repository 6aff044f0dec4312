"""The cost between two samples, and a potential on one side extended to any point of the other."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy.spatial.distance import cdist

__all__ = ["COSTS", "GroundCost", "extend"]

GroundCost = Literal["euclidean", "sqeuclidean"]
COSTS: tuple[GroundCost, ...] = ("euclidean", "sqeuclidean")
BLOCK = 2**23
"Costs held at once: 64 MiB."


def extend(
    x: Float64[np.ndarray, "n d"],
    y: Float64[np.ndarray, "m d"],
    potential: Float64[np.ndarray, " m"],
    cost: GroundCost,
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """The c-transform `f(x) = min_j c(x, y_j) − g_j`, and the cost `c(x, y_j*)` at the `j*` that attains it.

    `f` is the largest function with `f(x) + g_j ≤ c(x, y_j)` everywhere: it equals the optimal potential wherever a plan
    ships mass, and is defined at points that no plan has seen. Blocks of rows bound the memory.
    """
    values, costs = np.empty(len(x)), np.empty(len(x))
    for rows in _blocks(len(x), len(y)):
        c = cdist(x[rows], y, cost)
        nearest = np.argmin(c - potential, axis=1)
        costs[rows] = np.take_along_axis(c, nearest[:, None], axis=1)[:, 0]
        values[rows] = costs[rows] - potential[nearest]
    return values, costs


def _blocks(n: int, m: int) -> Iterator[slice]:
    size = max(1, BLOCK // m)
    for start in range(0, n, size):
        yield slice(start, start + size)
