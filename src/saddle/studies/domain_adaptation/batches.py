"""Minibatches of both domains for a fleet: labels of the source, images of the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

__all__ = ["AdaptationBatch", "AdaptationBatches", "scaled"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptationBatch:
    """What one step of the game sees. There is no place in it for a label of the target."""

    source: Float[Tensor, "fleet batch c s s"]
    "Images in [−1, 1]."
    labels: Int64[Tensor, "fleet batch"]
    target: Float[Tensor, "fleet batch c s s"]
    progress: float | int
    "Share of the training that is over, from 0 to 1."


class AdaptationBatches:
    """An endless iterator: each of the `repeats` players of a step sees the same batch.

    Member `i` draws from `generators[i]` alone: first the permutation of the source for an epoch, and from a copy of
    its seed that of the target; the last partial batch of an epoch is left out.
    """

    def __init__(
        self,
        *,
        source: UInt8[Tensor, "n c s s"],
        labels: Int64[Tensor, " n"],
        target: UInt8[Tensor, "m c s s"],
        generators: Sequence[torch.Generator],
        batch: int,
        steps: int,
        repeats: int,
    ) -> None:
        self._source, self._labels, self._target = source, labels, target
        self._batch, self._steps, self._repeats = batch, steps, repeats
        # Two streams a member, so that another target leaves the draws from the source as they are.
        seeds = [int(torch.randint(2**31, (1,), generator=generator)) for generator in generators]
        self._source_order = _Order(len(source), batch, seeds)
        self._target_order = _Order(len(target), batch, [seed + 1 for seed in seeds])
        self._drawn = 0
        self._last: AdaptationBatch | None = None

    def __iter__(self) -> "AdaptationBatches":
        return self

    def __next__(self) -> AdaptationBatch:
        if self._last is None or self._drawn % self._repeats == 0:
            rows, others = self._source_order.next(), self._target_order.next()
            step = self._drawn // self._repeats
            self._last = AdaptationBatch(
                source=scaled(self._source[rows]),
                labels=self._labels[rows],
                target=scaled(self._target[others]),
                progress=min(1.0, step / self._steps),
            )
        self._drawn += 1
        return self._last


class _Order:
    """A fresh permutation of `n` an epoch and member, handed out in pieces of `batch`."""

    def __init__(self, n: int, batch: int, seeds: Sequence[int]) -> None:
        assert n >= batch, "fewer images than a batch are refused before"
        self._n, self._batch = n, batch
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._cursor, self._orders = n, []

    def next(self) -> Int64[Tensor, "fleet batch"]:
        if self._cursor + self._batch > self._n:
            self._orders = [torch.randperm(self._n, generator=generator) for generator in self._generators]
            self._cursor = 0
        start, self._cursor = self._cursor, self._cursor + self._batch
        return torch.stack([order[start : self._cursor] for order in self._orders])


def scaled(images: UInt8[Tensor, "*n c s s"]) -> Float[Tensor, "*n c s s"]:
    """Bytes to [−1, 1]."""
    return images.to(torch.float32).div_(127.5).sub_(1)
