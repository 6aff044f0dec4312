"""Four Gaussians in the plane, and what contaminates a sample of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from saddle.core import generators_of, normal, uniform
from saddle.errors import UserError

__all__ = ["NEAR", "Sample", "Setting", "clean_points", "distances", "means"]

RADIUS, STD = 2.0, 0.25
CLUSTER, CLUSTER_STD = (4.5, 4.5), 0.1
BOX = 5.0
NEAR = 1.5
"A point farther than this from every mean is off; 6 standard deviations."
REFERENCE = 1_000_003
"Added to a seed for the clean points that a finished generator is held to."


class Sample(NamedTuple):
    """A training set a member."""

    points: Float[Tensor, "fleet n 2"]
    outlier: Bool[Tensor, "fleet n"]
    mode: Int64[Tensor, "fleet n"]
    "Which Gaussian a point is from; −1 for an outlier."


@final
@dataclass(frozen=True, kw_only=True)
class Setting:
    """Training data: `points` of which the share `contamination` are outliers, the rest from the mixture.

    The Gaussians `N(μ_j, 0.25² I)` have their means on the axes at distance 2 and the masses `shares`. Outliers are
    `cluster`: `N((4.5, 4.5), 0.1² I)`, or `uniform` on [−5, 5]².
    """

    name: str
    contamination: float = 0.0
    kind: Literal["none", "cluster", "uniform"] = "none"
    shares: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    assumed: float = 0.1
    "The share of outliers that robust methods are told."
    points: int = 4000

    def __post_init__(self) -> None:
        if not 0 <= self.contamination < 1 or (self.contamination > 0) != (self.kind != "none"):
            raise UserError(
                f"The setting {self.name!r} has the contamination {self.contamination} of kind {self.kind}; give a share "
                "below 1, 0 with kind none and above 0 with any other."
            )
        if not 0 <= self.assumed < 1:
            raise UserError(
                f"The setting {self.name!r} assumes a share of {self.assumed}; give one from 0 to below 1."
            )
        if min(self.shares) <= 0 or not math.isclose(sum(self.shares), 1.0, abs_tol=1e-9):
            raise UserError(
                f"The shares of the modes are {self.shares}; give positive numbers that sum to 1."
            )
        if round(self.points * (1 - self.contamination)) < 1:
            raise UserError(f"The setting {self.name!r} has {self.points} points; give at least 1 clean one.")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Setting":
        """The setting that `asdict` wrote, also where JSON has made lists of tuples."""
        known: dict[str, Any] = {**settings, "shares": tuple(settings["shares"])}
        return cls(**known)

    def settings(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)

    def draw(self, generators: Sequence[torch.Generator]) -> Sample:
        """One training set a member; `round(contamination · points)` of its points are outliers, at random places."""
        outliers = round(self.contamination * self.points)
        clean, mode = _mixture(generators, self.points - outliers, self.shares)
        if self.kind == "cluster":
            wrong = torch.tensor(CLUSTER) + CLUSTER_STD * normal(generators, outliers, 2, dtype=torch.float32)
        else:
            wrong = BOX * (2 * uniform(generators, outliers, 2, dtype=torch.float32) - 1)
        order = uniform(generators, self.points).argsort(1)
        points = torch.cat([clean, wrong], dim=1)
        labels = torch.cat([mode, torch.full((len(generators), outliers), -1)], dim=1)
        labels = labels.gather(1, order)
        return Sample(points.gather(1, order.unsqueeze(2).expand(-1, -1, 2)), labels < 0, labels)

    def clean(self, seeds: Sequence[int], count: int) -> Float[Tensor, "fleet count 2"]:
        """Fresh points of the mixture, other than the training set's of the same seeds."""
        return clean_points(self.shares, [REFERENCE + seed for seed in seeds], count)


def clean_points(shares: Sequence[float], seeds: Sequence[int], count: int) -> Float[Tensor, "fleet count 2"]:
    """Points of the mixture, one set a seed."""
    return _mixture(generators_of(seeds), count, shares)[0]


def means(count: int = 4) -> Float[Tensor, "count 2"]:
    """`μ_j`, counter-clockwise from (2, 0)."""
    angle = 2 * math.pi * torch.arange(count, dtype=torch.float64) / count
    return (RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)).float()


def distances(points: Float[Tensor, "fleet n 2"], count: int) -> Float[Tensor, "fleet n count"]:
    """From every point to every mean."""
    return torch.linalg.vector_norm(points.unsqueeze(2) - means(count), dim=3)


def _mixture(
    generators: Sequence[torch.Generator], count: int, shares: Sequence[float]
) -> tuple[Tensor, Tensor]:
    edges = torch.tensor(shares, dtype=torch.float64).cumsum(0)[:-1]
    mode = torch.bucketize(uniform(generators, count), edges, right=True)
    spread = STD * normal(generators, count, 2, dtype=torch.float32)
    return means(len(shares))[mode] + spread, mode
