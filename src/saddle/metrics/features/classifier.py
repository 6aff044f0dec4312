"""Features of a small classifier, trained once on the user's own labelled training images."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics.features.base import FeatureExtractor
from saddle.metrics.features.cache import checksum, read_entry, short_hash, write_entry
from saddle.metrics.features.classifier_network import (
    DIM,
    RECIPE,
    apply_folded,
    folded_shapes,
    train_classifier,
)

__all__ = ["ClassifierFeatures", "LabelledImages"]


@runtime_checkable
class LabelledImages(Protocol):
    """What the classifier needs of a data set; `saddle.data.ImageSet` has it."""

    @property
    def images(self) -> UInt8[Tensor, "n c h w"]: ...

    @property
    def labels(self) -> Int64[Tensor, " n"] | None: ...

    @property
    def digest(self) -> str: ...


@final
class ClassifierFeatures(FeatureExtractor):
    """`classifier`: 128 features, the last layer but one of a classifier of four convolutions.

    Trained with a fixed seed on nine tenths of `train`; `accuracy` is what it reaches on the last tenth
    (`held_out` images). It is deterministic on one machine with one number of threads, and neither reads nor
    changes torch's global generator. With a cache folder it is trained once: the file is named by the data's
    digest and the recipe, and a damaged file is trained anew.

    The features know only what the labels ask for: a fault of the generator that no class depends on
    (a wrong background) may go unseen.
    """

    def __init__(
        self,
        train: LabelledImages | None,
        *,
        cache: Path | str | None = None,
        device: torch.device | str = "cpu",
        status: Callable[[str], None] | None = None,
    ) -> None:
        """Train, or read what was trained. Raises `UserError` without labels or with fewer than two classes."""
        images, labels, digest, classes = _checked(train)
        super().__init__("classifier", dim=DIM, batch=256, device=device)
        key = {"recipe": RECIPE, "data": digest}
        path = None if cache is None else Path(cache) / f"classifier-{short_hash(key)}.safetensors"
        shapes = folded_shapes(images.shape[-1], images.shape[1])
        entry = None if path is None else read_entry(path, key, lambda tensors: _fits(tensors, shapes))
        if entry is None:
            trained = train_classifier(
                images, labels, classes=classes, device=self.device, status=status or (lambda text: None)
            )
            entry = trained.tensors, {"accuracy": repr(trained.accuracy), "held_out": str(trained.held_out)}
            if path is not None:
                write_entry(path, entry[0], key | entry[1])
        tensors, header = entry
        self.accuracy = float(header["accuracy"])
        self.held_out = int(header["held_out"])
        self._digest = checksum(tensors)
        self._input = images.shape[1:]
        self._tensors = {name: tensor.to(self.device) for name, tensor in tensors.items()}

    @property
    def identity(self) -> str:
        return f"{RECIPE} sha256:{self._digest}"

    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        if images.shape[1:] != self._input:
            raise UserError(
                f"The classifier was trained on images of shape {tuple(self._input)}, not {tuple(images.shape[1:])}."
            )
        return apply_folded(self._tensors, images)


def _checked(train: LabelledImages | None) -> tuple[Tensor, Tensor, str, int]:
    instead = "Use the features `random` or `efficientnet-lite0`, or give images with labels."
    if train is None or train.labels is None:
        raise UserError(
            f"The features `classifier` need labelled training images, and these have no labels. {instead}"
        )
    present, labels = train.labels.cpu().unique(return_inverse=True)
    if len(present) < 2:
        raise UserError(
            "The features `classifier` need training images of at least two classes, and these are all of one. "
            + instead
        )
    return train.images.cpu(), labels, train.digest, len(present)


def _fits(tensors: dict[str, Tensor], shapes: dict[str, tuple[int, ...]]) -> bool:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()} == shapes and all(
        tensor.dtype == torch.float32 for tensor in tensors.values()
    )
