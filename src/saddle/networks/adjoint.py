"""A transposed convolution as the adjoint of a convolution: the same numbers by another kernel."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

__all__ = ["ConvAdjoint", "adjoint_pays"]


def adjoint_pays(x: Tensor, members: int, inputs: int) -> bool:
    """Whether `ConvAdjoint` beats the library's grouped transposed convolution.

    On the CPU (torch 2.13, AVX-512) with more than 8 and up to 16 input channels a member the latter falls to a
    kernel that is 1.6 to 5 times slower; everywhere else the two are equal within 10 %.
    """
    return members > 1 and 8 < inputs <= 16 and x.device.type == "cpu"


class ConvAdjoint(Function):
    """`y = ∂/∂c ⟨x, conv(c, weight)⟩` for the 4x4 convolution of stride 2 and padding 1 with `groups` groups.

    That is `conv_transpose2d(x, weight, stride=2, padding=1, groups=groups)`. Its backward is a plain convolution and
    a weight gradient, both differentiable, so derivatives of any order work.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.groups = groups
        batch, _, height, width = x.shape
        shape = (batch, weight.shape[1] * groups, 2 * height, 2 * width)
        # The values of the convolution's input do not enter its own adjoint; its memory format does.
        hollow = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        return _conv_backward(x, hollow, weight, groups, 0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        for_x = for_weight = None
        if ctx.needs_input_grad[0]:
            for_x = functional.conv2d(gradient, weight, None, 2, 1, 1, ctx.groups)
        if ctx.needs_input_grad[1]:
            for_weight = _conv_backward(x, gradient, weight, ctx.groups, 1)
        return for_x, for_weight, None


def _conv_backward(gradient: Tensor, x: Tensor, weight: Tensor, groups: int, which: int) -> Tensor:
    """Gradient of `conv(x, weight)` with respect to `x` (which = 0) or `weight` (1), given that of its output."""
    mask = [which == 0, which == 1, False]
    return torch.ops.aten.convolution_backward(
        gradient, x, weight, None, [2, 2], [1, 1], [1, 1], False, [0, 0], groups, mask
    )[which]
