"""From uint8 images to what a network was trained on."""

import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

__all__ = ["as_rgb", "resized"]


def as_rgb(images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n 3 h w"]:
    """Repeat grey images to three equal channels; colour images pass through."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def resized(
    images: Float[Tensor, "n c h w"], size: int, *, antialias: bool = False
) -> Float[Tensor, "n c {size} {size}"]:
    """Bilinear to `size` by `size` with half-pixel centres.

    Without antialiasing this is what pytorch-fid does (`align_corners=False`); with it, a picture that shrinks
    is averaged first. An image that has the size already is returned as it is.
    """
    if images.shape[-2:] == (size, size):
        return images
    return F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False, antialias=antialias)
