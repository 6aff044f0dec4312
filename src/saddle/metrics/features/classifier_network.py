"""The small convolutional classifier whose last layer but one gives features, and its training."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saddle.metrics.features.weights import fold_batch_norm

__all__ = ["DIM", "RECIPE", "apply_folded", "folded_shapes", "train_classifier"]

RECIPE = "classifier v1"
"Name of everything below; raise the number when any of it changes, so that old caches are not read."

DIM = 128
_WIDTHS = (32, 64, 96, DIM)
_BATCH = 128
# About this many images are seen in training, but each at least three and at most sixteen times.
_PASSES, _FEWEST, _MOST = 200_000, 3, 16
_RATE = 3e-3
_DECAY = 0.05
_EPS = 1e-5
_MOMENTUM = 0.1

Parameters = dict[str, Tensor]
Status = Callable[[str], None]


@final
@dataclass(frozen=True, kw_only=True)
class Trained:
    """Folded weights, and the share of held-out images that they classify rightly."""

    tensors: Parameters
    accuracy: float
    held_out: int


def stem_stride(size: int) -> int:
    """The first layer brings the picture to 16x16 or less, so that the cost does not grow with it."""
    return max(1, math.ceil(size / 16))


def folded_shapes(size: int, channels: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of a trained classifier for such images."""
    shapes: dict[str, tuple[int, ...]] = {"mean": (channels,), "std": (channels,)}
    for index, shape in enumerate(_kernels(size, channels)):
        shapes |= {f"conv{index}.weight": shape, f"conv{index}.bias": shape[:1]}
    return shapes


def _kernels(size: int, channels: int) -> list[tuple[int, int, int, int]]:
    stride = stem_stride(size)
    kernels = [3 if stride == 1 else 2 * stride, 3, 3, 3]
    inputs = [channels, *_WIDTHS[:-1]]
    return [(o, i, k, k) for o, i, k in zip(_WIDTHS, inputs, kernels, strict=True)]


def apply_folded(tensors: Parameters, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """Return the features: the channels of the last convolution, averaged over the picture."""

    def convolved(index: int, x: Tensor, stride: int, padding: int) -> Tensor:
        weight, bias = tensors[f"conv{index}.weight"], tensors[f"conv{index}.bias"]
        return F.conv2d(x, weight, bias, stride=stride, padding=padding).relu_()

    return _forward(_scaled(images, tensors["mean"], tensors["std"]), images.shape[-1], convolved)


def _scaled(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    x = images.float().contiguous(memory_format=torch.channels_last) / 255
    return (x - mean[:, None, None]) / std[:, None, None]


def _forward(x: Tensor, size: int, convolved: Callable[[int, Tensor, int, int], Tensor]) -> Tensor:
    """Stem, then three 3x3 layers with a halving after the first two, then the average."""
    stride = stem_stride(size)
    x = convolved(0, x, stride, 1 if stride == 1 else stride // 2)
    x = F.max_pool2d(convolved(1, x, 1, 1), 2)
    x = F.max_pool2d(convolved(2, x, 1, 1), 2)
    return convolved(3, x, 1, 1).mean((2, 3))


@torch.enable_grad()
def train_classifier(
    images: UInt8[Tensor, "n c h w"],
    labels: Int64[Tensor, " n"],
    *,
    classes: int,
    device: torch.device,
    status: Status,
) -> Trained:
    """Train with AdamW on a rate that falls linearly, on random shifts by up to an eighth of the picture.

    A tenth of the images is held out and never trained on. Everything random comes from one generator with a
    fixed seed, so torch's global state is neither read nor changed.
    """
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(images), generator=generator)
    held = order[: max(1, len(images) // 10)]
    kept = order[len(held) :]
    parameters, statistics = _initial(images[kept], classes, generator)
    parameters = {name: p.to(device).requires_grad_() for name, p in parameters.items()}
    statistics = {name: s.to(device) for name, s in statistics.items()}
    epochs = min(max(math.ceil(_PASSES / len(kept)), _FEWEST), _MOST)
    batches = max(1, len(kept) // _BATCH)
    optimiser = torch.optim.AdamW(parameters.values(), lr=_RATE, weight_decay=_DECAY)
    for epoch in range(epochs):
        status(f"training the classifier for features: epoch {epoch + 1} of {epochs}")
        shuffled = kept[torch.randperm(len(kept), generator=generator)]
        for step, index in enumerate(shuffled.tensor_split(batches)):
            for group in optimiser.param_groups:
                group["lr"] = _RATE * _schedule((epoch + step / batches) / epochs)
            batch = _shifted(images[index], generator).to(device)
            loss = F.cross_entropy(_logits(parameters, statistics, batch), labels[index].to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    tensors = _folded(parameters, statistics)
    accuracy = _accuracy(tensors, parameters, images[held], labels[held], device)
    return Trained(tensors={n: t.cpu() for n, t in tensors.items()}, accuracy=accuracy, held_out=len(held))


def _schedule(progress: float) -> float:
    """Rise over the first fifth, then fall linearly to zero."""
    return min(progress / 0.2, (1 - progress) / 0.8) + 1e-3


def _initial(images: Tensor, classes: int, generator: torch.Generator) -> tuple[Parameters, Parameters]:
    # The order is random, so a part is enough for two numbers a channel.
    values = images[: max(1, 10_000_000 // images[0].numel())].double()
    statistics = {
        "mean": (values.mean((0, 2, 3)) / 255).float(),
        "std": (values.std((0, 2, 3)) / 255).clamp_min(1e-3).float(),
    }
    parameters = {}
    for index, shape in enumerate(_kernels(images.shape[-1], images.shape[1])):
        fan_in = shape[1] * shape[2] * shape[3]
        parameters[f"conv{index}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        parameters[f"conv{index}.scale"] = torch.ones(shape[0])
        parameters[f"conv{index}.shift"] = torch.zeros(shape[0])
        statistics[f"conv{index}.mean"] = torch.zeros(shape[0])
        statistics[f"conv{index}.variance"] = torch.ones(shape[0])
    parameters["head.weight"] = torch.zeros(classes, DIM)
    parameters["head.bias"] = torch.zeros(classes)
    return parameters, statistics


def _shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move every image by its own whole number of pixels; edges are continued."""
    n, _, size, _ = images.shape
    reach = max(1, size // 8)
    offset = torch.randint(-reach, reach + 1, (2, n), generator=generator)
    line = torch.arange(size)
    rows = (line + offset[0, :, None]).clamp(0, size - 1)
    columns = (line + offset[1, :, None]).clamp(0, size - 1)
    return images[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


def _logits(parameters: Parameters, statistics: Parameters, images: Tensor) -> Tensor:
    def convolved(index: int, x: Tensor, stride: int, padding: int) -> Tensor:
        name = f"conv{index}"
        y = F.conv2d(x, parameters[f"{name}.weight"], stride=stride, padding=padding)
        y = F.batch_norm(
            y,
            statistics[f"{name}.mean"],
            statistics[f"{name}.variance"],
            parameters[f"{name}.scale"],
            parameters[f"{name}.shift"],
            training=True,
            momentum=_MOMENTUM,
            eps=_EPS,
        )
        return y.relu_()

    features = _forward(_scaled(images, statistics["mean"], statistics["std"]), images.shape[-1], convolved)
    return F.linear(features, parameters["head.weight"], parameters["head.bias"])


def _folded(parameters: Parameters, statistics: Parameters) -> Parameters:
    tensors = {"mean": statistics["mean"], "std": statistics["std"]}
    for index in range(len(_WIDTHS)):
        name = f"conv{index}"
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = fold_batch_norm(
            parameters[f"{name}.weight"].detach(),
            parameters[f"{name}.scale"].detach(),
            parameters[f"{name}.shift"].detach(),
            statistics[f"{name}.mean"],
            statistics[f"{name}.variance"],
            eps=_EPS,
        )
    return tensors


@torch.inference_mode()
def _accuracy(
    tensors: Parameters, parameters: Parameters, images: Tensor, labels: Tensor, device: torch.device
) -> float:
    right = 0
    for group, truth in zip(images.split(512), labels.split(512), strict=True):
        logits = F.linear(
            apply_folded(tensors, group.to(device)), parameters["head.weight"], parameters["head.bias"]
        )
        right += int((logits.argmax(1).cpu() == truth).sum())
    return right / len(images)
