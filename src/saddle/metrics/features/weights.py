"""Weights from a file that the user names: read without pickled code, checked, batch norms folded."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from saddle.errors import UserError

__all__ = ["Weights", "fold_batch_norm", "folded_layers", "read_weights"]


@final
@dataclass(frozen=True, kw_only=True)
class Weights:
    """What a weights file holds: its tensors by name, and the sha256 of its bytes."""

    path: Path
    tensors: Mapping[str, Tensor]
    digest: str


def read_weights(path: Path | str) -> Weights:
    """Read a safetensors file or a torch state dict (`weights_only`: no code in it is run).

    Raises `UserError` if the file is missing, truncated, neither of the two, or holds anything but tensors.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"The weights file {path} cannot be read: {error.strerror or error}.") from error
    tensors = _from_safetensors(path, data) if _is_safetensors(data) else _from_torch(path)
    return Weights(path=path, tensors=tensors, digest=hashlib.sha256(data).hexdigest())


def _is_safetensors(data: bytes) -> bool:
    # Eight bytes of little-endian header length, then a JSON object. No torch file looks like that.
    return data[8:9] == b"{"


def _from_safetensors(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        return load_safetensors(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise UserError(
            f"The weights file {path} is a damaged safetensors file ({error}). Copy it again from its source."
        ) from error


def _from_torch(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    # The unpickler has no error of its own for damage: whatever step trips over it raises (IndexError, OSError, …).
    except Exception as error:
        raise UserError(
            f"The weights file {path} is neither a safetensors file nor a torch state dict that can be read "
            "without running code from it. Save it as `torch.save(network.state_dict(), file)`."
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise UserError(
            f"The weights file {path} holds a {type(content).__name__}, not a state dict of tensors."
        )
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def fold_batch_norm(
    weight: Float[Tensor, "out in kh kw"],
    scale: Float[Tensor, " out"],
    shift: Float[Tensor, " out"],
    mean: Float[Tensor, " out"],
    variance: Float[Tensor, " out"],
    *,
    eps: float,
) -> tuple[Float[Tensor, "out in kh kw"], Float[Tensor, " out"]]:
    """Return the convolution and bias that equal a bias-free convolution followed by a batch norm at rest.

    With `s = scale / sqrt(variance + eps)`: weight `s w`, bias `shift - s mean`; computed in float64.
    """
    factor = scale.double() / (variance.double() + eps).sqrt()
    return (
        (weight.double() * factor[:, None, None, None]).float(),
        (shift.double() - factor * mean.double()).float(),
    )


def folded_layers(
    weights: Weights,
    shapes: Mapping[str, tuple[int, ...]],
    norms: Mapping[str, tuple[str, str]],
    *,
    eps: float,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return `{layer: (weight, bias)}` in float32 for every layer of `shapes` that the file holds.

    A layer is read as `layer.weight`, `layer.bias` (already folded), or, where `norms[layer]` is
    `(convolution, norm)`, from `convolution.weight` and the batch norm `norm.*` of a torch state dict.
    `shapes` gives the convolution's shape. Raises `UserError` for a wrong shape or a value that is not finite.
    """
    layers = {}
    for layer, shape in shapes.items():
        convolution, norm = norms[layer]
        if f"{layer}.weight" in weights.tensors:
            read = _tensor(weights, f"{layer}.weight", shape), _tensor(weights, f"{layer}.bias", shape[:1])
        elif f"{convolution}.weight" in weights.tensors:
            parts = [_tensor(weights, f"{norm}.{part}", shape[:1]) for part in _NORM_PARTS]
            read = fold_batch_norm(_tensor(weights, f"{convolution}.weight", shape), *parts, eps=eps)
        else:
            continue
        layers[layer] = read
    return layers


_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


def _tensor(weights: Weights, name: str, shape: tuple[int, ...]) -> Tensor:
    if name not in weights.tensors:
        raise UserError(
            f"The weights file {weights.path} holds no {name!r}: it is not a file for this network."
        )
    tensor = weights.tensors[name]
    if tuple(tensor.shape) != shape:
        raise UserError(
            f"The weights file {weights.path} is for another network: {name!r} has shape "
            f"{tuple(tensor.shape)} where this one needs {shape}."
        )
    tensor = tensor.float()
    if not bool(tensor.isfinite().all()):
        raise UserError(
            f"The weights file {weights.path} is damaged: {name!r} holds values that are not finite."
        )
    return tensor
