"""A fleet of small multilayer perceptrons, and the gradient of a penalised critic in closed form.

The units are leaky ReLUs, so away from their kinks the second derivative of the network by its input is zero: the
gradient of a gradient penalty needs no second pass of automatic differentiation, only one more sweep forwards.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core import State, uniform

__all__ = ["SLOPE", "Traced", "apply", "draw_weights", "keys_of", "trace"]

SLOPE = 0.2
"Of a unit below zero."


def keys_of(player: str, layers: int) -> tuple[str, ...]:
    """The entries of a network in the state."""
    return tuple(f"{player}.{kind}{i}" for i in range(1, layers + 1) for kind in ("weight", "bias"))


def draw_weights(generators: Sequence[torch.Generator], player: str, sizes: Sequence[int]) -> State:
    """Weights (F, out, in) and biases (F, out), uniform on ±1/√in as torch's linear layers draw them."""
    state: State = {}
    for i, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1):
        bound = 1 / math.sqrt(inputs)
        state[f"{player}.weight{i}"] = bound * (
            2 * uniform(generators, outputs, inputs, dtype=torch.float32) - 1
        )
        state[f"{player}.bias{i}"] = bound * (2 * uniform(generators, outputs, dtype=torch.float32) - 1)
    return state


class Traced(NamedTuple):
    """A network's output, with what its gradient needs."""

    output: Float[Tensor, "fleet batch out"]
    hidden: list[Tensor]
    "The input, then the values of every hidden layer, (fleet, batch, width)."


def trace(state: State, player: str, layers: int, x: Float[Tensor, "fleet batch in"]) -> Traced:
    """Evaluate the network and keep every layer's values."""
    hidden = [x]
    for i in range(1, layers):
        x = torch.nn.functional.leaky_relu_(_linear(state, player, i, x), SLOPE)
        hidden.append(x)
    return Traced(_linear(state, player, layers, x), hidden)


def apply(
    state: State, player: str, layers: int, x: Float[Tensor, "fleet batch in"]
) -> Float[Tensor, "fleet batch out"]:
    """Evaluate the network; automatic differentiation may run through it."""
    for i in range(1, layers):
        x = torch.nn.functional.leaky_relu(_linear(state, player, i, x), SLOPE)
    return _linear(state, player, layers, x)


def _linear(state: State, player: str, i: int, x: Tensor) -> Tensor:
    return torch.baddbmm(state[f"{player}.bias{i}"].unsqueeze(1), x, state[f"{player}.weight{i}"].mT)
