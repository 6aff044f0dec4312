"""What a feature extractor promises: uint8 images in, float32 feature rows out, in bounded memory."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from saddle.errors import UserError

__all__ = ["FeatureExtractor"]


class FeatureExtractor(ABC):
    """A function from images to feature vectors, on which distances between image sets are measured.

    `extractor(images)` maps uint8 images `(n, c, h, w)`, with one or three channels, to float32 features
    `(n, dim)` on the CPU. Images go through in groups of at most `batch`, so memory does not grow with `n`
    beyond the result itself.

    Determinism: every group is filled up to a whole `batch` (with repeats of its last image, whose rows are
    dropped), so the same kernels run whatever `n` is. The same images give the same bits however they are
    grouped, on one machine with one number of threads; another processor, thread count or device may differ
    by float32 rounding.
    """

    cacheable: bool = True
    "Whether `identity` says everything that the features depend on."

    def __init__(self, name: str, *, dim: int | None, batch: int, device: torch.device | str) -> None:
        """`batch` images go through `device` together; `dim` is None if only the first call can tell."""
        self.name = name
        "What the user typed; stands in the name of every number: FD(<name>)."
        self.batch = batch
        self.device = torch.device(device)
        self._dim = dim

    @property
    def dim(self) -> int:
        """Length of one feature vector. Raises `UserError` for a user's function that has seen no image yet."""
        if self._dim is None:
            raise UserError(f"The features {self.name!r} have seen no image yet, so their length is unknown.")
        return self._dim

    @property
    @abstractmethod
    def identity(self) -> str:
        """The network, its input convention and the sha256 of its weights: equal means equal features."""

    @abstractmethod
    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        """One batch that fits into memory, on `device`; called inside `torch.inference_mode()`."""

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        """Return the features of `images`. Raises `UserError` unless they are uint8 NCHW with 1 or 3 channels."""
        _check_images(images)
        with torch.inference_mode(), _exact(self.device):
            rows = [self._rows(group) for group in images.split(self.batch)]
        # Outside inference mode, so that the result is an ordinary tensor which autograd may read.
        return torch.cat(rows)

    def _rows(self, group: UInt8[Tensor, "b c h w"]) -> Float32[Tensor, "b d"]:
        filled = _filled(group, self.batch).to(self.device)
        return self.features(filled)[: len(group)].cpu()

    def __repr__(self) -> str:
        return f"<{self.identity}, {self._dim} features, on {self.device}>"


def _exact(device: torch.device) -> AbstractContextManager[None]:
    """On CUDA: full float32 convolutions (TF32 has 10 bits) by a fixed algorithm, for the time of a call."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


def _filled(images: Tensor, batch: int) -> Tensor:
    missing = batch - len(images)
    return images if missing == 0 else torch.cat([images, images[-1:].expand(missing, -1, -1, -1)])


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise UserError(
            f"Features are taken of uint8 images of shape (n, 1 or 3, height, width) with n ≥ 1, not of "
            f"{images.dtype} of shape {tuple(images.shape)}."
        )
