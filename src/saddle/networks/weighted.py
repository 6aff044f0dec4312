"""`Weighted`: what linear and convolution layers share: a weight, perhaps a bias, perhaps spectral norm."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from saddle.core.state import State
from saddle.networks.layer import Layer, Shape
from saddle.networks.spectral import power_iteration, spectral_scale

__all__ = ["Weighted"]

INITIAL_ITERATIONS = 15


@dataclass(frozen=True, kw_only=True)
class Weighted(Layer):
    """A layer that is linear in `name.weight`; `name.bias` is optional.

    The layer computes with `multiplier · weight`. With spectral norm that is `multiplier · weight / σ`, where σ comes from the buffers `name.u` and `name.v`
    (see `spectral_scale`); a fresh layer has run 15 power iterations, so σ is right from the first step.
    """

    name: str
    "Full name, the network's prefix included; entries of the state are `name.weight` and so on."
    inputs: int
    outputs: int
    std: float
    "Standard deviation of fresh weights (see `initial`)."
    bias: bool = True
    spectral: bool = False
    multiplier: float = 1.0
    "What the stored weight is multiplied by; see `maximal_update`."

    @property
    @abstractmethod
    def weight_shape(self) -> Shape:
        """Shape of one member's weight."""

    def matrix(self, weight: Tensor) -> Tensor:
        """`(F, outputs, everything else)`: the matrix whose singular value spectral norm bounds."""
        return weight.flatten(2)

    @property
    def parameter_shapes(self) -> Mapping[str, Shape]:
        shapes: dict[str, Shape] = {self.name + ".weight": self.weight_shape}
        return shapes | ({self.name + ".bias": (self.outputs,)} if self.bias else {})

    @property
    def buffer_shapes(self) -> Mapping[str, Shape]:
        if not self.spectral:
            return {}
        rest = prod(self.weight_shape) // self.outputs
        return {self.name + ".u": (self.outputs,), self.name + ".v": (rest,)}

    def init(self, generator: torch.Generator) -> State:
        device = generator.device
        weight = torch.randn(self.weight_shape, generator=generator, device=device) * self.std
        state = {self.name + ".weight": weight}
        if self.bias:
            state[self.name + ".bias"] = torch.zeros(self.outputs, device=device)
        if self.spectral:
            start = torch.randn(1, self.outputs, generator=generator, device=device)
            u, v = power_iteration(self.matrix(weight.unsqueeze(0)), start, INITIAL_ITERATIONS)
            state |= {self.name + ".u": u[0], self.name + ".v": v[0]}
        return state

    def refresh(self, state: State) -> State:
        if not self.spectral:
            return {}
        matrix = self.matrix(state[self.name + ".weight"].detach())
        u, v = power_iteration(matrix, state[self.name + ".u"])
        return {self.name + ".u": u, self.name + ".v": v}

    def weight_of(self, state: State) -> Tensor:
        """`(F, *weight_shape)`: the weight that the layer computes with."""
        weight = state[self.name + ".weight"]
        if self.spectral:
            scale = spectral_scale(self.matrix(weight), state[self.name + ".u"], state[self.name + ".v"])
            weight = weight / scale.view(-1, *(1,) * len(self.weight_shape))
        return weight if self.multiplier == 1 else weight * self.multiplier

    def bias_of(self, state: State) -> Tensor | None:
        """`(F, outputs)`, or none."""
        return state[self.name + ".bias"] if self.bias else None
