"""The scale on which features are compared."""

import numpy as np
from jaxtyping import Float64

__all__ = ["DIRECTIONS", "scaled"]

DIRECTIONS = ("efficientnet", "inception")
"Features of which the direction tells what is shown, and the length mostly how much of it."


def scaled(
    x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "m d"] | None, *, features: str
) -> tuple[Float64[np.ndarray, "n d"], Float64[np.ndarray, "m d"] | None]:
    """Bring the features of both sides to one scale: one factor for all of them, so that distances keep proportion.

    Features of ImageNet networks are brought to length 1 first. Of 300 photographs (two seeds) this ranked best where
    digits of MNIST or MNIST-M or faces were among them, beside raw features, features of equal variance and 50 principal
    components, whitened or not; it tied with raw features on one more class, and lost to principal components on exact
    copies (AUROC .96 against 1.00). For random and pixel features nothing was better throughout: they stay as they are.
    Then both sides are centred at the reference and divided by its mean distance from there, which makes potentials
    comparable from one kind of features to another.
    """
    if features.startswith(DIRECTIONS):
        x, y = _unit(x), None if y is None else _unit(y)
    trusted = x if y is None else y
    centre = trusted.mean(0)
    scale = float(np.linalg.norm(trusted - centre, axis=1).mean()) or 1.0
    return (x - centre) / scale, None if y is None else (y - centre) / scale


def _unit(rows: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)
