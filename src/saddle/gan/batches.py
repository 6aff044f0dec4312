"""Minibatches and noise for a fleet: every member has its own streams of randomness."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle.gan.trust import RunningWeights

__all__ = ["GanBatch", "GanBatches", "Source", "member_generators"]

StreamState = dict[str, Tensor]


def member_generators(seeds: Sequence[int], purpose: int) -> list[torch.Generator]:
    """One generator a seed and purpose, independent of the other members.

    All randomness is drawn on the CPU, whatever device trains: a run has the same images, noise and first
    weights everywhere, and goes on from a checkpoint of another device. Seeds and purposes are spread by fixed
    odd multipliers, because torch's CPU generator keeps 32 bits and neighbouring seeds should not share them.
    """
    mixed = [(seed * 0x9E3779B1 + purpose * 0x85EBCA6B + 0x1234567) % 2**32 for seed in seeds]
    return [torch.Generator().manual_seed(value) for value in mixed]


@runtime_checkable
class Source(Protocol):
    """Where a batch takes its images and noise from."""

    def draw_real(self) -> Tensor:
        """Images, `(fleet, batch, channels, height, width)`, scaled to [−1, 1]."""
        ...

    def draw_latent(self) -> Tensor:
        """Inputs of the generator, `(fleet, batch, latent)`."""
        ...

    def draw_uniform(self) -> Tensor:
        """Uniform numbers on [0, 1), `(fleet, batch)`."""
        ...

    def note_weights(self, weights: Tensor) -> None:
        """The images that were drawn last were given these weights, `(fleet, batch)`."""
        ...


class GanBatch:
    """One fleet-wide minibatch, drawn only as far as it is used: a generator's step reads no images."""

    def __init__(self, batches: Source, step: int) -> None:
        self._batches = batches
        self.step = step
        "Training step that this batch belongs to; lazy penalties count by it."

    @cached_property
    def real(self) -> Float[Tensor, "fleet batch channels height width"]:
        """Real images scaled to [−1, 1]."""
        return self._batches.draw_real()

    @cached_property
    def latent(self) -> Float[Tensor, "fleet batch latent"]:
        """Inputs of the generator, N(0, I)."""
        return self._batches.draw_latent()

    def uniform(self) -> Float[Tensor, "fleet batch"]:
        """Uniform numbers on [0, 1), fresh at every call."""
        return self._batches.draw_uniform()

    def note_weights(self, weights: Tensor) -> None:
        """Tell where the images came from what weights a robust discriminator gave them."""
        self._batches.note_weights(weights)


class GanBatches:
    """An endless iterator of `GanBatch`; member `i` draws from its own generators only.

    Images go through a fresh permutation every epoch (the last partial batch is left out). `member_state` and
    `load` hold everything that decides what comes next, so a resumed run draws what an unbroken one would.

    Of several processes that train one GAN, each draws all numbers and keeps the `part` (process, processes) of every
    batch, so together they have what one process would.

    With `tracked` it keeps the running weight of every image (`RunningWeights`).
    """

    def __init__(
        self,
        images: UInt8[Tensor, "n channels height width"],
        *,
        seeds: Sequence[int],
        batch: int,
        latent: int,
        part: tuple[int, int] = (0, 1),
        tracked: bool = False,
    ) -> None:
        self._images, self._batch, self._latent = images, batch, latent
        process, processes = part
        assert batch % processes == 0, "a batch is shared out evenly"
        self._own = slice(process * batch // processes, (process + 1) * batch // processes)
        self._order = member_generators(seeds, 1)
        self._noise = member_generators(seeds, 2)
        # What the order generators were before they made the permutation now in use.
        self._before = [generator.get_state() for generator in self._order]
        self._permutations = [self._permute(generator) for generator in self._order]
        self._cursor = 0
        self.step = 0
        self.trust = RunningWeights(len(seeds), len(images), images.device) if tracked else None
        "How much each image was trusted so far, or None."
        self._drawn: Tensor | None = None

    def __iter__(self) -> "GanBatches":
        return self

    def __next__(self) -> GanBatch:
        return GanBatch(self, self.step)

    def draw_real(self) -> Float[Tensor, "fleet batch channels height width"]:
        if self._cursor + self._batch > len(self._images):
            self._before = [generator.get_state() for generator in self._order]
            self._permutations = [self._permute(generator) for generator in self._order]
            self._cursor = 0
        drawn = torch.stack(
            [order[self._cursor : self._cursor + self._batch] for order in self._permutations]
        )
        self._cursor += self._batch
        sent = _sent(drawn, self._images.device)
        self._drawn = sent
        return self._images[sent[:, self._own]].to(torch.float32).div_(127.5).sub_(1)

    def draw_latent(self) -> Float[Tensor, "fleet batch latent"]:
        size = (self._batch, self._latent)
        drawn = torch.stack([torch.randn(size, generator=g)[self._own] for g in self._noise])
        return _sent(drawn, self._images.device)

    def draw_uniform(self) -> Float[Tensor, "fleet batch"]:
        drawn = torch.stack([torch.rand(self._batch, generator=g)[self._own] for g in self._noise])
        return _sent(drawn, self._images.device)

    def note_weights(self, weights: Float[Tensor, "fleet batch"]) -> None:
        """Take the weights of the whole batch whose images were drawn last into the running ones."""
        if self.trust is not None:
            assert self._drawn is not None, "weights are of images"
            self.trust.update(self._drawn, weights)

    def member_state(self, member: int) -> StreamState:
        """Everything that decides what `member` draws next, and what is tracked."""
        state = {
            "order": self._before[member].clone(),
            "noise": self._noise[member].get_state(),
            "cursor": torch.tensor(self._cursor),
        }
        return state if self.trust is None else state | self.trust.member_state(member)

    def load(self, states: Sequence[StreamState], step: int) -> None:
        """Continue where members with these `member_state`s stood at `step`."""
        cursors = {int(state["cursor"]) for state in states}
        assert len(cursors) == 1, "members of one fleet draw in step"
        for order, noise, state in zip(self._order, self._noise, states, strict=True):
            order.set_state(state["order"])
            noise.set_state(state["noise"])
        self._before = [generator.get_state() for generator in self._order]
        self._permutations = [self._permute(generator) for generator in self._order]
        self._cursor, self.step = cursors.pop(), step
        if self.trust is not None:
            self.trust.load(list(states))

    def _permute(self, generator: torch.Generator) -> Tensor:
        return torch.randperm(len(self._images), generator=generator)


def _sent(tensor: Tensor, device: torch.device) -> Tensor:
    """`tensor` on `device`; a GPU fetches it from pinned memory when it gets there, and nobody waits."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
