"""What generated images look like beside real ones: how different from one another, and from those trained on."""

import math

import torch
from jaxtyping import Float, Float32, Int64, Real, UInt8
from torch import Tensor

from saddle.metrics.memorisation import copying_score

__all__ = ["class_shares", "data_facts", "nearest", "nearest_shares", "pixels", "saturation"]

Images = UInt8[Tensor, "n c h w"]
COMPARED = 256
"Images on a side of every comparison of pairs."
PIECE = 8192
"Images that are compared with at once, for the memory."
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


def nearest(
    rows: Real[Tensor, "n d"], others: Real[Tensor, "m d"], piece: int = PIECE
) -> tuple[Float32[Tensor, " n"], Int64[Tensor, " n"]]:
    """Distance of every row to the nearest of `others`, and which that is. In pieces, for the memory."""
    best = torch.full((len(rows),), math.inf)
    index = torch.zeros(len(rows), dtype=torch.int64)
    for start in range(0, len(others), piece):
        distance, at = torch.cdist(rows.float(), others[start : start + piece].float()).min(1)
        closer = distance < best
        best, index = torch.where(closer, distance, best), torch.where(closer, at + start, index)
    return best, index


def nearest_shares(
    fake: Real[Tensor, "n d"],
    train: Real[Tensor, "m d"],
    test: Real[Tensor, "k d"],
    to_train: Float32[Tensor, " n"] | None = None,
) -> dict[str, float]:
    """Whether fakes lie nearer to training images than they should. Give all training images, or copies are missed.

    `to_train`: distances of the fakes to their nearest training images, where they are known.

    nearer_train      what the share of fakes nearer to a training image than to any held-out one would be with as many
                      of either: ½ + ½ (p − e) / (1 − e), p being the share with all of them and e = m / (m + k) what
                      it is for a generator that knows no more of one than of the other; 1 where all are copies,
                      and ½ p / e where p < e
    distance_ratio    median distance of fakes to their nearest training image over that of held-out images: 0 for copies
    score             Z of the test C_T of these two samples of distances: below −3 the generator copies
                      (`saddle.metrics.memorisation`)

    The first corrects the data-copying comparison of Meehan et al. 2020, arXiv 2004.05675, for unequal numbers.
    """
    # As many held-out images as fakes: each costs a pass over the training images.
    held = test[torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[: max(len(fake), 2)]]
    if to_train is None:
        to_train = nearest(fake, train)[0]
    to_test, real = nearest(fake, test)[0], nearest(held, train)[0]
    share = float(((to_train < to_test).float() + 0.5 * (to_train == to_test).float()).mean())
    expected = len(train) / (len(train) + len(test))
    typical = float(real.median())
    score, _ = copying_score(to_train, real)
    return {
        "nearer_train": (
            0.5 * share / expected if share < expected else 0.5 + 0.5 * (share - expected) / (1 - expected)
        ),
        "distance_ratio": float(to_train.median()) / typical if typical > 0 else math.nan,
        "score": score,
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
    # In pieces: bincount needs eight bytes a pixel, and a data set may have half of the memory.
    counts = sum(torch.bincount(part.flatten(), minlength=256) for part in images.split(1024)).double()  # type: ignore[union-attr]
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
