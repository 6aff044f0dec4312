"""Layers made of layers: one after the other, or side by side and added."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from saddle.core.state import State
from saddle.networks.layer import Layer, Shape

__all__ = ["Chain", "Residual"]


class Composite(Layer):
    """A layer whose entries are those of its parts."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Layer, ...]:
        """The layers inside, in the order in which their entries are drawn."""

    @property
    def parameter_shapes(self) -> Mapping[str, Shape]:
        return {key: shape for part in self.parts for key, shape in part.parameter_shapes.items()}

    @property
    def buffer_shapes(self) -> Mapping[str, Shape]:
        return {key: shape for part in self.parts for key, shape in part.buffer_shapes.items()}

    @property
    def statistic_names(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts for name in part.statistic_names)

    def init(self, generator: torch.Generator) -> State:
        return {key: entry for part in self.parts for key, entry in part.init(generator).items()}

    def refresh(self, state: State) -> State:
        return {key: entry for part in self.parts for key, entry in part.refresh(state).items()}


@final
@dataclass(frozen=True, kw_only=True)
class Chain(Composite):
    """`x ↦ lₙ(… l₂(l₁(x)))`; an empty chain is the identity."""

    layers: tuple[Layer, ...] = ()

    @property
    def parts(self) -> tuple[Layer, ...]:
        return self.layers

    def output_shape(self, shape: Shape) -> Shape:
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def apply(self, state: State, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer.apply(state, x)
        return x

    def multiply_adds(self, shape: Shape) -> int:
        total = 0
        for layer in self.layers:
            total += layer.multiply_adds(shape)
            shape = layer.output_shape(shape)
        return total

    def statistics(self, state: State, x: Tensor) -> State:
        found: State = {}
        for layer in self.layers:
            fresh = layer.statistics(state, x)
            found |= fresh
            x = layer.apply(state | fresh, x)
        return found


@final
@dataclass(frozen=True, kw_only=True)
class Residual(Composite):
    """`x ↦ body(x) + shortcut(x)`; the body must leave x untouched (no in-place layer first)."""

    body: Chain
    shortcut: Chain

    @property
    def parts(self) -> tuple[Layer, ...]:
        return (self.body, self.shortcut)

    def output_shape(self, shape: Shape) -> Shape:
        after, beside = self.body.output_shape(shape), self.shortcut.output_shape(shape)
        assert after == beside, f"the body makes {after} and the shortcut {beside}"
        return after

    def apply(self, state: State, x: Tensor) -> Tensor:
        return self.body.apply(state, x) + self.shortcut.apply(state, x)

    def multiply_adds(self, shape: Shape) -> int:
        return self.body.multiply_adds(shape) + self.shortcut.multiply_adds(shape)

    def statistics(self, state: State, x: Tensor) -> State:
        return self.body.statistics(state, x) | self.shortcut.statistics(state, x)
