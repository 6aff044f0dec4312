"""Layers that only move numbers: between images, folded maps and vectors. See `Layer` for the layouts."""

from dataclasses import dataclass
from math import prod
from typing import final

from torch import Tensor

from saddle.core.state import State
from saddle.networks.layer import Layer, Shape

__all__ = ["Flatten", "Fold", "MapToVector", "Score", "Unflatten", "Unfold", "VectorToMap"]


@final
@dataclass(frozen=True, kw_only=True)
class Fold(Layer):
    """Images `(F, B, C, H, W)` become folded maps `(B, F·C, H, W)`, channels last. What an `Unfold` made is not copied."""

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        fleet, batch, channels, height, width = x.shape
        if fleet * channels == 1:
            # A stride of 1 on the single channel tells the kernels "channels last"; otherwise they cannot know.
            return x[0, :, 0].contiguous().unsqueeze(-1).permute(0, 3, 1, 2)
        pixels = x.permute(1, 3, 4, 0, 2).reshape(batch, height, width, fleet * channels)
        return pixels.contiguous().permute(0, 3, 1, 2)


@final
@dataclass(frozen=True, kw_only=True)
class Unfold(Layer):
    """Folded maps become images `(F, B, C, H, W)`: a view, no copy."""

    channels: int

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.channels
        return shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.channels)).transpose(0, 1)


@final
@dataclass(frozen=True, kw_only=True)
class VectorToMap(Layer):
    """Vectors `(F, B, H·W·C)`, ordered row, column, channel, become folded maps; without a copy for a fleet of one."""

    shape: Shape
    "(C, H, W)"

    def output_shape(self, shape: Shape) -> Shape:
        assert shape == (prod(self.shape),)
        return self.shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        channels, height, width = self.shape
        fleet, batch, _ = x.shape
        pixels = x.view(fleet, batch, height, width, channels).permute(1, 2, 3, 0, 4)
        return pixels.reshape(batch, height, width, fleet * channels).permute(0, 3, 1, 2)


@final
@dataclass(frozen=True, kw_only=True)
class MapToVector(Layer):
    """Folded maps become vectors `(F, B, H·W·C)`, ordered row, column, channel; the inverse of `VectorToMap`."""

    channels: int

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.channels
        return (prod(shape),)

    def apply(self, state: State, x: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1).unflatten(3, (-1, self.channels))
        return pixels.permute(3, 0, 1, 2, 4).flatten(2)


@final
@dataclass(frozen=True, kw_only=True)
class Flatten(Layer):
    """Images `(F, B, C, H, W)` become vectors `(F, B, C·H·W)`."""

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def apply(self, state: State, x: Tensor) -> Tensor:
        return x.flatten(2)


@final
@dataclass(frozen=True, kw_only=True)
class Unflatten(Layer):
    """Vectors become images of `shape`."""

    shape: Shape

    def output_shape(self, shape: Shape) -> Shape:
        assert shape == (prod(self.shape),)
        return self.shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        return x.unflatten(2, self.shape)


@final
@dataclass(frozen=True, kw_only=True)
class Score(Layer):
    """Vectors `(F, B, 1)` become numbers `(F, B)`."""

    def output_shape(self, shape: Shape) -> Shape:
        assert shape == (1,)
        return ()

    def apply(self, state: State, x: Tensor) -> Tensor:
        return x.squeeze(2)
