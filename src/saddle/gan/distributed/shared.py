"""A GAN as one process of several sees it: its own part of the batch, everybody's objective and gradient."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.problem import Problem
from saddle.core.state import State
from saddle.errors import UserError
from saddle.gan.batches import GanBatch
from saddle.gan.distributed.reduction import mean_value, same_everywhere, total
from saddle.gan.distributed.world import World, add_up
from saddle.gan.problem import GanProblem
from saddle.gan.weighing import BallWeighing, Weighing
from saddle.networks import Network
from saddle.networks.composite import Chain, Composite, Residual
from saddle.networks.layer import Layer
from saddle.networks.norm import BatchNorm

__all__ = ["Distributed"]


@final
class Distributed(Problem):
    """`problem` on the whole batch of which every process holds its part.

    Every objective of a GAN is a mean over the batch, penalties included, so the whole batch's is the mean of the
    parts', and its gradient the mean of theirs; batch norms take their statistics over all parts. Spectral norm's
    vectors depend on the weights only, and every process refreshes its own.
    """

    def __init__(self, problem: GanProblem, world: World) -> None:
        if problem.config.batch % world.size:
            raise UserError(
                f"--batch {problem.config.batch} cannot be shared out evenly among {world.size} processes; choose a "
                f"multiple of {world.size}, or another number of processes."
            )
        self.players, self._size = problem.players, world.size
        self._problem = replace(
            problem,
            generator=_over_all(problem.generator, world.size),
            discriminator=_over_all(problem.discriminator, world.size),
            weighing=_shared(problem.weighing, world),
        )

    def init(self, generators: Sequence[torch.Generator]) -> State:
        return self._problem.init(generators)

    def objective(self, state: State, batch: GanBatch) -> dict[str, Float[Tensor, " fleet"]]:
        return {player.name: self.objective_of(player.name, state, batch) for player in self.players}

    def objective_of(self, player: str, state: State, batch: GanBatch) -> Float[Tensor, " fleet"]:
        live = {key: tensor for key, tensor in state.items() if tensor.requires_grad}
        if live:
            state = state | same_everywhere(live, self._size)
        return mean_value(self._problem.objective_of(player, state, batch), self._size)

    def project(self, player: str, state: State) -> State:
        return self._problem.project(player, state)

    def __repr__(self) -> str:
        return f"Distributed({self._problem!r}, {self._size} processes)"


def _shared(weighing: Weighing | None, world: World) -> Weighing | None:
    """Weights of the whole batch, from the scores of all parts; every process finds the same ones and takes its own."""
    if weighing is None:
        return None
    if not isinstance(weighing, BallWeighing):
        raise UserError(
            "--robust-by network trains in one process only, because its weights are normalised over the whole batch; "
            "use --robust-by exact or trim, which several processes share, or start one process."
        )

    def whole(scores: Tensor) -> Tensor:
        fleet, part = scores.shape
        gathered = scores.new_zeros(fleet, world.size, part)
        gathered[:, world.rank] = scores
        add_up(gathered)
        return gathered.flatten(1)

    def part(weights: Tensor) -> Tensor:
        return weights.unflatten(1, (world.size, -1))[:, world.rank]

    return replace(weighing, whole=whole, part=part)


def _over_all(network: Network, processes: int) -> Network:
    return replace(network, layers=tuple(_joined(layer, processes) for layer in network.layers))


def _joined(layer: Layer, processes: int) -> Layer:
    if isinstance(layer, BatchNorm):
        return replace(layer, total=total, processes=processes)
    if isinstance(layer, Chain):
        return Chain(layers=tuple(_joined(part, processes) for part in layer.layers))
    if isinstance(layer, Residual):
        body, shortcut = _joined(layer.body, processes), _joined(layer.shortcut, processes)
        assert isinstance(body, Chain) and isinstance(shortcut, Chain)
        return Residual(body=body, shortcut=shortcut)
    assert not isinstance(layer, Composite), f"{type(layer).__name__} may hide a batch norm"
    return layer
