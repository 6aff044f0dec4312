"""Batches of real and generated images for a fleet of critics."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saddle.errors import UserError

__all__ = ["Draw", "PairBatches", "draw_from"]

Draw = Callable[[int, torch.Generator], Tensor]
"`draw(n, generator)`: n fresh images as bytes, `(n, channels, height, width)`; the generator is a CPU one."

Folded = Float[Tensor, "batch folded height width"]


def draw_from(images: UInt8[Tensor, "n channels height width"]) -> Draw:
    """Draw with replacement from a fixed set: the generator that has memorised `images`, or a pool made in advance."""

    def draw(count: int, generator: torch.Generator) -> UInt8[Tensor, "count channels height width"]:
        return images[torch.randint(len(images), (count,), generator=generator).to(images.device)]

    return draw


class PairBatches:
    """Real images drawn with replacement and fresh fakes, for every member from its own seeds.

    Bytes x become `(x - 128)/128 + uniform(0, 1/128)`, so that both sides have densities. Images are drawn by a CPU
    generator, so that a fake does not depend on the device; the noise is drawn on the device.
    """

    def __init__(
        self,
        draws: Sequence[Draw],
        real: UInt8[Tensor, "n channels height width"],
        *,
        seeds: Sequence[int],
        batch: int,
        device: torch.device | str,
    ) -> None:
        self._draws, self._batch = draws, batch
        self._real = real.to(device)
        self._device = self._real.device
        self._shape = real.shape[1:]
        self._choosing = [stream(seed, 1) for seed in seeds]
        self._drawing = [stream(seed, 2) for seed in seeds]
        self._noise = [stream(seed, 3, self._device) for seed in seeds]

    @torch.no_grad()
    def next(self) -> tuple[Folded, Folded, Float[Tensor, "batch fleet"]]:
        """Real images, fakes (both folded) and mixing weights uniform on [0, 1)."""
        count = len(self._real)
        real = torch.stack([self._real[self._rows(count, each)] for each in self._choosing], 1)
        fake = torch.stack([self._fakes(i) for i in range(len(self._draws))], 1)
        mix = torch.stack([self._uniform((self._batch,), each) for each in self._noise], 1)
        return self._scaled(real), self._scaled(fake), mix

    def _rows(self, count: int, generator: torch.Generator) -> Int64[Tensor, " batch"]:
        return torch.randint(count, (self._batch,), generator=generator).to(self._device)

    def _fakes(self, member: int) -> UInt8[Tensor, "batch channels height width"]:
        images = self._draws[member](self._batch, self._drawing[member])
        if images.shape != (self._batch, *self._shape) or images.dtype != torch.uint8:
            raise UserError(
                f"Generator {member} drew a {images.dtype} tensor of shape {tuple(images.shape)}, and the divergence "
                f"needs bytes of shape {(self._batch, *self._shape)}, as the real images are. Make `draw(n, generator)` "
                "return n images with pixels 0..255."
            )
        return images.to(self._device)

    def _scaled(self, images: UInt8[Tensor, "batch fleet channels height width"]) -> Folded:
        noise = torch.stack([self._uniform((self._batch, *self._shape), each) for each in self._noise], 1)
        values = (images.float() - 128 + noise) / 128
        return values.flatten(1, 2).contiguous(memory_format=torch.channels_last)

    def _uniform(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.rand(shape, generator=generator, device=self._device)


def stream(seed: int, purpose: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for a seed and purpose; spread by odd multipliers, as neighbouring seeds should share nothing."""
    mixed = (seed * 0x9E3779B1 + purpose * 0x85EBCA6B + 0x2545F491) % 2**32
    return torch.Generator(device).manual_seed(mixed)
