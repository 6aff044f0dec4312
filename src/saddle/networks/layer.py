"""`Layer`: one pure function of a fleet's state."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from saddle.core.state import State

__all__ = ["Layer", "Shape"]

Shape = tuple[int, ...]
"A sample's shape, without fleet and batch."


class Layer(ABC):
    """A frozen description that computes with the entries `name.…` of a state and holds no tensor itself.

    Layouts of activations inside a network, with F members and batch B:

    * vectors are `(F, B, n)`;
    * maps are *folded*: `(B, F·C, H, W)` in channels-last memory order, channel `c` of member `f` at `f·C + c`,
      so that one grouped convolution, or one batch norm, serves all members.

    Sample shapes never show the fold: `(n,)` and `(C, H, W)`.
    """

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Shape of one sample after the layer; asserts that `shape` fits."""

    @abstractmethod
    def apply(self, state: State, x: Tensor) -> Tensor:
        """Map the activations `x` of all members; entry `key` of `state` has shape `(F, *parameter_shapes[key])`."""

    @property
    def parameter_shapes(self) -> Mapping[str, Shape]:
        """Trained entries by full name, with one member's shape."""
        return {}

    @property
    def buffer_shapes(self) -> Mapping[str, Shape]:
        """Untrained entries (power-iteration vectors) by full name, with one member's shape."""
        return {}

    @property
    def statistic_names(self) -> tuple[str, ...]:
        """Full names of what `statistics` returns."""
        return ()

    def init(self, generator: torch.Generator) -> State:
        """One member's fresh entries, without the fleet dimension, drawn from `generator` alone."""
        return {}

    def multiply_adds(self, shape: Shape) -> int:
        """Multiply-adds of convolutions and matrix products for one sample of `shape`, as computed.

        Products with padding zeros count; biases, norms, activations, pooling and sums do not.
        """
        return 0

    def refresh(self, state: State) -> State:
        """The buffers one power iteration further; nothing for a layer without buffers."""
        return {}

    def statistics(self, state: State, x: Tensor) -> State:
        """Means and variances of `x` that a norm layer would otherwise take from each batch."""
        return {}
