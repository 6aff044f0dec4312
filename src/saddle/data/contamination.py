"""Training images of which a known share does not belong, for measuring what a method does about it."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle.data.imageset import ImageSet
from saddle.data.options import order
from saddle.errors import UserError

__all__ = ["GENERATED", "check_share", "contaminate"]

GENERATED = ("noise", "cluster", "duplicates")
"Kinds that need no other images."
PLACES, PIXELS, PICKED = 3, 4, 5  # streams of `order`; reading uses 1 and 2
CLUSTER_NOISE = 8.0
MOSAIC = 4


def contaminate(
    images: ImageSet,
    share: float,
    kind: str,
    *,
    other: ImageSet | None = None,
    noise: float | int | None = None,
    seed: int = 0,
) -> ImageSet:
    """Replace `round(share · n)` of the `n` images, at places that depend on `(n, seed)` only, by others.

    Args:
        images: clean images.
        share: of the images that no longer belong, above 0 and below 1.
        kind: what they become:
            `noise`: every byte uniform on 0..255;
            `cluster`: near-copies of one odd image, a mosaic of 4 x 4 random tiles, plus normal noise;
            `duplicates`: copies of one of the images that stay, plus normal noise if asked for;
            `other`: different images of `other`.
        other: for `other`: images of the size and channels of `images`.
        noise: standard deviation in grey levels, of cluster (default 8) and duplicates (default 0: exact copies).
        seed: draws other places, and other images.

    Returns:
        The set with the truth in `outliers`. An outlier keeps the label of the image that it replaced: it means nothing,
        so whatever learns from labels takes `clean()`. The copy's original is no outlier.

    Raises:
        UserError: a share or a kind that cannot be, or images that do not fit.

    Source: Balaji, Chellappa & Feizi 2020 replace the last images of CIFAR-10 by MNIST or by uniform noise.
    """
    n = len(images)
    count = check_share(share, n)
    if images.outliers is not None:
        raise UserError(f"{images.name} is contaminated already; give the clean images.")
    places = torch.from_numpy(order(n, seed, PLACES))
    out, kept = places[:count].sort().values, places[count:].sort().values
    outliers = torch.zeros(n, dtype=torch.bool)
    outliers[out] = True
    pixels = images.images.cpu().clone()
    pixels[out] = _pixels(images, kept, count, kind, other, noise, seed)
    device = images.images.device
    called = kind if other is None else other.name
    names = tuple(f"({called})" if out_ else name for name, out_ in zip(images.names, outliers, strict=False))
    return replace(images, images=pixels.to(device), outliers=outliers.to(device), names=names)


def check_share(share: float, n: int) -> int:
    """How many of `n` images the share is; refuses none and all of them."""
    if not 0 < share < 1:
        raise UserError(
            f"--contamination is {share:g}; it is the share of the training images to replace, above 0 and below 1."
        )
    count = round(share * n)
    if not 0 < count < n:
        raise UserError(
            f"--contamination {share:g} of {n:,} training images is {count:,} images; choose a share that leaves some of "
            "both kinds."
        )
    return count


def _pixels(
    images: ImageSet,
    kept: Tensor,
    count: int,
    kind: str,
    other: ImageSet | None,
    noise: float | int | None,
    seed: int,
) -> UInt8[Tensor, "m c h w"]:
    if noise is not None and not 0 <= noise < 256:
        raise UserError(f"The noise is {noise:g} grey levels; it must be at least 0 and below 256.")
    if noise is not None and kind not in ("cluster", "duplicates"):
        raise UserError(f"noise has no meaning for the kind {kind!r}; leave it out.")
    if (other is not None) != (kind == "other"):
        raise UserError("Give other images with the kind 'other', and with no other kind.")
    shape = (count, images.channels, images.size, images.size)
    random = np.random.Generator(np.random.Philox(key=np.array([seed, PIXELS], dtype=np.uint64)))
    if other is not None:
        return _from_other(images, other, count, seed)
    if kind == "noise":
        return torch.from_numpy(random.integers(0, 256, size=shape, dtype=np.uint8))
    if kind == "cluster":
        tiles = random.integers(0, 256, size=(images.channels, MOSAIC, MOSAIC))
        at = np.arange(images.size) * MOSAIC // images.size
        centre = tiles[:, at][:, :, at].astype(np.float64)
        return _near(centre, count, CLUSTER_NOISE if noise is None else float(noise), random)
    if kind == "duplicates":
        centre = images.images[int(kept[random.integers(len(kept))])].cpu().numpy().astype(np.float64)
        return _near(centre, count, 0.0 if noise is None else float(noise), random)
    raise UserError(
        f"There is no contamination {kind!r}; choose one of {', '.join(GENERATED)}, or other images."
    )


def _near(
    centre: Float[np.ndarray, "c h w"], count: int, noise: float, random: np.random.Generator
) -> UInt8[Tensor, "m c h w"]:
    found = np.empty((count, *centre.shape), np.uint8)
    for i in range(count):  # one at a time: in float64 all of them could take gigabytes
        drawn = centre + noise * random.standard_normal(centre.shape) if noise > 0 else centre
        found[i] = drawn.round().clip(0, 255)
    return torch.from_numpy(found)


def _from_other(images: ImageSet, other: ImageSet, count: int, seed: int) -> Tensor:
    if (other.size, other.channels) != (images.size, images.channels):
        raise UserError(
            f"{other.name} holds images of {other.size}x{other.size}x{other.channels} and {images.name} of "
            f"{images.size}x{images.size}x{images.channels}; read the first with resize={images.size}, "
            f"channels={images.channels}."
        )
    if len(other) < count:
        raise UserError(
            f"{other.name} holds {len(other):,} images, and {count:,} are to be put among {images.name}; choose a smaller "
            "--contamination, or a larger set."
        )
    picked = torch.from_numpy(order(len(other), seed, PICKED)[:count])
    return other.images.cpu()[picked]
