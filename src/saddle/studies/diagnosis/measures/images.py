"""What generated images look like beside real ones: how different from one another, and from those trained on."""

import math

import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

__all__ = ["class_shares", "data_facts", "nearest_shares", "pixels", "saturation"]

Images = UInt8[Tensor, "n c h w"]
COMPARED = 256
"Images on a side of every comparison of pairs."
DRAWS = 20
"Draws of as many training as test images in `nearest_shares`."
DARK, BRIGHT = 8, 247
"Grey levels at the ends of the range: 3 % of it."


def pixels(images: Images) -> Float32[Tensor, "n d"]:
    """One row an image, values in [0, 1]."""
    return images.flatten(1).float() / 255


def saturation(images: Images) -> float:
    """The share of pixels that are black or white to the last bit, in the ends of tanh that Saddle scales them to."""
    return float(((images == 0) | (images == 255)).float().mean())


def class_shares(
    fake: Float[Tensor, "n d"], real: Float[Tensor, "m d"], labels: Int64[Tensor, " m"], neighbours: int = 5
) -> dict[int, float]:
    """The share of fakes whose nearest real images are mostly of each class: a vote of the nearest neighbours.

    Every class that has a real image is a key. A tie goes to the smaller class.
    """
    near = torch.cdist(fake, real).topk(min(neighbours, len(real)), largest=False).indices
    votes = torch.nn.functional.one_hot(labels[near], int(labels.max()) + 1).sum(1).argmax(1)
    return {int(c): float((votes == c).float().mean()) for c in labels.unique()}


def nearest_shares(
    fake: Float[Tensor, "n d"], train: Float[Tensor, "m d"], test: Float[Tensor, "k d"]
) -> dict[str, float]:
    """Whether fakes lie nearer to training images than they should.

    nearer_train      share of fakes nearer to a training image than to any of as many test images (ties half, mean
                      over random choices of as many): ½ for a generator that knows no more of one than of the other
    distance_ratio    median distance of fakes to their nearest training image over that of test images: 0 for copies

    Source of the first: the data-copying tests of Meehan et al. 2020, arXiv 2004.05675, with equal numbers.
    """
    generator = torch.Generator().manual_seed(0)
    to_train, to_test = torch.cdist(fake, train), torch.cdist(fake, test)
    size = min(len(train), len(test))
    shares = []
    for _ in range(DRAWS):
        a = to_train[:, torch.randperm(len(train), generator=generator)[:size]].amin(1)
        b = to_test[:, torch.randperm(len(test), generator=generator)[:size]].amin(1)
        shares.append(((a < b).float() + 0.5 * (a == b).float()).mean())
    real = float(torch.cdist(test, train).amin(1).median())
    return {
        "nearer_train": float(torch.stack(shares).mean()),
        "distance_ratio": float(to_train.amin(1).median()) / real if real > 0 else math.nan,
    }


def data_facts(images: Images) -> dict[str, float]:
    """What the pixels of the training images are, in shares of the range 0 to 255.

    range             from the 0.1th to the 99.9th percentile of all pixels
    std               standard deviation of all pixels
    variation         root mean square over pixels of the standard deviation over images: 0 for one image repeated
    constant          share of images all of whose pixels are equal
    dark, bright      share of pixels within 3 % of black, of white
    levels            grey levels that occur (a number, at most 256)
    distinct          share of images that are not a repeat of another
    """
    counts = torch.bincount(images.flatten().long(), minlength=256).double()
    total, levels = counts.sum(), torch.arange(256, dtype=torch.float64)
    share = counts.cumsum(0) / total
    low, high = (int(torch.searchsorted(share, torch.tensor(p, dtype=torch.float64))) for p in (0.001, 0.999))
    mean = float((counts * levels).sum() / total)
    flat = images.flatten(1)
    deviation = flat[: 16 * COMPARED].float().std(0, correction=0)
    return {
        "range": (high - low) / 255,
        "mean": mean / 255,
        "std": math.sqrt(float((counts * (levels - mean).square()).sum() / total)) / 255,
        "variation": float(deviation.square().mean().sqrt()) / 255,
        "constant": float((flat.amin(1) == flat.amax(1)).float().mean()),
        "dark": float(counts[: DARK + 1].sum() / total),
        "bright": float(counts[BRIGHT:].sum() / total),
        "levels": float((counts > 0).sum()),
        "distinct": len({row.numpy().tobytes() for row in flat.cpu()}) / len(flat),
    }
