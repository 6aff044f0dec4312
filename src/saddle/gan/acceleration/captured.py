"""Evaluations of a GAN's field as CUDA graphs: hundreds of kernels launched by one call.

A small network's step on a GPU waits for Python to launch its kernels. A graph is launched whole; it always computes
on the same memory, so parameters and batch are copied there before (two calls) and the gradients are read from there.
The optimiser stays outside: it is a dozen calls for all tensors, and its factors change from step to step.
"""

from collections.abc import Sequence
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from saddle.core.problem import Problem
from saddle.core.state import State, fleet_size
from saddle.gan.batches import GanBatch
from saddle.gan.config import GanConfig
from saddle.gan.problem import DISCRIMINATOR, WEIGHTS, GanProblem

__all__ = ["Captured", "differentiated_twice"]

WARM_UP = 2


def differentiated_twice(config: GanConfig) -> bool:
    """Whether the discriminator's step has a penalty, whose gradient needs second derivatives."""
    return max(config.gradient_penalty, config.r1, config.r2) > 0


@final
class Captured(Problem):
    """`problem` with every player's objective and gradient recorded once for each fleet size and kind of step.

    The objective is differentiable once, by its player's entries, before the same player is evaluated again: what
    `saddle.core.evaluation.evaluate` does. On a CPU, which has no graphs, the record is played by running it again:
    for tests of everything around the graph.
    """

    def __init__(self, problem: GanProblem) -> None:
        self._problem, self.players = problem, problem.players
        self._records: dict[tuple[str, bool], _Record] = {}

    def init(self, generators: Sequence[torch.Generator]) -> State:
        return self._problem.init(generators)

    def objective(self, state: State, batch: GanBatch) -> dict[str, Float[Tensor, " fleet"]]:
        return {player.name: self.objective_of(player.name, state, batch) for player in self.players}

    def objective_of(self, player: str, state: State, batch: GanBatch) -> Float[Tensor, " fleet"]:
        if player == WEIGHTS:  # once in several steps: not worth a graph
            return self._problem.objective_of(player, state, batch)
        fleet = fleet_size(state)
        if any(record.fleet != fleet for record in self._records.values()):
            # A member has left: the memory of all old graphs is freed before a new one takes its own.
            self._records.clear()
        # Penalties are the discriminator's; the generator's steps are all alike.
        config = self._problem.config
        penalised = differentiated_twice(config) and batch.step % config.penalty_every == 0
        kind = (player, player == DISCRIMINATOR and penalised)
        if kind in self._records:
            self._records[kind].load(state, batch)
        else:
            self._records[kind] = _Record(self._problem, player, state, batch)
        parameters = [state[key] for key in self._problem.player(player).keys]
        record = self._records[kind]
        value = _Replay.apply(record, *parameters)
        if record.weights is not None:
            batch.note_weights(record.weights)
        return value  # pyrefly: ignore[bad-return]

    def project(self, player: str, state: State) -> State:
        return self._problem.project(player, state)

    def __repr__(self) -> str:
        return f"Captured({self._problem!r})"


@final
class _Record:
    """One player's objective and its gradient on memory that stays where it is."""

    def __init__(self, problem: GanProblem, player: str, state: State, batch: GanBatch) -> None:
        self._problem, self._player, self._step = problem, player, batch.step
        self._state = {key: tensor.detach().clone() for key, tensor in state.items()}
        self.fleet = fleet_size(state)
        self.weights: Tensor | None = None
        "What a robust discriminator gave the images at the last `play`, on memory that stays where it is."
        # The first evaluation draws from the batch just what an uncaptured one draws, and notes it.
        noted = _Noted(batch)
        self._evaluate(noted)
        self._names = [name for name, _ in noted.found]
        self._numbers = [tensor.detach().clone() for _, tensor in noted.found]
        self._graph = self._capture() if self._numbers[0].device.type == "cuda" else None

    def load(self, state: State, batch: GanBatch) -> None:
        """Copy parameters, buffers and batch to where the record computes."""
        with torch.no_grad():
            torch._foreach_copy_(
                list(self._state.values()), [state[key].detach() for key in self._state], non_blocking=True
            )
            fresh = [batch.uniform() if name == "uniform" else getattr(batch, name) for name in self._names]
            torch._foreach_copy_(self._numbers, [tensor.detach() for tensor in fresh], non_blocking=True)

    def play(self) -> Tensor:
        """The objective's values; the gradient is in `gradients` until the next `play`."""
        if self._graph is None:
            self.value, self.gradients = self._evaluate(_Fixed(self._names, self._numbers))
        else:
            self._graph.replay()
        return self.value.clone()

    def _capture(self) -> torch.cuda.CUDAGraph:
        # As torch's notes on CUDA graphs have it: warm up on a side stream, so that what is chosen or allocated once
        # is not part of the graph; then record.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._evaluate(_Fixed(self._names, self._numbers))
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.value, self.gradients = self._evaluate(_Fixed(self._names, self._numbers))
        return graph

    def _evaluate(self, source: "_Noted | _Fixed") -> tuple[Tensor, list[Tensor]]:
        batch = GanBatch(source, self._step)
        keys = self._problem.player(self._player).keys
        leaves = {key: self._state[key].detach().requires_grad_() for key in keys}
        with torch.enable_grad():
            value = self._problem.objective_of(self._player, self._state | leaves, batch)
            self.weights = source.weights
            gradients = torch.autograd.grad(value.sum(), list(leaves.values()))
        return value.detach(), [gradient.contiguous() for gradient in gradients]


class _Replay(Function):
    """The values of a record, with its gradient as their derivative."""

    @staticmethod
    def forward(ctx: Any, record: _Record, *parameters: Tensor) -> Tensor:
        ctx.record = record
        return record.play()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # pyrefly: ignore[bad-override]
        # `evaluate` gives every member the same slope, the player's sense.
        return None, *torch._foreach_mul(ctx.record.gradients, grad_outputs[0][0])


@final
class _Noted:
    """The draws of a batch, noted in their order: what is drawn when decides what comes next."""

    def __init__(self, batch: GanBatch) -> None:
        self._batch = batch
        self.found: list[tuple[str, Tensor]] = []
        self.weights: Tensor | None = None

    def draw_real(self) -> Tensor:
        return self._note("real", self._batch.real)

    def draw_latent(self) -> Tensor:
        return self._note("latent", self._batch.latent)

    def draw_uniform(self) -> Tensor:
        return self._note("uniform", self._batch.uniform())

    def note_weights(self, weights: Tensor) -> None:
        self.weights = weights

    def _note(self, name: str, tensor: Tensor) -> Tensor:
        self.found.append((name, tensor))
        return tensor


@final
class _Fixed:
    """Draws that lie where they lay before. Aliases, so that an objective may ask them for gradients."""

    def __init__(self, names: Sequence[str], numbers: Sequence[Tensor]) -> None:
        self._left = [(name, tensor.detach()) for name, tensor in zip(names, numbers, strict=True)]
        self.weights: Tensor | None = None

    def draw_real(self) -> Tensor:
        return self._take("real")

    def draw_latent(self) -> Tensor:
        return self._take("latent")

    def draw_uniform(self) -> Tensor:
        return self._take("uniform")

    def note_weights(self, weights: Tensor) -> None:
        self.weights = weights

    def _take(self, name: str) -> Tensor:
        found, tensor = self._left.pop(0)
        assert found == name, "an objective draws in the same order every time"
        return tensor
