"""`BatchNorm`: by the statistics of the batch while training, by standing statistics when sampling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from saddle.core.state import State
from saddle.networks.layer import Layer, Shape

__all__ = ["BatchNorm"]


@final
@dataclass(frozen=True, kw_only=True)
class BatchNorm(Layer):
    """`y = γ (x - μ) / √(σ² + 1e-5) + β` per channel of maps, per entry of vectors, and per member.

    μ and σ² (the biased variance) are those of the batch, so training has no hidden running averages. When the state
    holds `name.mean` and `name.var`, made by `statistics` from one large batch, these are used instead and a sample
    no longer depends on its neighbours (standing statistics: Brock et al. 2019, arXiv 1809.11096, section 4.1).

    Fresh layers have β = 0 and γ = 1, or γ ~ N(1, 0.02²) with `gain_std = 0.02` (Radford et al. 2016).
    """

    name: str
    channels: int
    gain_std: float = 0.0
    epsilon: float = 1e-5

    @property
    def parameter_shapes(self) -> Mapping[str, Shape]:
        return {self.name + ".weight": (self.channels,), self.name + ".bias": (self.channels,)}

    @property
    def statistic_names(self) -> tuple[str, ...]:
        return (self.name + ".mean", self.name + ".var")

    def init(self, generator: torch.Generator) -> State:
        device = generator.device
        gain = torch.ones(self.channels, device=device)
        if self.gain_std:
            gain += self.gain_std * torch.randn(self.channels, generator=generator, device=device)
        return {self.name + ".weight": gain, self.name + ".bias": torch.zeros(self.channels, device=device)}

    def output_shape(self, shape: Shape) -> Shape:
        assert shape[0] == self.channels, f"{self.name} takes {self.channels} channels, got shape {shape}"
        return shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        if x.ndim == 3:
            fleet, batch, size = x.shape
            flat = x.transpose(0, 1).reshape(batch, fleet * size)
            return self._normalise(state, flat).view(batch, fleet, size).transpose(0, 1)
        if x.shape[2:] == (1, 1):
            # Normalised as a matrix: batch norm would return strides that no longer say "channels last".
            return self._normalise(state, x.flatten(1))[:, None, None, :].permute(0, 3, 1, 2)
        return self._normalise(state, x)

    def _normalise(self, state: State, x: Tensor) -> Tensor:
        name = self.name
        gain, shift = state[name + ".weight"].flatten(), state[name + ".bias"].flatten()
        mean = state.get(name + ".mean")
        if mean is None:
            return functional.batch_norm(x, None, None, gain, shift, True, 0.0, self.epsilon)
        variance = state[name + ".var"].flatten()
        return functional.batch_norm(x, mean.flatten(), variance, gain, shift, False, 0.0, self.epsilon)

    def statistics(self, state: State, x: Tensor) -> State:
        # Welford's update (in double precision on the CPU) inside var_mean; no sum of squares is ever formed.
        variance, mean = torch.var_mean(x, dim=1 if x.ndim == 3 else (0, 2, 3), correction=0)
        shape = (-1, self.channels)
        return {self.name + ".mean": mean.view(shape), self.name + ".var": variance.view(shape)}
