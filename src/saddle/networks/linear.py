"""`Linear`: one matrix product for all members."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from saddle.core.state import State
from saddle.networks.layer import Shape
from saddle.networks.weighted import Weighted

__all__ = ["Linear"]


@final
@dataclass(frozen=True, kw_only=True)
class Linear(Weighted):
    """`y = x Wᵀ + b` on vectors `(F, B, inputs)`, with weight `(F, outputs, inputs)` as in `torch.nn.Linear`."""

    @property
    def weight_shape(self) -> Shape:
        return (self.outputs, self.inputs)

    def output_shape(self, shape: Shape) -> Shape:
        assert shape == (self.inputs,), f"{self.name} takes {self.inputs} numbers, got shape {shape}"
        return (self.outputs,)

    def apply(self, state: State, x: Tensor) -> Tensor:
        weight = self.weight_of(state).transpose(1, 2)
        bias = self.bias_of(state)
        return torch.bmm(x, weight) if bias is None else torch.baddbmm(bias.unsqueeze(1), x, weight)

    def multiply_adds(self, shape: Shape) -> int:
        return self.inputs * self.outputs
