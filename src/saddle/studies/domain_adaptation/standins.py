"""Domains that need no file: scikit-learn's digits, and what code makes of them."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8

from saddle.data import DataConfig, ImageSet, Split, load_split
from saddle.data.options import order
from saddle.errors import UserError

__all__ = ["CHANGES", "stand_in", "textures"]

Pixels = UInt8[np.ndarray, "n c s s"]
HALVES, LOOKS = 21, 22
"Streams of `order`."


def stand_in(name: str, *, size: int) -> Split:
    """`digits`, or one of `CHANGES` of the digits that the source does not have.

    A random half of the images is the source's and the other half every target's, so that no image is in both
    domains; three tenths of each half are its test part.

    Raises:
        UserError: there is no stand-in of this name.
    """
    if name != "digits" and name not in CHANGES:
        raise UserError(
            f"There is no stand-in {name!r}; they are digits, {', '.join(CHANGES)}. Pass --data for a folder of your own."
        )
    split = load_split(DataConfig(data="sklearn:digits", resize=size, test_fraction=0.5))
    half = split.train if name == "digits" else split.test
    at = torch.from_numpy(order(len(half), 0, HALVES))
    held = round(0.3 * len(half))
    parts = [half.subset(at[held:]), half.subset(at[:held])]
    if name != "digits":
        parts = [_changed(part, name, seed) for seed, part in enumerate(parts)]
    return Split(train=parts[0], test=parts[1])


def textures(n: int, *, size: int, channels: int, seed: int = 0) -> Pixels:
    """Smooth random fields from black to white: cubic splines through a grid of random values."""
    from scipy.ndimage import zoom

    random = np.random.Generator(np.random.Philox(key=np.array([seed, LOOKS], dtype=np.uint64)))
    grid = random.random((n, channels, 4, 4))
    fields = zoom(grid, (1, 1, size / 4, size / 4), order=3)
    return (255 * np.clip(fields, 0, 1)).astype(np.uint8)


def _changed(part: ImageSet, name: str, seed: int) -> ImageSet:
    pixels = CHANGES[name](part.images.numpy(), seed)
    images = torch.from_numpy(np.ascontiguousarray(pixels))
    return ImageSet(name=name, images=images, labels=part.labels, classes=part.classes)


def _textured(pixels: Pixels, seed: int) -> Pixels:
    """|digit − texture|, as MNIST-M lays digits on photographs; textures of half the contrast."""
    n, channels, size, _ = pixels.shape
    background = textures(n, size=size, channels=channels, seed=seed + 1).astype(np.int16) // 2
    return np.abs(pixels.astype(np.int16) - background).astype(np.uint8)


def _rotated(pixels: Pixels, seed: int) -> Pixels:
    """Every image turned by 35 degrees."""
    from scipy.ndimage import rotate

    return np.clip(rotate(pixels.astype(float), 35, axes=(3, 2), reshape=False, order=1), 0, 255).astype(
        np.uint8
    )


def _blurred(pixels: Pixels, seed: int) -> Pixels:
    """A Gaussian blur of a tenth of the side, at half the contrast."""
    from scipy.ndimage import gaussian_filter

    width = pixels.shape[-1] / 10
    return (gaussian_filter(pixels.astype(float), (0, 0, width, width)) / 2).astype(np.uint8)


CHANGES: dict[str, Callable[[Pixels, int], Pixels]] = {
    "textured": _textured,
    "rotated": _rotated,
    "blurred": _blurred,
}
"What is made of the digits, by name."
