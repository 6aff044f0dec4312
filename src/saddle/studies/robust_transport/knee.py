"""The ring with far outliers: how much of them stays, and where the value has its knee."""

from typing import Any

import numpy as np

from saddle.studies.robust_transport.samples import ring
from saddle.transport import residual_share, robust

__all__ = ["knee", "knee_of"]

CLEAN = 100
FAR = 60.0
"Distance of the outliers from the ring's centre; its radius is 3."
ROOTS = (0.05, 0.75)
"Least and largest sqrt(R), R the chi-square radius."


def knee(seed: int, outliers: int, radii: int) -> dict[str, Any]:
    """Value, and mass of the outliers in the optimum, over a grid of radii R that knows nothing of R*."""
    rng = np.random.default_rng([seed, 2, outliers])
    x = np.concatenate([ring(rng, CLEAN), np.array([FAR, 0.0]) + rng.standard_normal((outliers, 2))])
    y = ring(rng, CLEAN, turn=0.5)
    g = outliers / len(x)
    roots = np.linspace(*ROOTS, radii)
    found = [robust(x, y, chi2=float(root**2), cost="sqeuclidean") for root in roots]
    values = np.array([each.upper for each in found])
    return {
        "g": g,
        "critical": g / (1 - g),
        "chi2": (roots**2).tolist(),
        "value": values.tolist(),
        "mass": [float(each.weights_x[CLEAN:].sum() / len(x)) for each in found],
        "predicted": [residual_share(g, chi2=float(root**2)) for root in roots],
        "knee": knee_of(roots, values) ** 2,
        "solved": len(found),
        "uncertified": sum(not each.certified for each in found),
    }


def knee_of(x: np.ndarray, y: np.ndarray) -> float:
    """Where two straight lines that meet fit `y` best: the least-squares hinge `c₀ + c₁ min(x − x₀, 0) + c₂ max(x − x₀, 0)`.

    At least three points lie on either side. Found on a grid, then on a finer one around the best.
    """
    low, high = x[2], x[-3]
    best = (low + high) / 2
    for width in ((high - low) / 2, (x[1] - x[0]) / 2, (x[1] - x[0]) / 50):
        tried = np.clip(np.linspace(best - width, best + width, 201), low, high)
        best = tried[np.argmin([_misfit(x, y, each) for each in tried])]
    return float(best)


def _misfit(x: np.ndarray, y: np.ndarray, corner: float) -> float:
    columns = np.stack([np.ones_like(x), np.minimum(x - corner, 0), np.maximum(x - corner, 0)], 1)
    coefficients = np.linalg.lstsq(columns, y, rcond=None)[0]
    return float(np.sum((columns @ coefficients - y) ** 2))
