"""Alternating gradient descent-ascent, with several steps of one player a step of the other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import final

from saddle.core.evaluation import evaluate
from saddle.core.problem import Batch, Problem
from saddle.core.state import State
from saddle.dynamics.base_step import Memory
from saddle.dynamics.dynamics import Dynamics, moved_by, objectives
from saddle.errors import UserError

__all__ = ["Alternating"]


@final
@dataclass(frozen=True, kw_only=True)
class Alternating(Dynamics):
    """The players step one after the other, each from where the earlier ones have just arrived.

    In the order of `order` (default: the problem's), each player repeats its own step `repeats[player]`
    times (default once), every time on a fresh batch; `n` repeats of the discriminator are the "critic steps"
    of Wasserstein GANs.

    On a bilinear game min_x max_y a·xy with steps h and 0 < ha < 2 both eigenvalues have modulus 1:
    it neither converges nor diverges.
    """

    order: tuple[str, ...] | None = None
    "Names of the players in the order in which they move; default: the order of the problem."
    repeats: Mapping[str, int] = field(default_factory=dict)
    "Steps in a row of each named player."

    def __post_init__(self) -> None:
        for player, count in self.repeats.items():
            if count < 1:
                raise UserError(f"{player!r} would take {count} steps in a row; it must take at least 1.")

    def step(
        self, problem: Problem, state: State, memory: Memory, batches: Iterator[Batch]
    ) -> tuple[State, Memory]:
        for name in self.order or tuple(player.name for player in problem.players):
            player = problem.player(name)
            for _ in range(self.repeats.get(name, 1)):
                direction, values = evaluate(problem, state, next(batches), (name,))
                displacement, changed = self._displace(player, direction, memory)
                state = moved_by(problem, state, displacement, (player,))
                memory = memory | changed | objectives(values)
        return state, memory
