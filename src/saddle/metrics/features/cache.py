"""Features kept in files, so that a real set is embedded once."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float32, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from saddle._files import write_bytes
from saddle.metrics.features.base import FeatureExtractor

__all__ = ["cached_features", "checksum", "read_entry", "short_hash", "write_entry"]


def cached_features(
    extractor: FeatureExtractor,
    images: UInt8[Tensor, "n c h w"],
    digest: str,
    cache_folder: Path | str | None,
) -> Float32[Tensor, "n d"]:
    """Return `extractor(images)`, read from `cache_folder` if it was computed before.

    `digest` names the images (as `ImageSet.digest` does); the file is named by it and `extractor.identity`.
    A file that is damaged, or whose shape does not fit, is computed again. Without a folder, or for features
    that no identity describes (`extractor.cacheable`), nothing is read or written.
    """
    if cache_folder is None or not extractor.cacheable:
        return extractor(images)
    key = {"features": extractor.identity, "images": digest, "count": str(len(images))}
    path = Path(cache_folder) / f"features-{short_hash(key)}.safetensors"

    def fits(tensors: dict[str, Tensor]) -> bool:
        rows = tensors.get("features")
        shape = (len(images), extractor.dim)
        return rows is not None and rows.dtype == torch.float32 and tuple(rows.shape) == shape

    entry = read_entry(path, key, fits)
    if entry is not None:
        return entry[0]["features"]
    features = extractor(images)
    write_entry(path, {"features": features}, key)
    return features


def short_hash(key: dict[str, str]) -> str:
    """Return 24 hex digits that stand for `key`."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]


def read_entry(
    path: Path, key: dict[str, str], fits: Callable[[dict[str, Tensor]], bool]
) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Return the tensors and the header of a cache file, or None if it is missing, damaged, or another entry.

    The contents are held to the checksum in the header: a flipped bit is as good as a missing file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["saddle"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, KeyError):
        return None
    if not isinstance(header, dict):
        return None
    matches = key.items() <= header.items() and header.get("checksum") == checksum(tensors)
    return (tensors, header) if matches and fits(tensors) else None


def write_entry(path: Path, tensors: dict[str, Tensor], header: dict[str, str]) -> None:
    """Write a cache file whole or not at all; the folder is made if needed."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # One entry: safetensors writes several in an order that changes, and equal contents should be equal files.
    text = json.dumps(header | {"checksum": checksum(tensors)}, sort_keys=True)
    write_bytes(path, save(tensors, {"saddle": text}))


def checksum(tensors: dict[str, Tensor]) -> str:
    """Return the sha256 over the names, types, shapes and values of `tensors`."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
