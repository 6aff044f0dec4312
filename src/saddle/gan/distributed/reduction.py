"""Sums and means over processes as differentiable functions.

Every process differentiates its own part of the mean objective, with its own copy of the parameters. What one process
adds to a sum is part of every process's sum, so its slope is the sum of all slopes: the sum over processes is its own
adjoint, at every order of differentiation. All processes must build the same graph.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import Function

from saddle.core.state import State
from saddle.gan.distributed.world import add_up

__all__ = ["mean_value", "same_everywhere", "total"]


def total(x: Tensor) -> Tensor:
    """The sum of `x` over all processes, differentiable any number of times."""
    return cast(Tensor, _Total.apply(x))


def mean_value(x: Tensor, processes: int) -> Tensor:
    """The mean of `x` over all processes, with this process's own `x` as what is differentiated.

    The mean's other terms are differentiated by the other processes; `same_everywhere` brings them together.
    """
    return cast(Tensor, _Mean.apply(x, processes))


def same_everywhere(entries: Mapping[str, Tensor], processes: int) -> State:
    """Parameters that all processes share: their slopes are averaged over processes, in one message for all."""
    return dict(zip(entries, _Same.apply(processes, *entries.values()), strict=True))  # pyrefly: ignore


class _Total(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        summed = x.detach().clone(memory_format=torch.contiguous_format)
        add_up(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        return total(grad_outputs[0])


class _Mean(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, processes: int) -> Tensor:
        summed = x.detach().clone(memory_format=torch.contiguous_format)
        add_up(summed)
        return summed / processes

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        return grad_outputs[0], None


class _Same(Function):
    @staticmethod
    def forward(ctx: Any, processes: int, *parameters: Tensor) -> tuple[Tensor, ...]:
        ctx.processes = processes
        return tuple(parameter.view_as(parameter) for parameter in parameters)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        flat = total(torch.cat([slope.flatten() for slope in grad_outputs])) / ctx.processes
        parts = flat.split([slope.numel() for slope in grad_outputs])
        return None, *(part.view(slope.shape) for part, slope in zip(parts, grad_outputs, strict=True))
