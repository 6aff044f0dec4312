"""`State`: everything that moves, as named tensors whose first dimension is the fleet."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["State", "fleet_size", "member", "stack"]

State = dict[str, Tensor]
"""Named tensors; the leading dimension of each is the *fleet*: F independent copies (seeds) of one problem.

Sums over members have independent gradients, so one automatic differentiation trains the whole fleet.
"""


def fleet_size(state: State) -> int:
    """Number of members F, the leading dimension that all entries of `state` share."""
    sizes = {tensor.shape[0] for tensor in state.values()}
    assert len(sizes) == 1, f"entries of one state disagree about the fleet: {sorted(sizes)}"
    return sizes.pop()


def member(state: State, index: int) -> State:
    """A fleet of one that holds a copy of member `index` of `state`."""
    return {key: tensor[index : index + 1].clone() for key, tensor in state.items()}


def stack(states: Sequence[State]) -> State:
    """Join fleets (of any sizes, with the same entries) into one; the inverse of `member`."""
    assert states, "an empty fleet cannot be stacked"
    return {key: torch.cat([state[key] for state in states]) for key in states[0]}
