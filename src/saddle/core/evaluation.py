"""The field of a game: the direction in which each player wants to go."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from saddle.core.problem import Batch, Player, Problem
from saddle.core.state import State

__all__ = ["Evaluation", "evaluate", "field"]


class Evaluation(NamedTuple):
    """The field of some players at one state, with the objectives that were computed on the way."""

    direction: State
    "`v_p = σ_p ∇_{θ_p} L_p` for every entry of every evaluated player."
    objective: dict[str, Tensor]
    "`L_p` per evaluated player, one number a member; empty for players with a closed-form gradient."


def evaluate(
    problem: Problem, state: State, batch: Batch, players: Iterable[str] | None = None
) -> Evaluation:
    """Evaluate `v_p = σ_p ∇_{θ_p} L_p(state; batch)` for `players` (default: all), at one common state.

    Only the named players' entries are differentiated, so nothing is computed for those that stand still:
    a discriminator's step builds no graph through the generator and the reverse.
    """
    chosen = [problem.player(name) for name in players] if players is not None else list(problem.players)
    direction: State = {}
    objective: dict[str, Tensor] = {}
    for player in chosen:
        gradient = problem.gradient(player.name, state, batch)
        if gradient is not None:
            direction |= {key: player.sense * tensor for key, tensor in gradient.items()}
            continue
        own, objective[player.name] = _differentiate(problem, player, state, batch)
        direction |= own
    return Evaluation(direction, objective)


def field(problem: Problem, state: State, batch: Batch = None, players: Iterable[str] | None = None) -> State:
    """The direction part of `evaluate`."""
    return evaluate(problem, state, batch, players).direction


def _differentiate(problem: Problem, player: Player, state: State, batch: Batch) -> tuple[State, Tensor]:
    leaves = {key: state[key].detach().requires_grad_() for key in player.keys}
    with torch.enable_grad():
        value = problem.objective_of(player.name, state | leaves, batch)
        # Members are independent: the gradient of the sum is every member's own gradient. The sense goes
        # into the one number that is differentiated, not into a pass over all parameters.
        total = player.sense * value.sum()
    directions = torch.autograd.grad(total, list(leaves.values()))
    # Convolutions give gradients in another memory order than their weights have; brought into theirs once, every
    # later operation of the optimiser runs through memory in a line.
    aligned = (direction.contiguous() for direction in directions)
    return dict(zip(leaves, aligned, strict=True)), value.detach()
