"""`Activation`: an elementwise nonlinearity, the same for vectors and maps."""

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor
from torch.nn import functional

from saddle.core.state import State
from saddle.networks.layer import Layer, Shape

__all__ = ["Activation"]


@final
@dataclass(frozen=True, kw_only=True)
class Activation(Layer):
    """`relu`: max(x, 0); `leaky`: x or 0.2 x where negative; `tanh`."""

    kind: Literal["relu", "leaky", "tanh"]
    in_place: bool = True
    "Overwrite x: right after a convolution, matrix product or norm, none of which keeps its output for backward."

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        if self.kind == "relu":
            return torch.relu_(x) if self.in_place else torch.relu(x)
        if self.kind == "leaky":
            return functional.leaky_relu(x, 0.2, inplace=self.in_place)
        return torch.tanh_(x) if self.in_place else torch.tanh(x)
