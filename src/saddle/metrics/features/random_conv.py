"""Features of a fixed random convolutional network: no data, no download, the same numbers for ever.

Random convolutions keep enough of a picture for a Fréchet distance to order blur, noise and lost modes (Naeem et al.
2020, arXiv 2002.09797, use random embeddings for sets far from ImageNet). This network looks at one octave a stage.

The weights come from numpy's PCG64 bit stream (which numpy promises never to change), by integer arithmetic, one
square root and one division, all exactly rounded: they do not depend on the machine, on torch or on its generators.
"""

import hashlib
from functools import cache
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from saddle.metrics.features.base import FeatureExtractor
from saddle.metrics.features.preprocess import as_rgb, resized

__all__ = ["RandomConvFeatures", "random_kernels"]

_SEED = 20210405
_SMALLEST, _LARGEST = 32, 128
_CHANNELS = (3, 24, 48, 96, 96, 96)
_KERNELS = (5, 3, 3, 3, 3)
# Bring the features of every stage to a spread of about one half on natural pictures, so that each counts.
_GAINS = (6.0, 2.0, 2.4, 2.4, 2.4)


@final
class RandomConvFeatures(FeatureExtractor):
    """`random`: three to five stages of random filters, each averaged over the picture.

    The picture, in [-1, 1], is brought bilinearly to 32, 64 or 128 pixels (the next one up). Stage `i` is
    `y = relu(g_i W_i * x)` with edges continued, then `x` is `y` averaged over 2x2 squares; the last stage sees 8x8.
    Filters have mean zero (a uniform grey picture gives zero) and norm one; a grey picture is seen as a colour one
    with equal channels, by the same filters. The features are the means of `y` over
    the four quarters of the picture in the first two stages (where things are), and over the whole in the others
    (what there is): 96 + 192 + 96 = 384 up to 32 pixels, 480 up to 64, 576 above.
    """

    def __init__(self, *, size: int, device: torch.device | str = "cpu") -> None:
        self._size = next((s for s in (_SMALLEST, 64) if size <= s), _LARGEST)
        stages = (self._size // 8).bit_length()
        dim = sum(outputs * _grid(i) ** 2 for i, outputs in enumerate(_CHANNELS[1 : stages + 1]))
        super().__init__("random", dim=dim, batch=64, device=device)
        kernels = random_kernels()[:stages]
        self._digest = hashlib.sha256(b"".join(k.tobytes() for k in kernels)).hexdigest()
        self._kernels = [
            (gain * torch.from_numpy(k)).to(self.device, memory_format=torch.channels_last)
            for gain, k in zip(_GAINS, kernels, strict=False)
        ]

    @property
    def identity(self) -> str:
        return f"random v1 at {self._size} sha256:{self._digest}"

    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        x = as_rgb(images).float().contiguous(memory_format=torch.channels_last) * (2 / 255) - 1
        x = resized(x, self._size, antialias=True)
        parts = []
        for stage, kernel in enumerate(self._kernels):
            y = _convolved(x, kernel)
            x = F.avg_pool2d(y, 2)
            # Every later average is taken of the halved picture: the same number, a quarter of the work.
            parts.append(F.adaptive_avg_pool2d(x, _grid(stage)).flatten(1))
        return torch.cat(parts, 1)


def _grid(stage: int) -> int:
    return 2 if stage < 2 else 1


def _convolved(x: Float[Tensor, "n c h w"], kernel: Float[Tensor, "d c k k"]) -> Float[Tensor, "n d h w"]:
    edge = kernel.shape[-1] // 2
    return F.conv2d(F.pad(x, (edge, edge, edge, edge), mode="replicate"), kernel).relu_()


@cache
def random_kernels() -> tuple[np.ndarray, ...]:
    """Return the filters of the five stages, float32 `(outputs, inputs, k, k)`, of mean zero and norm one.

    An entry is the sum of four 12-bit integers from one 64-bit word of the stream (nearly normal), less the mean.
    """
    stream = np.random.PCG64(_SEED)
    return tuple(
        _filters(stream, (outputs, inputs, k, k))
        for inputs, outputs, k in zip(_CHANNELS[:-1], _CHANNELS[1:], _KERNELS, strict=True)
    )


def _filters(stream: np.random.PCG64, shape: tuple[int, int, int, int]) -> np.ndarray:
    words = stream.random_raw(int(np.prod(shape))).reshape(shape[0], -1)
    shifts = np.arange(0, 64, 16, dtype=np.uint64)
    draws = ((words[..., None] >> shifts) & np.uint64(4095)).astype(np.int64).sum(-1)
    # Multiplied by the number of entries, the difference from the mean is a whole number: no rounding yet.
    centred = draws * draws.shape[1] - draws.sum(1, keepdims=True)
    norm = np.sqrt((centred**2).sum(1, keepdims=True).astype(np.float64))
    return (centred / norm).astype(np.float32).reshape(shape)
