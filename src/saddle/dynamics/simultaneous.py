"""Simultaneous gradient descent-ascent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from saddle.core.evaluation import evaluate
from saddle.core.problem import Batch, Problem
from saddle.core.state import State
from saddle.dynamics.base_step import Memory
from saddle.dynamics.dynamics import Dynamics, moved_by, objectives

__all__ = ["Simultaneous"]


@final
@dataclass(frozen=True, kw_only=True)
class Simultaneous(Dynamics):
    """Every player steps from the same point.

    With the field `v` and steps `h`:  `z⁺ = z + h v(z)`.

    On a bilinear game min_x max_y a·xy the radius is `√(1 + h²a²)` > 1: it spirals out for every step.
    """

    def step(
        self, problem: Problem, state: State, memory: Memory, batches: Iterator[Batch]
    ) -> tuple[State, Memory]:
        direction, values = evaluate(problem, state, next(batches))
        displacement, memory = self._displace_all(problem, direction, memory)
        return moved_by(problem, state, displacement, problem.players), memory | objectives(values)
