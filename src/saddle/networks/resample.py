"""Doubling, halving and summing over maps."""

from dataclasses import dataclass
from typing import final

from torch import Tensor
from torch.nn import functional

from saddle.core.state import State
from saddle.networks.layer import Layer, Shape

__all__ = ["Halve", "Repeat", "SumPool"]


@final
@dataclass(frozen=True, kw_only=True)
class Repeat(Layer):
    """Every pixel becomes a square of 2x2 (nearest-neighbour upsampling)."""

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return (channels, 2 * height, 2 * width)

    def apply(self, state: State, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2.0, mode="nearest")


@final
@dataclass(frozen=True, kw_only=True)
class Halve(Layer):
    """Every square of 2x2 pixels becomes its mean."""

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return (channels, height // 2, width // 2)

    def apply(self, state: State, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 2)


@final
@dataclass(frozen=True, kw_only=True)
class SumPool(Layer):
    """Folded maps become vectors `(F, B, C)`: the sum over all pixels."""

    channels: int

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.channels
        return (self.channels,)

    def apply(self, state: State, x: Tensor) -> Tensor:
        return x.sum((2, 3)).unflatten(1, (-1, self.channels)).transpose(0, 1)
