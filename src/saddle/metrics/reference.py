"""The real side of every metric, computed once."""

from functools import cached_property
from typing import final

from jaxtyping import Float
from torch import Tensor

from saddle.metrics._check import check_pair, check_side
from saddle.metrics.frechet import Gaussian, frechet_between
from saddle.metrics.kernel import KernelDistance, KernelSums, kernel_from_sums
from saddle.metrics.pairs import Points, sweep
from saddle.metrics.prdc import Membership, NeighbourRadii, check_neighbours

__all__ = ["Reference"]


@final
class Reference:
    """Real features, against which any number of fake sets are scored.

    Keeps the mean and factor of the Fréchet distance, the centred features, the kernel sums and the neighbourhood
    radii of the real side; all are computed when first needed. One product of the features serves the kernel and
    the neighbourhoods. The real-vs-real floor is `Reference(a).scores(b)` with two disjoint real sets.

    Raises UserError for fewer than three images, `neighbours` that do not exist, or NaN.
    """

    def __init__(
        self, features: Float[Tensor, "n d"], *, name: str = "features", neighbours: int = 5
    ) -> None:
        check_side(features, "real", least=3)
        check_neighbours(neighbours, len(features), "real")
        self.features = features.detach()
        self.name = name
        self.neighbours = neighbours
        self._gaussian = Gaussian(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def __repr__(self) -> str:
        count, dim = self.features.shape
        return f"Reference({count} images, {dim} features, name={self.name!r}, neighbours={self.neighbours})"

    @cached_property
    def _points(self) -> Points:
        return Points(self.features, self.features.double().mean(dim=0))

    @cached_property
    def _within(self) -> tuple[KernelSums, NeighbourRadii]:
        return self._within_set(self._points)

    def _within_set(self, points: Points) -> tuple[KernelSums, NeighbourRadii]:
        sums, radii = KernelSums(points, points), NeighbourRadii(points, self.neighbours)
        sweep(points, points, sums, radii)
        return sums, radii

    def frechet(self, fake: Float[Tensor, "m e"]) -> float:
        """Return the squared Fréchet distance to `fake` alone; see `frechet_distance`."""
        check_pair(self.features, fake)
        return frechet_between(self._gaussian, Gaussian(fake))

    def scores(self, fake: Float[Tensor, "m e"]) -> dict[str, float]:
        """Return `frechet`, `kernel`, `precision`, `recall`, `density` and `coverage` of `fake`."""
        return self.scores_with_error(fake)[0]

    def scores_with_error(self, fake: Float[Tensor, "m e"]) -> tuple[dict[str, float], KernelDistance]:
        """Return the scores, and the kernel distance with its standard error."""
        check_pair(self.features, fake, least=3)
        check_neighbours(self.neighbours, len(fake), "fake")
        real, points = self._points, Points(fake.to(self.features.device), self._points.centre)
        real_sums, real_radii = self._within
        fake_sums, fake_radii = self._within_set(points)
        cross, inside = KernelSums(real, points), Membership(real, points, real_radii, fake_radii)
        sweep(real, points, cross, inside)
        kernel, near = kernel_from_sums(real_sums, fake_sums, cross), inside.result()
        scores = {
            "frechet": frechet_between(self._gaussian, Gaussian(fake)),
            "kernel": kernel.value,
            "precision": near.precision,
            "recall": near.recall,
            "density": near.density,
            "coverage": near.coverage,
        }
        return scores, kernel
