"""Precision, recall, density and coverage from nearest neighbours, exact and in bounded memory."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics._check import check_pair
from saddle.metrics.pairs import Points, exact_distances, pair_distances, squared_distances, sweep

__all__ = [
    "Membership",
    "NeighbourRadii",
    "Prdc",
    "check_neighbours",
    "expected_coverage",
    "precision_recall_density_coverage",
]


@final
@dataclass(frozen=True, kw_only=True)
class Prdc:
    """Fidelity (precision, density) and diversity (recall, coverage)."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(
    real: Float[Tensor, "n d"], fake: Float[Tensor, "m e"], k: int = 5
) -> Prdc:
    """Return the four neighbourhood metrics of fake images y against real images x.

    With B(x) the closed ball about x that reaches its k-th nearest other real image, and B(y) likewise among the
    fakes,

        precision = share of y in some B(x)             recall   = share of x in some B(y)
        density   = Σ_y #{x: y in B(x)} / (k m)         coverage = share of x with some y in B(x)

    Ties: a ball contains its boundary (|y - x| ≤ radius), as in the definition of precision and recall. So precision,
    recall and coverage of a set against itself are 1, also where images repeat, and its density is (k + 1)/k: each
    ball holds its centre and k neighbours. Between independent sets without repeats, ties do not occur.

    Raises UserError unless 1 ≤ k < n, m, for different numbers of features, or NaN.
    Sources: Kynkäänniemi et al. 2019, arXiv 1904.06991, eq. 1-2; Naeem et al. 2020, arXiv 2002.09797, eq. 3-4.
    """
    check_pair(real, fake)
    check_neighbours(k, len(real), "real")
    check_neighbours(k, len(fake), "fake")
    centre = real.double().mean(dim=0)
    x, y = Points(real, centre), Points(fake.to(real.device), centre)
    x_radii, y_radii = NeighbourRadii(x, k), NeighbourRadii(y, k)
    sweep(x, x, x_radii)
    sweep(y, y, y_radii)
    inside = Membership(x, y, x_radii, y_radii)
    sweep(x, y, inside)
    return inside.result()


def check_neighbours(k: int, count: int, side: str) -> None:
    """Raise UserError unless every image can have `k` neighbours among `count` images."""
    if not 1 <= k < count:
        raise UserError(
            f"{k} neighbours cannot be found among {count} {side} images: each needs at least one, and that many "
            f"others. Pass neighbours between 1 and {count - 1}, or more images."
        )


def expected_coverage(n: int, m: int, k: int) -> float:
    """Return E[coverage] of m fakes that follow the distribution of n real images.

        1 - Π_{j=1..k} (n - j)/(n + m - j)

    A real image is uncovered when its k nearest among the other n - 1 + m images are all real. For n = m this is
    lemma 2 of Naeem et al. 2020.
    """
    return 1 - math.prod((n - j) / (n + m - j) for j in range(1, k + 1))


@final
class NeighbourRadii:
    """Distance of each point to its k-th nearest other point of the same set; a visitor of `sweep`.

    Products give distances up to a bounded rounding error. Every point that may be among the k nearest by that bound
    is measured again from differences, so the radius is exact; where that is nearly everyone (clusters that are
    tight and far apart), the row is measured from differences throughout.
    """

    def __init__(self, points: Points, k: int) -> None:
        self.k = k
        self._points = points
        self.values = points.squares.new_zeros(points.count)

    def __call__(self, rows: slice, products: Float[Tensor, "r m"]) -> None:
        points, k = self._points, self.k
        squares, slack = squared_distances(points, points, rows, products)
        squares.diagonal(rows.start).fill_(math.inf)
        reach = (squares + slack).kthvalue(k, dim=1, keepdim=True).values
        nearest = squares.sub_(slack)
        candidates = (nearest <= reach).sum(dim=1)
        radii = points.squares.new_zeros(len(nearest))
        # Rows with few candidates, gathered; there are always at least k.
        limit = min(4 * k + 16, points.count)
        few = (candidates <= limit).nonzero().flatten()
        width = int(candidates[few].max()) if len(few) else k
        step = max((1 << 22) // (width * points.dim), 1)
        for part in few.split(step):
            others = nearest[part].topk(width, dim=1, largest=False).indices
            own = points.values[rows][part][:, None]
            # The point itself is at infinity; it is a candidate only if width exceeds the other points.
            distances = exact_distances(own, points.values[others])[:, 0]
            distances[others == (part + rows.start)[:, None]] = math.inf
            radii[part] = distances.kthvalue(k, dim=1).values
        for part in (candidates > limit).nonzero().flatten().split(256):
            distances = exact_distances(points.values[rows][part], points.values)
            distances[torch.arange(len(part), device=part.device), part + rows.start] = math.inf
            radii[part] = distances.kthvalue(k, dim=1).values
        self.values[rows] = radii


@final
class Membership:
    """Counts which fakes lie in which real balls, and the reverse; a visitor of `sweep` over (real, fake)."""

    def __init__(
        self, real: Points, fake: Points, real_radii: NeighbourRadii, fake_radii: NeighbourRadii
    ) -> None:
        self._real, self._fake = real, fake
        self._real_radii, self._fake_radii = real_radii, fake_radii
        device = real.squares.device
        self._fake_in_real = torch.zeros(fake.count, dtype=torch.int64, device=device)
        self._covered = torch.zeros(real.count, dtype=torch.bool, device=device)
        self._recalled = torch.zeros(real.count, dtype=torch.bool, device=device)

    def __call__(self, rows: slice, products: Float[Tensor, "r m"]) -> None:
        squares, slack = squared_distances(self._real, self._fake, rows, products)
        in_real = self._inside(rows, squares, slack, self._real_radii.values[rows, None])
        self._fake_in_real += in_real.sum(dim=0)
        self._covered[rows] = in_real.any(dim=1)
        in_fake = self._inside(rows, squares, slack, self._fake_radii.values[None])
        self._recalled[rows] = in_fake.any(dim=1)

    def _inside(
        self, rows: slice, squares: Float[Tensor, "r m"], slack: Float[Tensor, "r m"], radii: Tensor
    ) -> Bool[Tensor, "r m"]:
        """|y - x| ≤ radius; what rounding leaves open is measured again from differences."""
        gap = squares - radii.square()
        inside = gap <= 0
        i, j = (gap.abs_() <= slack).nonzero(as_tuple=True)
        if len(i) > inside.numel() // 8:
            return (
                torch.cat(
                    [exact_distances(part, self._fake.values) for part in self._real.values[rows].split(256)]
                )
                <= radii
            )
        if len(i):
            exact = pair_distances(self._real, self._fake, i + rows.start, j)
            inside[i, j] = exact <= radii.expand_as(squares)[i, j]
        return inside

    def result(self) -> Prdc:
        """The four shares, once every block has been seen."""
        n, m = self._real.count, self._fake.count
        return Prdc(
            precision=int((self._fake_in_real > 0).sum()) / m,
            recall=int(self._recalled.sum()) / n,
            density=int(self._fake_in_real.sum()) / (self._real_radii.k * m),
            coverage=int(self._covered.sum()) / n,
        )
