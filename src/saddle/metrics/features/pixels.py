"""The pixels themselves as features."""

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics.features.base import FeatureExtractor

__all__ = ["PixelFeatures"]

_LONGEST = 3 * 64 * 64


@final
class PixelFeatures(FeatureExtractor):
    """`pixels`: the values divided by 255, channel by channel, row by row.

    Pictures with more than 12,288 values (64x64 in colour) are first averaged over the smallest squares of
    `factor` by `factor` pixels that bring them within that bound; `factor` stands in `identity`.
    """

    def __init__(self, *, size: int, channels: int, device: torch.device | str = "cpu") -> None:
        self.factor = next(f for f in range(1, size + 1) if channels * (size // f) ** 2 <= _LONGEST)
        self._input = (channels, size, size)
        self._side = size // self.factor
        super().__init__("pixels", dim=channels * self._side**2, batch=256, device=device)

    @property
    def identity(self) -> str:
        return f"pixels v1 /255 averaged {self.factor}x{self.factor} {self._input}"

    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        if images.shape[1:] != self._input:
            raise UserError(
                f"These pixel features are for images of shape {self._input}, not {tuple(images.shape[1:])}."
            )
        x = images.float() / 255
        if self.factor > 1:
            x = F.adaptive_avg_pool2d(x, self._side)
        return x.flatten(1)
