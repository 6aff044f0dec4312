"""The dynamics that a GAN's configuration names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.evaluation import evaluate
from saddle.core.problem import Batch, Player, Problem
from saddle.core.state import State
from saddle.dynamics import Adam, Alternating, Dynamics, Extragradient, Optimistic, Simultaneous, Steps
from saddle.dynamics.base_step import Memory
from saddle.dynamics.dynamics import moved_by
from saddle.gan.batches import GanBatch
from saddle.gan.config import GanConfig
from saddle.gan.problem import DISCRIMINATOR, GENERATOR, WEIGHTS
from saddle.gan.weighing import PREFIX

__all__ = ["WithWeightNetwork", "make_dynamics"]


def make_dynamics(config: GanConfig) -> Dynamics:
    """The scheme of `config` with Adam and a step for each player; alternation moves the discriminator first."""
    steps = Steps(by_player={GENERATOR: config.lr_g, DISCRIMINATOR: config.lr_d})
    base = Adam(beta1=config.beta1, beta2=config.beta2)
    if config.robust > 0 and config.robust_by == "network":
        return WithWeightNetwork(
            steps=Steps(by_player={WEIGHTS: config.lr_d}),
            base=base,
            scheme=_scheme(config, steps, base),
            every=config.robust_every,
            after=config.robust_after,
            repeats=config.critic_steps,
        )
    return _scheme(config, steps, base)


def _scheme(config: GanConfig, steps: Steps, base: Adam) -> Dynamics:
    if config.scheme == "alternating":
        return Alternating(
            steps=steps,
            base=base,
            order=(DISCRIMINATOR, GENERATOR),
            repeats={DISCRIMINATOR: config.critic_steps},
        )
    schemes: dict[str, type[Dynamics]] = {
        "simultaneous": Simultaneous,
        "extragradient": Extragradient,
        "optimistic": Optimistic,
    }
    return schemes[config.scheme](steps=steps, base=base)


@final
@dataclass(frozen=True, kw_only=True)
class WithWeightNetwork(Dynamics):
    """The two players' own scheme, and after it the steps of the network that learns the images' weights.

    Of the discriminator's steps 1, 2, 3, … (`repeats` in each step of the scheme) those that are multiples of `every`
    and larger than `after` are each followed by a step of the weight network, on a fresh batch. Until the first
    one all weights are 1.

    Source: Balaji, Chellappa & Feizi 2020, the authors' code (update every 5 steps once 300 are done).
    """

    scheme: Dynamics
    "How discriminator and generator move."
    every: int
    after: int
    repeats: int = 1

    def init(self, problem: Problem, state: State) -> Memory:
        return self.scheme.init(problem, state) | self.base.init(_player(state), state)

    def step(
        self, problem: Problem, state: State, memory: Memory, batches: Iterator[Batch]
    ) -> tuple[State, Memory]:
        state, memory = self.scheme.step(problem, state, memory, batches)
        batch: GanBatch = next(batches)  # draws nothing before it is used
        for _ in range(self._due(batch.step)):
            player = _player(state)
            alone = _Alone(problem, player)
            direction, _ = evaluate(alone, state, batch)
            displacement, memory = self.displace((player,), direction, memory)
            state = moved_by(alone, state, displacement, (player,))
            batch = next(batches)
        return state, memory

    def _due(self, step: int) -> int:
        """How many of the discriminator's steps `step · repeats + 1, …, (step + 1) · repeats` are followed by one."""
        first = max(step * self.repeats, self.after)
        return max((step + 1) * self.repeats // self.every - first // self.every, 0)


@final
class _Alone(Problem):
    """The weight network's part of a game, the others standing still."""

    def __init__(self, game: Problem, player: Player) -> None:
        self._game, self.players = game, (player,)

    def init(self, generators: Sequence[torch.Generator]) -> State:
        return self._game.init(generators)

    def objective(self, state: State, batch: Batch) -> dict[str, Float[Tensor, " fleet"]]:
        return {WEIGHTS: self._game.objective_of(WEIGHTS, state, batch)}


def _player(state: State) -> Player:
    return Player(name=WEIGHTS, keys=tuple(key for key in state if key.startswith(PREFIX)))
