"""Convolutions of folded maps: groups are members, so one kernel serves the whole fleet."""

from dataclasses import dataclass
from typing import cast, final

from torch import Tensor
from torch.nn import functional

from saddle.core.state import State
from saddle.networks.adjoint import ConvAdjoint, adjoint_pays
from saddle.networks.layer import Shape
from saddle.networks.weighted import Weighted

__all__ = ["Conv", "DownConv", "TransposedConv", "UpConv"]


@final
@dataclass(frozen=True, kw_only=True)
class Conv(Weighted):
    """`torch.nn.Conv2d` for every member, with weight `(F, outputs, inputs, kernel, kernel)`."""

    kernel: int = 3
    stride: int = 1
    padding: int = 1

    @property
    def weight_shape(self) -> Shape:
        return (self.outputs, self.inputs, self.kernel, self.kernel)

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.inputs, f"{self.name} takes {self.inputs} channels, got shape {shape}"
        height, width = ((n + 2 * self.padding - self.kernel) // self.stride + 1 for n in shape[1:])
        return (self.outputs, height, width)

    def apply(self, state: State, x: Tensor) -> Tensor:
        return grouped(x, self.weight_of(state), self.bias_of(state), self.stride, self.padding)

    def multiply_adds(self, shape: Shape) -> int:
        outputs, height, width = self.output_shape(shape)
        return outputs * height * width * self.inputs * self.kernel**2


@final
@dataclass(frozen=True, kw_only=True)
class TransposedConv(Weighted):
    """`torch.nn.ConvTranspose2d(4, stride 2, padding 1)`: doubles the side; weight `(F, inputs, outputs, 4, 4)`."""

    @property
    def weight_shape(self) -> Shape:
        return (self.inputs, self.outputs, 4, 4)

    def matrix(self, weight: Tensor) -> Tensor:
        return weight.transpose(1, 2).flatten(2)

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.inputs, f"{self.name} takes {self.inputs} channels, got shape {shape}"
        return (self.outputs, 2 * shape[1], 2 * shape[2])

    def apply(self, state: State, x: Tensor) -> Tensor:
        return grouped_transposed(x, self.weight_of(state), self.bias_of(state))

    def multiply_adds(self, shape: Shape) -> int:
        _, height, width = shape
        return self.inputs * height * width * self.outputs * 16


@final
@dataclass(frozen=True, kw_only=True)
class UpConv(Weighted):
    """A 3x3 convolution (padding 1) of the map with every pixel repeated 2x2, with weight `(F, outputs, inputs, 3, 3)`.

    Computed as the transposed 4x4 convolution of stride 2 that it equals: 16 instead of 36 multiply-adds per input
    pixel and channel pair (fused upscaling: Karras et al. 2018, arXiv 1710.10196, reference code).
    """

    @property
    def weight_shape(self) -> Shape:
        return (self.outputs, self.inputs, 3, 3)

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.inputs, f"{self.name} takes {self.inputs} channels, got shape {shape}"
        return (self.outputs, 2 * shape[1], 2 * shape[2])

    def apply(self, state: State, x: Tensor) -> Tensor:
        kernel = box(self.weight_of(state)).flip((3, 4)).transpose(1, 2)
        return grouped_transposed(x, kernel, self.bias_of(state))

    def multiply_adds(self, shape: Shape) -> int:
        _, height, width = shape
        return self.inputs * height * width * self.outputs * 16


@final
@dataclass(frozen=True, kw_only=True)
class DownConv(Weighted):
    """The means over 2x2 pixels of a 3x3 convolution (padding 1), with weight `(F, outputs, inputs, 3, 3)`.

    Computed as the 4x4 convolution of stride 2 that it equals: 16 instead of 36 multiply-adds per output pixel and
    channel pair (the adjoint of `UpConv`).
    """

    @property
    def weight_shape(self) -> Shape:
        return (self.outputs, self.inputs, 3, 3)

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.inputs, f"{self.name} takes {self.inputs} channels, got shape {shape}"
        return (self.outputs, shape[1] // 2, shape[2] // 2)

    def apply(self, state: State, x: Tensor) -> Tensor:
        return grouped(x, box(self.weight_of(state)) / 4, self.bias_of(state), 2, 1)

    def multiply_adds(self, shape: Shape) -> int:
        outputs, height, width = self.output_shape(shape)
        return outputs * height * width * self.inputs * 16


def box(kernel: Tensor) -> Tensor:
    """The kernel `(…, 3, 3)` convolved with a 2x2 square of ones: `(…, 4, 4)`."""
    rows = functional.pad(kernel, (0, 0, 0, 1)) + functional.pad(kernel, (0, 0, 1, 0))
    return functional.pad(rows, (0, 1)) + functional.pad(rows, (1, 0))


def grouped(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """Convolve folded maps with `weight` `(F, O, I, k, k)` and `bias` `(F, O)`."""
    shift = None if bias is None else bias.flatten()
    return functional.conv2d(x, weight.flatten(0, 1), shift, stride, padding, 1, weight.shape[0])


def grouped_transposed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Transposed convolution (stride 2, padding 1) of folded maps with `weight` `(F, I, O, 4, 4)`."""
    members, inputs, outputs = weight.shape[:3]
    shift = None if bias is None else bias.flatten()
    kernels = weight.flatten(0, 1)
    if not adjoint_pays(x, members, inputs):
        return functional.conv_transpose2d(x, kernels, shift, 2, 1, 0, members)
    y = cast(Tensor, ConvAdjoint.apply(x, kernels, members))
    return y if shift is None else y + shift.view(members * outputs, 1, 1)
