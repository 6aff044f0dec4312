"""Inner products and exact distances of all pairs of two sets of features, in bounded memory."""

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["Points", "exact_distances", "pair_distances", "sweep"]

CELLS = 1 << 22
"Cells of one block of the pair matrix: 32 MiB in float64."


@final
class Points:
    """One set of features made ready for pairwise work.

    `values` are the features, `centred` = values - centre in float64, `squares` = |centred|². Working about a common
    centre keeps far-away features from cancelling in |x|² + |y|² - 2 x·y.
    """

    def __init__(self, values: Float[Tensor, "n d"], centre: Float[Tensor, "d"]) -> None:
        self.values = values.detach()
        self.count, self.dim = values.shape
        self.centre = centre
        self.centred = self.values.double() - centre
        self.squares = self.centred.square().sum(dim=1)
        self.offsets = self.centred @ centre
        "(x - c)·c, from which the plain inner products are rebuilt."


Visit = Callable[[slice, Tensor], None]
"Takes a slice of rows of the first set, and their centred inner products with all of the second."


def sweep(a: Points, b: Points, *visitors: Visit) -> None:
    """Show every visitor the centred inner products of `a` with `b`, block by block: one product serves them all."""
    step = max(CELLS // b.count, 1)
    for start in range(0, a.count, step):
        rows = slice(start, min(start + step, a.count))
        products = a.centred[rows] @ b.centred.T
        for visit in visitors:
            visit(rows, products)


def squared_distances(
    a: Points, b: Points, rows: slice, products: Float[Tensor, "r m"]
) -> tuple[Float[Tensor, "r m"], Float[Tensor, "r m"]]:
    """Return |x|² + |y|² - 2 x·y and a bound of its rounding error, (d + 8) ε (|x|² + |y|²)."""
    scale = a.squares[rows, None] + b.squares
    slack = scale * ((a.dim + 8) * torch.finfo(torch.float64).eps)
    return scale.sub_(products, alpha=2), slack


def exact_distances(
    x: Float[Tensor, "*batch r d"], y: Float[Tensor, "*batch m d"]
) -> Float[Tensor, "*batch r m"]:
    """|x - y| from the differences themselves: correct to rounding wherever the points lie.

    Every distance that decides a metric comes from here, so that equal pairs have bit-equal distances.
    """
    return torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist")


def pair_distances(
    a: Points, b: Points, i: Int64[Tensor, "pairs"], j: Int64[Tensor, "pairs"]
) -> Float[Tensor, "pairs"]:
    """Exact distances of the pairs (i, j), gathered a bounded number at a time."""
    step = max(CELLS // a.dim, 1)
    found = [
        exact_distances(a.values[p][:, None], b.values[q][:, None])[:, 0, 0]
        for p, q in zip(i.split(step), j.split(step), strict=True)
    ]
    return torch.cat(found) if found else a.squares.new_zeros(0)
