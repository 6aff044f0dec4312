"""The fixed images and latents that every probe of a run looks at."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saddle.gan.batches import GanBatch, member_generators
from saddle.gan.sampling import fixed_latents

__all__ = ["ProbeBatch", "game_batch", "scaled"]

LATENTS, ORDER, MIX = 7, 8, 9  # purpose numbers: latents, permutation of the images, weights of interpolates
IMAGES = 256
"Images, and latents, of a default batch."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeBatch:
    """Real images, held-out images and latents, the same for every run on the same data.

    Nothing of it depends on a run's seed, so probes of different seeds and widths differ by their networks alone.
    """

    train: UInt8[Tensor, "n channels height width"]
    "Training images."
    test: UInt8[Tensor, "m channels height width"] | None
    "Held-out images, or None."
    latents: Float[Tensor, "k latent"]
    "Inputs of the generators, N(0, I)."
    mix: Float[Tensor, " n"]
    "Weights of the real image in the interpolates, uniform on [0, 1)."
    train_labels: Int64[Tensor, " n"] | None = None
    "Labels of `train`, or None."
    classes: int = 0
    "Number of classes; 0 without labels."

    @classmethod
    def choose(
        cls,
        train: UInt8[Tensor, "n channels height width"],
        test: UInt8[Tensor, "m channels height width"] | None = None,
        *,
        latent: int,
        labels: Int64[Tensor, " n"] | None = None,
        classes: int = 0,
        images: int = IMAGES,
        device: torch.device | str = "cpu",
    ) -> "ProbeBatch":
        """The first `images` of a fixed permutation of each set (all of a smaller one), and as many latents."""
        (order,) = member_generators([0], ORDER)
        chosen = torch.randperm(len(train), generator=order)[:images]
        held = None if test is None else torch.randperm(len(test), generator=order)[:images]
        (uniform,) = member_generators([0], MIX)
        return cls(
            train=train[chosen.to(train.device)].to(device),
            test=None if test is None or held is None else test[held.to(test.device)].to(device),
            latents=fixed_latents(0, images, latent, purpose=LATENTS)[0].to(device),
            mix=torch.rand(len(chosen), generator=uniform).to(device),
            train_labels=None if labels is None else labels[chosen.to(labels.device)].to(device),
            classes=classes,
        )


def scaled(images: Tensor, fleet: int) -> Float[Tensor, "fleet n channels height width"]:
    """The images in [−1, 1], once for every member; a view where there are several members."""
    return (images.float() / 127.5 - 1).expand(fleet, *images.shape)


@final
class _Fixed:
    """Gives every member the same images and latents at every draw."""

    def __init__(self, batch: ProbeBatch, fleet: int, size: int) -> None:
        # Latents and images come in the same number, also where there are fewer images than a batch has.
        size = min(size, len(batch.train), len(batch.latents))
        self._real = scaled(batch.train[:size], fleet)
        self._latent = batch.latents[:size].expand(fleet, -1, -1)
        self._mix = batch.mix[:size].expand(fleet, -1)

    def draw_real(self) -> Tensor:
        return self._real.clone()

    def draw_latent(self) -> Tensor:
        return self._latent.clone()

    def draw_uniform(self) -> Tensor:
        return self._mix.clone()

    def note_weights(self, weights: Tensor) -> None:
        """A probe is no visit."""


def game_batch(batch: ProbeBatch, fleet: int, size: int) -> GanBatch:
    """A minibatch for the objectives of a GAN, at a step (0) on which penalties act."""
    return GanBatch(_Fixed(batch, fleet, size), 0)
