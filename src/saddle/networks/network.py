"""`Network`: a chain of layers with one interface for a fleet of seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.networks.composite import Chain
from saddle.networks.layer import Layer, Shape

__all__ = ["Network"]

COMPILATIONS = 1024
"Of all networks of a process together; a network has two or three (with and without gradients, and per batch size)."


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class Network:
    """A pure function `(state, x) ↦ y` of F members and B samples each; members never mix.

    The state's entries carry their full names (prefix included), so the states of a generator and a discriminator
    can share one dictionary; entries that the network does not know are ignored.
    """

    layers: tuple[Layer, ...]
    input_shape: Shape
    "One sample's shape: `(latent,)` of a generator, `(C, S, S)` of a discriminator."
    name: str = "network"
    together_up_to: int = 250_000_000
    """Multiply-adds of one member and call above which members are computed one after the other.

    Small members share kernels (up to 5 times faster on a CPU); large ones fill a kernel alone and stay in the cache.
    Measured on a CPU, where the two cross near this number for convolutions; the results agree to rounding.
    """
    channels_last: bool = True
    "Whether maps lie channel by channel for every pixel, or as whole maps; the results agree to rounding."
    compiler: str | None = None
    """Backend of `torch.compile` that makes one kernel of many, or None. Without second derivatives: what a penalty
    differentiates twice cannot be compiled."""

    def __post_init__(self) -> None:
        names = [*self.parameters, *self.buffers]
        assert len(set(names)) == len(names), f"{self.name}: two entries share a name"
        assert len(self.output_shape) in (0, 1, 3)

    def init(self, generators: Sequence[torch.Generator]) -> State:
        """Fresh parameters and buffers of `len(generators)` members; member i is drawn from `generators[i]` alone."""
        assert generators, "a fleet needs a generator for each member"
        members = [self._chain.init(generator) for generator in generators]
        return {key: torch.stack([member[key] for member in members]) for key in members[0]}

    def __call__(
        self, state: State, x: Float[Tensor, "fleet batch *sample"]
    ) -> Float[Tensor, "fleet batch *result"]:
        """The outputs of all members.

        With the entries of `statistics` in `state`, batch norms use these; otherwise those of each member's batch.
        """
        fleet, batch = x.shape[:2]
        if fleet > 1 and batch * self.multiply_adds > self.together_up_to:
            members = self._members(state, fleet)
            return torch.stack([self._forward(member, x[i : i + 1])[0] for i, member in enumerate(members)])
        return self._forward(state, x)

    @torch.no_grad()
    def statistics(self, state: State, x: Float[Tensor, "fleet batch *sample"]) -> State:
        """Standing statistics: mean and variance at every batch norm, from the one batch `x`.

        `network(state | network.statistics(state, x), x)` is `network(state, x)`; on other inputs every sample is
        computed alone. Give a batch of several hundred, with latents that are drawn once. Empty without batch norm.
        """
        # One member at a time: the batch is large, and so are its activations.
        members = self._members(state, len(x))
        found = [self._chain.statistics(member, x[i : i + 1]) for i, member in enumerate(members)]
        return {key: torch.cat([each[key] for each in found]) for key in self.statistic_names}

    def refresh(self, state: State) -> State:
        """The power-iteration buffers one iteration further (only these); no gradient is recorded."""
        return self._chain.refresh(state)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every parameter and buffer of one member, without making any."""
        return {**self._chain.parameter_shapes, **self._chain.buffer_shapes}

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the trained entries."""
        return tuple(self._chain.parameter_shapes)

    @cached_property
    def buffers(self) -> tuple[str, ...]:
        """Names of the untrained entries."""
        return tuple(self._chain.buffer_shapes)

    @cached_property
    def statistic_names(self) -> tuple[str, ...]:
        """Names of the entries that `statistics` returns."""
        return self._chain.statistic_names

    @cached_property
    def output_shape(self) -> Shape:
        """One sample's result: `(C, S, S)` of a generator, `()` of a discriminator."""
        return self._chain.output_shape(self.input_shape)

    @cached_property
    def parameter_count(self) -> int:
        """Trained numbers of one member."""
        return sum(prod(shape) for shape in self._chain.parameter_shapes.values())

    @cached_property
    def multiply_adds(self) -> int:
        """Multiply-adds of one forward pass of one sample, as computed.

        Convolutions and matrix products count, with their padding zeros; biases, norms, activations, pooling and
        sums do not. A FLOP count is twice this.
        """
        return self._chain.multiply_adds(self.input_shape)

    @cached_property
    def _forward(self) -> Callable[[State, Tensor], Tensor]:
        if self.compiler is None:
            return self._apply
        # One code serves all networks, and torch counts the compilations of a code: with its limit of 8 the third
        # width of a sweep would be refused.
        limits = torch._dynamo.config
        limits.recompile_limit = max(limits.recompile_limit, COMPILATIONS)
        limits.accumulated_recompile_limit = max(limits.accumulated_recompile_limit, COMPILATIONS)
        return torch.compile(self._apply, backend=self.compiler, fullgraph=True, dynamic=False)

    def _apply(self, state: State, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer.apply(state, x)
            if (
                not self.channels_last and x.ndim == 4
            ):  # a folded map; no copy after the layer that made it one
                x = x.contiguous()
        return x

    def _members(self, state: State, fleet: int) -> list[State]:
        """The fleet as fleets of one; `unbind`, because its backward gathers all members' gradients in one copy."""
        known = (*self.parameters, *self.buffers, *self.statistic_names)
        apart = {key: state[key].unbind() for key in known if key in state}
        return [{key: each[i].unsqueeze(0) for key, each in apart.items()} for i in range(fleet)]

    @cached_property
    def _chain(self) -> Chain:
        return Chain(layers=self.layers)

    def __repr__(self) -> str:
        shapes = ["x".join(map(str, shape)) or "1" for shape in (self.input_shape, self.output_shape)]
        return (
            f"<{self.name}: {shapes[0]} → {shapes[1]}, {self.parameter_count:,} parameters, "
            f"{self.multiply_adds:,} multiply-adds>"
        )
