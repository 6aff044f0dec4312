"""Images in memory: one uint8 tensor, their labels and a digest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

__all__ = ["ImageSet", "Split"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSet:
    """`n` square images of one size in one contiguous tensor."""

    name: str
    "What the user called the source: the last part of its path, or `digits`."
    images: UInt8[Tensor, "n c h w"]
    "Pixels 0..255, channel first; `c` is 1 (grey) or 3 (RGB) and `h = w`."
    labels: Int64[Tensor, " n"] | None = None
    "Index into `classes` for every image, or None."
    classes: tuple[str, ...] = ()
    "Names of the classes; empty without labels."
    outliers: Bool[Tensor, " n"] | None = None
    "The truth where it is known: which images do not belong. None: not known, and for all that is known, none."
    skipped: tuple[str, ...] = ()
    "One `file: why` for every file that was left out."
    names: tuple[str, ...] = ()
    """Where each image lies in its source: the path within a folder or zip as the file system has it (undecodable bytes
    as lone surrogates), or `[row]` of an array; empty where the reader does not know."""

    def __post_init__(self) -> None:
        n, channels, height, width = self.images.shape
        assert height == width and channels in (1, 3), f"not square grey or RGB images: {self.images.shape}"
        assert self.images.is_contiguous()
        assert self.labels is None or self.labels.shape == (n,)
        assert self.outliers is None or self.outliers.shape == (n,)
        assert len(self.names) in (0, n)

    def __len__(self) -> int:
        return self.images.shape[0]

    def __repr__(self) -> str:
        n, channels, height, width = self.images.shape
        return (
            f"ImageSet({self.name!r}, {n} x {channels} x {height} x {width}, {len(self.classes)} classes, "
            f"{len(self.skipped)} skipped, {self.images.device})"
        )

    @property
    def size(self) -> int:
        """Height = width, in pixels."""
        return self.images.shape[-1]

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return self.images.shape[1]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the shape, the pixels, the labels and the outliers; the name and the device do not matter.

        The outliers count, because a classifier that scores a run is trained without them.
        """
        digest = hashlib.sha256(f"{tuple(self.images.shape)} uint8\n".encode())
        digest.update(self.images.cpu().numpy().data)
        if self.labels is not None:
            digest.update(b"labels int64\n")
            digest.update(self.labels.cpu().numpy().astype("<i8").data)
        if self.outliers is not None:
            digest.update(b"outliers bool\n")
            digest.update(self.outliers.cpu().numpy().data)
        return digest.hexdigest()

    def subset(self, index: Tensor | Sequence[int]) -> "ImageSet":
        """The images at `index` (integers), in that order."""
        at = torch.as_tensor(index, dtype=torch.int64, device=self.images.device)
        labels = None if self.labels is None else self.labels[at]
        outliers = None if self.outliers is None else self.outliers[at]
        names = tuple(self.names[i] for i in at.tolist()) if self.names else ()
        return replace(self, images=self.images[at], labels=labels, outliers=outliers, names=names)

    def clean(self) -> "ImageSet":
        """The images that are no known outliers: what an evaluator that knows the truth learns from."""
        if self.outliers is None:
            return self
        return replace(self.subset((~self.outliers).nonzero()[:, 0]), outliers=None)

    def to(self, device: torch.device | str) -> "ImageSet":
        """The same images on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        outliers = None if self.outliers is None else self.outliers.to(device)
        return replace(self, images=self.images.to(device), labels=labels, outliers=outliers)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Images to train on and images held out."""

    train: ImageSet
    test: ImageSet
