"""Gradients of the players' objectives, and how far one step moved the weights."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.evaluation import evaluate
from saddle.core.state import State
from saddle.gan.batches import GanBatch
from saddle.gan.problem import GanProblem

__all__ = ["Readings", "gradients", "updates"]

Readings = dict[str, Tensor]
"One number a member by name: `(fleet,)`."


def gradients(problem: GanProblem, state: State, batch: GanBatch) -> Readings:
    """`‖∇_θ L‖` of every player and of every layer, and the objectives, all with penalties, on `batch`."""
    found: Readings = {}
    for player in problem.players:
        direction, values = evaluate(problem, state, batch, (player.name,))
        found |= {f"objective/{name}": value for name, value in values.items()}
        found[f"gradient_norm/{player.name}"] = norm(direction.values())
        for layer, keys in layers(player.keys).items():
            found[f"gradient_norm/{layer}"] = norm(direction[key] for key in keys)
    return found


def updates(problem: GanProblem, before: State, after: State) -> Readings:
    """`‖θ⁺ − θ‖ / ‖θ‖` of every player and of every layer, θ and θ⁺ being its weights around one step of training.

    For Adam about 1e-3 is usual in early training; a layer far below the others hardly learns, one at 1e-1 is thrown
    about.
    """
    found: Readings = {}
    for player in problem.players:
        moved = dict(zip(player.keys, _differences(after, before, player.keys), strict=True))
        groups = {player.name: list(player.keys), **layers(player.keys)}
        for name, keys in groups.items():
            length = norm(before[key] for key in keys)
            found[f"update_ratio/{name}"] = norm(moved[key] for key in keys) / length
    return found


def norm(tensors: Iterable[Tensor]) -> Float[Tensor, " fleet"]:
    """The Euclidean norm of all entries of each member together."""
    parts = [torch.linalg.vector_norm(tensor.flatten(1), dim=1) for tensor in tensors]
    return torch.linalg.vector_norm(torch.stack(parts), dim=0)


def distance(a: State, b: State, keys: Sequence[str]) -> Float[Tensor, " fleet"]:
    """`‖a − b‖` over the entries `keys`."""
    return norm(_differences(a, b, keys))


def layers(keys: Iterable[str]) -> dict[str, list[str]]:
    """The entries of each layer: those whose names differ after the last dot only."""
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(key.rpartition(".")[0], []).append(key)
    return found


def _differences(a: State, b: State, keys: Sequence[str]) -> Sequence[Tensor]:
    return torch._foreach_sub([a[key] for key in keys], [b[key] for key in keys])
