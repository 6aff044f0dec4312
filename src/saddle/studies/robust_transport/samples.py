"""The random samples of the study: rings, Gaussians, and outliers of several kinds."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

__all__ = ["Contaminated", "contaminated", "gaussian", "ring"]

Points = Float64[np.ndarray, "n d"]


class Contaminated(NamedTuple):
    """Samples of which some do not belong."""

    points: Points
    outlier: Bool[np.ndarray, " n"]


def gaussian(rng: np.random.Generator, count: int, d: int, *, shift: float = 0.0, sd: float = 1.0) -> Points:
    """`count` draws of N(shift · e₁, sd² I)."""
    points = sd * rng.standard_normal((count, d))
    points[:, 0] += shift
    return points


def ring(
    rng: np.random.Generator,
    count: int,
    *,
    modes: int = 5,
    radius: float = 3.0,
    sd: float = 0.3,
    turn: float = 0.0,
) -> Points:
    """A ring of Gaussians in the plane with random numbers of points, turned by `turn` of the angle between two."""
    angle = 2 * np.pi * (rng.integers(modes, size=count) + turn) / modes
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1) + sd * rng.standard_normal((count, 2))


def contaminated(rng: np.random.Generator, case: str, count: int, share: float, d: int) -> Contaminated:
    """`count` points, of which round(share · count) are outliers of the kind `case`, the others N(0, I).

    far clump      N(8 u, 0.2² I) for a random direction u
    uniform box    uniform on [−8, 8]^d
    tight clump    N(sqrt(d/2) u, 0.05² I): inside the support, where clean points are
    noisy copies   clean points with noise N(0, 2² I) on top
    """
    bad = round(share * count)
    clean = gaussian(rng, count - bad, d)
    u = rng.standard_normal(d)
    u /= np.linalg.norm(u)
    if case == "far clump":
        outliers = 8 * u + 0.2 * rng.standard_normal((bad, d))
    elif case == "uniform box":
        outliers = rng.uniform(-8, 8, (bad, d))
    elif case == "tight clump":
        outliers = np.sqrt(d / 2) * u + 0.05 * rng.standard_normal((bad, d))
    else:
        assert case == "noisy copies"
        outliers = clean[rng.choice(len(clean), bad, replace=False)] + 2 * rng.standard_normal((bad, d))
    return Contaminated(np.concatenate([clean, outliers]), np.arange(count) >= count - bad)
