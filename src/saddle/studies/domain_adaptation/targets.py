"""The unlabelled target of a case: what is in it that does not belong, and what is scored."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from saddle.data import ImageSet, contaminate
from saddle.studies.domain_adaptation.config import TargetCase

__all__ = ["REPLACED", "Target", "is_known", "make_target", "scored"]

FEWER = ("foreign", "missing")
"Cases in which one domain has fewer classes than the other."
REPLACED = ("noise", "cluster", "duplicates", "images")
"Cases in which a share of the target is replaced."


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

    clean                       the images as they are
    noise, cluster, duplicates  `round(share m)` of them replaced by what `saddle.data.contaminate` makes
    images                      … replaced by as many of `others`
    foreign                     the images as they are; those of the classes from `known` on are none of the source's
    missing                     only the images of the first `known` classes
    """
    if case == "missing":
        kept = is_known(labels, known)
        images, labels = images[kept], labels[kept]
    elif case in REPLACED:
        clean = ImageSet(name="the target", images=images)
        other = None if others is None else ImageSet(name="the other data set", images=others)
        dirty = contaminate(clean, share, "other" if case == "images" else case, other=other)
        assert dirty.outliers is not None
        images, labels = dirty.images, torch.where(dirty.outliers, -1, labels)
    labels = scored(labels, case=case, known=known)
    return Target(images=images, outliers=labels < 0, labels=labels)


def is_known(labels: Int64[Tensor, " m"], known: int) -> Bool[Tensor, " m"]:
    """Whether an image is of one of the first `known` classes of the source; −1 is none of them."""
    return (labels >= 0) & (labels < known)


def scored(labels: Int64[Tensor, " m"], *, case: TargetCase, known: int) -> Int64[Tensor, " m"]:
    """Labels with −1 where an image is of no class that counts in this case."""
    return torch.where(labels < known, labels, -1) if case in FEWER else labels
