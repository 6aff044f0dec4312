"""`BatchNorm`: by the statistics of the batch while training, by standing statistics when sampling."""

from collections.abc import Callable, Mapping
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
    total: Callable[[Tensor], Tensor] | None = None
    "Sum over the processes that hold a part of the batch each, as a differentiable function; None: there is one."
    processes: int = 1
    "How many they are; their parts are of one size."

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
        if mean is None and self.total is not None:
            return self._over_processes(x, gain, shift, self.total)
        if mean is None:
            return functional.batch_norm(x, None, None, gain, shift, True, 0.0, self.epsilon)
        variance = state[name + ".var"].flatten()
        return functional.batch_norm(x, mean.flatten(), variance, gain, shift, False, 0.0, self.epsilon)

    def _over_processes(
        self, x: Tensor, gain: Tensor, shift: Tensor, total: Callable[[Tensor], Tensor]
    ) -> Tensor:
        axes, shape = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
        wide = x.to(gain.dtype)  # sums are not for reduced precision
        count = x.numel() // x.shape[1] * self.processes
        # First the mean and then the squares around it: a second message, and no difference of large sums.
        centred = wide - (total(wide.sum(axes)) / count).view(shape)
        variance = total(centred.square().sum(axes)) / count
        scale = gain * (variance + self.epsilon).rsqrt()
        return (centred * scale.view(shape) + shift.view(shape)).to(x.dtype)

    def statistics(self, state: State, x: Tensor) -> State:
        # Welford's update (in double precision on the CPU) inside var_mean; no sum of squares is ever formed.
        variance, mean = torch.var_mean(x, dim=1 if x.ndim == 3 else (0, 2, 3), correction=0)
        shape = (-1, self.channels)
        return {self.name + ".mean": mean.view(shape), self.name + ".var": variance.view(shape)}
