"""`Dynamics`: a scheme that moves the players of any problem."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from saddle.core.problem import Batch, Player, Problem
from saddle.core.state import State
from saddle.dynamics.base_step import BaseStep, Memory, Sgd
from saddle.dynamics.steps import Steps

__all__ = ["OBJECTIVE", "Dynamics"]

OBJECTIVE = "objective/"
"""Prefix of the memory entries that keep each player's last evaluated objective, for records."""


@dataclass(frozen=True, kw_only=True)
class Dynamics(ABC):
    """A scheme with pure `init` and `step`: nothing is changed in place, so any state can be kept or compared.

    A step draws from `batches` one batch an evaluation of the field (alternation with n critic steps draws
    n + 1, extragradient 2, the others 1); a deterministic problem passes `itertools.repeat(None)`.
    """

    steps: Steps
    "One positive step per player."
    base: BaseStep = field(default_factory=Sgd)
    "How a direction becomes a displacement: `Sgd()` or `Adam()`."

    def init(self, problem: Problem, state: State) -> Memory:
        """Memory before the first step."""
        memory: Memory = {}
        for player in problem.players:
            memory |= self.base.init(player, state)
        return memory

    @abstractmethod
    def step(
        self, problem: Problem, state: State, memory: Memory, batches: Iterator[Batch]
    ) -> tuple[State, Memory]:
        """One step of every player; returns the new state and memory."""

    def _displace(self, player: Player, direction: State, memory: Memory) -> tuple[State, Memory]:
        return self.base.displacement(player, direction, memory, self.steps.of(player.name))

    def _displace_all(self, problem: Problem, direction: State, memory: Memory) -> tuple[State, Memory]:
        moved: State = {}
        for player in problem.players:
            displacement, changed = self._displace(player, direction, memory)
            moved |= displacement
            memory = memory | changed
        return moved, memory


def moved_by(problem: Problem, state: State, displacement: State, players: tuple[Player, ...]) -> State:
    """`state + displacement`, then whatever follows each player (`Problem.project`)."""
    keys = list(displacement)
    sums = torch._foreach_add([state[key] for key in keys], list(displacement.values()))
    state = state | dict(zip(keys, sums, strict=True))
    for player in players:
        state = state | problem.project(player.name, state)
    return state


def objectives(values: dict[str, torch.Tensor]) -> Memory:
    """Memory entries that record the objectives of an evaluation."""
    return {OBJECTIVE + name: value for name, value in values.items()}
