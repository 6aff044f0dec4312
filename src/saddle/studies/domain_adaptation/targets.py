"""The unlabelled target of a case: what is in it that does not belong, and what is scored."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from saddle.data.options import order
from saddle.studies.domain_adaptation.config import TargetCase

__all__ = ["Target", "make_target", "scored"]

PLACES, NOISE, OTHERS = 31, 32, 33
"Streams of random numbers."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """Training images of the target domain; only `images` is ever trained on."""

    images: UInt8[Tensor, "m c s s"]
    outliers: Bool[Tensor, " m"]
    "Images that belong to no class of the source."
    labels: Int64[Tensor, " m"]
    "Class of the source, or −1; for scores alone."


def make_target(
    images: UInt8[Tensor, "m c s s"],
    labels: Int64[Tensor, " m"],
    *,
    case: TargetCase,
    share: float | int = 0.0,
    known: int = 0,
    others: UInt8[Tensor, "k c s s"] | None = None,
) -> Target:
    """The target of a case; always the same for the same arguments.

    clean     the images as they are
    noise     `round(share m)` images, drawn at random, replaced by uniform noise
    images    … replaced by as many of `others`
    foreign   the images as they are; those of the classes from `known` on are none of the source's
    missing   only the images of the first `known` classes
    """
    if case == "foreign":
        labels = scored(labels, case=case, known=known)
    elif case == "missing":
        kept = labels < known
        images, labels = images[kept], labels[kept]
    elif case in ("noise", "images"):
        n = len(images)
        places = torch.from_numpy(order(n, 0, PLACES)[: round(share * n)])
        images, labels = images.clone(), labels.clone()
        images[places] = _noise(images[places]) if case == "noise" else _drawn(others, len(places))
        labels[places] = -1
    return Target(images=images, outliers=labels < 0, labels=labels)


def scored(labels: Int64[Tensor, " m"], *, case: TargetCase, known: int) -> Int64[Tensor, " m"]:
    """Labels of the test part with −1 where an image is not scored."""
    return torch.where(labels < known, labels, -1) if case in ("foreign", "missing") else labels


def _noise(like: UInt8[Tensor, "k c s s"]) -> UInt8[Tensor, "k c s s"]:
    words = np.random.Philox(key=np.array([0, NOISE], dtype=np.uint64)).random_raw(-(-like.numel() // 8))
    return torch.from_numpy(words.view(np.uint8)[: like.numel()].reshape(like.shape).copy())


def _drawn(others: UInt8[Tensor, "k c s s"] | None, count: int) -> UInt8[Tensor, "j c s s"]:
    assert others is not None and len(others), "the case images needs other images"
    rows = torch.from_numpy(order(len(others), 0, OTHERS))
    return others[rows.repeat(-(-count // len(rows)))[:count]]
