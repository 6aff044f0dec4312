"""Features of the FID Inception network, from a weights file that the user names.

Two kinds of file are read. Both give a convolution with its batch norm (eps 0.001) folded in:

* names of the TensorFlow graph (`conv.weight`, `mixed_8_tower_conv_1.bias`, …), already folded, with inputs
  `(x - 128) / 128` as in that graph;
* names of pytorch-fid (`Conv2d_1a_3x3.conv.weight`, `Mixed_5b.branch1x1.bn.running_mean`, …), a torch state dict,
  with inputs `2 x / 255 - 1` as in pytorch-fid.

Pictures are brought to 299x299 bilinearly (half-pixel centres, no antialiasing), as in pytorch-fid.
"""

from pathlib import Path
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics.features.base import FeatureExtractor
from saddle.metrics.features.inception_layers import (
    DIMS,
    Block,
    Convolution,
    Pool,
    Step,
    convolutions,
    plan_for,
)
from saddle.metrics.features.preprocess import as_rgb, resized
from saddle.metrics.features.weights import Weights, folded_layers, read_weights

__all__ = ["InceptionFeatures"]

_EPS = 0.001
_SIZE = 299

# Mean |weight| of a folded layer in the network of 2015-12-05: tells it from torchvision's own Inception-v3,
# whose layers have the same shapes, and from a network that someone trained anew.
_FINGERPRINT = {"conv": 0.40512, "conv_4": 0.026075, "mixed_2_conv": 0.041346, "mixed_7_conv": 0.045668}

_WHERE = (
    "FID's own file is pt_inception-2015-12-05-6726825d.pth from the releases of the pytorch-fid project: "
    "download it once and pass --weights FILE."
)


@final
class InceptionFeatures(FeatureExtractor):
    """`inception-64`, `-192`, `-768`, `-1280`, `-2048`: averages over the picture of that layer's channels.

    A Fréchet distance on the 2048 features is FID, if the weights are the standard ones. `standard` says so
    (mean |weight| of four layers within 1 % of the network of 2015-12-05); with other weights the name becomes
    `other-inception-2048`, so that no number is called FID by mistake.
    """

    def __init__(self, dim: int, weights: Path | str | None, *, device: torch.device | str = "cpu") -> None:
        if dim not in DIMS:
            raise UserError(f"The Inception network has features of length {_listed(DIMS)}, not {dim}.")
        if weights is None:
            raise UserError(f"inception-{dim} needs a file with the network's weights. {_WHERE}")
        file = read_weights(weights)
        self._blocks = plan_for(dim)
        layers = _layers(file, self._blocks, dim)
        self.standard = _is_standard(layers)
        name = f"inception-{dim}" if self.standard else f"other-inception-{dim}"
        on_cpu = torch.device(device).type == "cpu"
        super().__init__(name, dim=dim, batch=16 if on_cpu else 128, device=device)
        self._digest = file.digest
        self._graph_names = "conv.weight" in file.tensors
        self._layers = {
            name: (weight.to(self.device, memory_format=torch.channels_last), bias.to(self.device))
            for name, (weight, bias) in layers.items()
        }

    @property
    def identity(self) -> str:
        scaling = "(x-128)/128" if self._graph_names else "2x/255-1"
        return f"{self.name} v1 {scaling} sha256:{self._digest}"

    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        x = self._scaled(as_rgb(images))
        for block in self._blocks:
            x = self._block(block, x)
        return x.mean((2, 3))

    def _scaled(self, images: UInt8[Tensor, "n 3 h w"]) -> Float32[Tensor, "n 3 299 299"]:
        x = resized(images.float().contiguous(memory_format=torch.channels_last), _SIZE)
        return (x - 128) / 128 if self._graph_names else x * (2 / 255) - 1

    def _block(self, block: Block, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d p q"]:
        outputs = []
        for branch in block.branches:
            y = x
            for step in branch:
                y = self._step(step, y)
            outputs.append(y)
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, 1)

    def _step(self, step: Step, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d p q"]:
        if isinstance(step, tuple):
            return torch.cat([self._convolved(part, x) for part in step], 1)
        return _pooled(step, x) if isinstance(step, Pool) else self._convolved(step, x)

    def _convolved(self, layer: Convolution, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d p q"]:
        weight, bias = self._layers[layer.name]
        return F.conv2d(x, weight, bias, stride=layer.stride, padding=layer.padding).relu_()


def _pooled(pool: Pool, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c p q"]:
    padding = 1 if pool.stride == 1 else 0
    if pool.average:
        return F.avg_pool2d(x, 3, pool.stride, padding, count_include_pad=False)
    return F.max_pool2d(x, 3, pool.stride, padding)


def _layers(file: Weights, blocks: tuple[Block, ...], dim: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Read every convolution of `blocks`; `UserError` if some are missing or the file is for another network."""
    head = file.tensors.get("fc.weight")
    if head is not None and head.ndim == 2 and head.shape[0] == 1000:
        raise UserError(
            f"{file.path} is torchvision's own Inception-v3 (1000 classes), not the network of 2015-12-05 "
            f"(1008 outputs) on which FID is defined. {_WHERE}"
        )
    wanted = list(convolutions(blocks))
    norms = {c.name: (f"{c.torch_name}.conv", f"{c.torch_name}.bn") for _, c in wanted}
    layers = folded_layers(file, {c.name: c.shape for _, c in wanted}, norms, eps=_EPS)
    if not layers:
        raise UserError(f"{file.path} holds no layer of the FID Inception network. {_WHERE}")
    missing = list(dict.fromkeys(block.name for block, c in wanted if c.name not in layers))
    if missing:
        raise UserError(_missing_sentence(file, blocks, missing, dim))
    return layers


def _missing_sentence(file: Weights, blocks: tuple[Block, ...], missing: list[str], dim: int) -> str:
    names = [block.name for block in blocks]
    whole = [d for d in DIMS if d < dim and not set(missing) & {block.name for block in plan_for(d)}]
    holds = (
        f"holds the layers up to {names[names.index(missing[0]) - 1]} only" if whole else "is not complete"
    )
    instead = f"use inception-{whole[-1]} or another file" if whole else "use another file"
    return f"{file.path} {holds}: inception-{dim} needs {_listed(missing)}; {instead}."


def _is_standard(layers: dict[str, tuple[Tensor, Tensor]]) -> bool:
    return all(
        abs(float(layers[name][0].abs().mean()) / value - 1) < 0.01
        for name, value in _FINGERPRINT.items()
        if name in layers
    )


def _listed(items: list[str] | tuple[int, ...]) -> str:
    *most, last = (str(item) for item in items)
    return f"{', '.join(most)} and {last}" if most else last
