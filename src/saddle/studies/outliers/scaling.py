"""The scale on which features are compared."""

import numpy as np
from jaxtyping import Float64

__all__ = ["scaled"]


def scaled(
    x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "m d"] | None
) -> tuple[Float64[np.ndarray, "n d"], Float64[np.ndarray, "m d"] | None]:
    """Centre both by the reference's mean and divide by its mean distance from it; one factor for all features.

    Distances keep their proportions (no feature is stretched: a feature that hardly varies among clean images is
    mostly noise), and potentials become comparable from one kind of features to another.
    """
    trusted = x if y is None else y
    centre = trusted.mean(0)
    scale = float(np.linalg.norm(trusted - centre, axis=1).mean()) or 1.0
    return (x - centre) / scale, None if y is None else (y - centre) / scale
