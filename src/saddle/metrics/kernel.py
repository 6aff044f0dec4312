"""The kernel distance: unbiased squared maximum mean discrepancy with the cubic kernel, over all images."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.metrics._check import check_pair
from saddle.metrics.pairs import Points, sweep

__all__ = ["KernelDistance", "KernelSums", "kernel_distance", "kernel_from_sums", "kernel_sums"]


@final
@dataclass(frozen=True, kw_only=True)
class KernelDistance:
    """An estimate of MMD² and its standard error."""

    value: float
    "Unbiased, so it can be negative; it is never clipped."
    standard_error: float
    "By the two-sample jackknife, see `kernel_from_sums`."


def kernel_distance(real: Float[Tensor, "n d"], fake: Float[Tensor, "m e"]) -> KernelDistance:
    """Return the unbiased squared maximum mean discrepancy of two sets of features, as the KID is defined.

        MMD² = mean_{i≠j} k(xᵢ, xⱼ) + mean_{i≠j} k(yᵢ, yⱼ) - 2 mean_{ij} k(xᵢ, yⱼ),    k(x, y) = (x·y/d + 1)³

    over all pairs (no random subsets, so no seed), in blocks and in float64.

    Raises UserError for fewer than three images a side (the jackknife leaves one out), different numbers of
    features, or NaN. Sources: Gretton et al. 2012, lemma 6; Bińkowski et al. 2018, arXiv 1801.01401.
    """
    check_pair(real, fake, least=3)
    centre = real.double().mean(dim=0)
    x, y = Points(real, centre), Points(fake.to(real.device), centre)
    return kernel_from_sums(kernel_sums(x, x), kernel_sums(y, y), kernel_sums(x, y))


@final
class KernelSums:
    """Sums of k over the rows and the columns of one pair matrix; within one set, pairs i = i are left out.

    A visitor of `sweep`.
    """

    def __init__(self, a: Points, b: Points) -> None:
        self._a, self._b, self._within = a, b, a is b
        self.rows = a.squares.new_zeros(a.count)
        self.columns = a.squares.new_zeros(b.count)

    def __call__(self, rows: slice, products: Float[Tensor, "r m"]) -> None:
        # x·y = (x-c)·(y-c) + (x-c)·c + (y-c)·c + c·c
        a, b = self._a, self._b
        plain = products + (a.offsets[rows, None] + (b.offsets + a.centre @ a.centre))
        values = plain.div_(a.dim).add_(1).pow_(3)
        if self._within:
            # The block's part of the diagonal starts `rows.start` columns in.
            values.diagonal(rows.start).zero_()
        self.rows[rows] = values.sum(dim=1)
        self.columns += values.sum(dim=0)


def kernel_sums(a: Points, b: Points) -> KernelSums:
    """Return the sums of the pair matrix of `a` and `b`."""
    sums = KernelSums(a, b)
    sweep(a, b, sums)
    return sums


def kernel_from_sums(real: KernelSums, fake: KernelSums, cross: KernelSums) -> KernelDistance:
    """Return MMD² and its standard error from the sums within both sets and across.

    The standard error is the delete-one jackknife of a two-sample U-statistic (Arvesen 1969),

        se² = (n-1)/n Σᵢ (T₋ᵢ - mean T₋)² + the same over the fake images,

    whose T₋ᵢ (the value without image i) follow from the row sums. It is consistent where the distributions differ;
    where they are equal the statistic is degenerate and the jackknife is conservative (too large by up to √2).
    """
    n, m = len(cross.rows), len(cross.columns)
    xx, yy, xy = real.rows.sum(), fake.rows.sum(), cross.rows.sum()
    value = xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)
    without_real = (xx - 2 * real.rows) / ((n - 1) * (n - 2)) - 2 * (xy - cross.rows) / ((n - 1) * m)
    without_fake = (yy - 2 * fake.rows) / ((m - 1) * (m - 2)) - 2 * (xy - cross.columns) / ((m - 1) * n)
    variance = sum(
        (count - 1) * torch.var(left, correction=0) for count, left in ((n, without_real), (m, without_fake))
    )
    return KernelDistance(value=float(value), standard_error=float(variance) ** 0.5)
