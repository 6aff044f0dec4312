"""`Exhibits`: what the page shows of a run besides curves."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Complex, UInt8
from torch import Tensor

__all__ = ["Exhibits"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibits:
    """Pictures and eigenvalues; None where they could not be had."""

    samples: UInt8[Tensor, "n c h w"] | None = None
    "Generated images, of the averaged weights."
    real: UInt8[Tensor, "m c h w"] | None = None
    "Training images."
    pairs: UInt8[Tensor, "pairs c h w"] | None = None
    "Generated images and the training image nearest to each in pixels, in turn; the closest pairs first."
    eigenvalues: Complex[np.ndarray, " k"] | None = None
