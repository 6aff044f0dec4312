"""A pair of domains: found, read, brought to one form, and stored for the worker processes."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from saddle._files import write_bytes
from saddle.data import DataConfig, ImageSet, Split, load_split, read_images
from saddle.data.options import order
from saddle.errors import UserError
from saddle.studies.domain_adaptation.config import DomainAdaptationConfig
from saddle.studies.domain_adaptation.standins import stand_in, textures
from saddle.studies.domain_adaptation.targets import REPLACED, is_known

__all__ = ["Pair", "load_others", "load_pair", "read_others", "read_pair", "store"]

FORMS = (".npz", ".npy", ".zip")
MIXED = 34
"Stream of `order`."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Images of both domains in one size and number of channels; labels count by the source's classes."""

    source: UInt8[Tensor, "n c s s"]
    source_labels: Int64[Tensor, " n"]
    source_test: UInt8[Tensor, "n2 c s s"]
    source_test_labels: Int64[Tensor, " n2"]
    target: UInt8[Tensor, "m c s s"]
    target_labels: Int64[Tensor, " m"]
    "−1 for a class that the source lacks."
    target_test: UInt8[Tensor, "m2 c s s"]
    target_test_labels: Int64[Tensor, " m2"]
    classes: tuple[str, ...]


def load_pair(config: DomainAdaptationConfig, pair: str) -> Pair:
    """Read both domains of `pair`.

    Raises:
        UserError: a domain is missing, cannot be read, has no labels or shares no class with the other.
    """
    names = pair.split(":")
    splits = [_load(config, name) for name in names]
    channels = max(split.train.channels for split in splits)
    if len({split.train.channels for split in splits}) > 1:
        splits = [_load(config, name, channels=channels) for name in names]
    source, target = splits
    classes = source.train.classes
    labels = [_labels(part, name, classes) for split, name in zip(splits, names, strict=True) for part in (split.train, split.test)]  # fmt: skip
    if not any((found >= 0).any() for found in labels[2:]):
        raise UserError(
            f"{names[1]} has none of the classes of {names[0]} ({', '.join(classes[:10])}); name the classes of both alike."
        )
    found = Pair(
        source=source.train.images, source_labels=labels[0], source_test=source.test.images,
        source_test_labels=labels[1], target=target.train.images, target_labels=labels[2],
        target_test=target.test.images, target_test_labels=labels[3], classes=classes,
    )  # fmt: skip
    _check(config, found, pair)
    return found


def load_others(config: DomainAdaptationConfig, count: int, channels: int) -> UInt8[Tensor, "n c s s"]:
    """`count` images of another data set to contaminate a target with: `config.others`, CIFAR-10, or textures made by code."""
    name = config.others
    if config.data is not None and name is None and _find(config.data, "cifar10") is not None:
        name = "cifar10"
    if config.data is None or name is None:
        return torch.from_numpy(textures(count, size=config.side, channels=channels))
    kind: Literal[1, 3] = 3 if channels == 3 else 1
    found = read_images(_required(config.data, name), resize=config.side, channels=kind, limit=count).images
    if len(found) < count:
        raise UserError(
            f"{name} holds {len(found)} images, and {count} are to be put into the target; pass a smaller --share, or name "
            "a larger set with --others."
        )
    return found


def store(folder: Path, content: Pair | UInt8[Tensor, "n c s s"]) -> str:
    """Write the arrays to `<digest>.npz` in `folder`, unless it is there, and return the digest."""
    arrays = _arrays(content)
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    key = digest.hexdigest()[:16]
    if not (folder / f"{key}.npz").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        write_bytes(folder / f"{key}.npz", buffer.getvalue())
    return key


def read_pair(file: Path) -> Pair:
    """What `store` wrote of a pair."""
    arrays = _read(file)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items() if name != "classes"}
    return Pair(**tensors, classes=tuple(map(str, arrays["classes"])))


def read_others(file: Path) -> UInt8[Tensor, "n c s s"]:
    """What `store` wrote of images."""
    return torch.from_numpy(_read(file)["images"])


def _load(config: DomainAdaptationConfig, name: str, channels: Literal[1, 3] | int | None = None) -> Split:
    if config.data is None:
        return stand_in(name, size=config.side)
    kind: Literal[1, 3] | None = None if channels is None else (3 if channels == 3 else 1)
    source = str(_required(config.data, name))
    split = load_split(DataConfig(data=source, resize=config.side, channels=kind, limit=config.limit))
    # The first images of a part are looked at while training, and folders are sorted by class.
    return Split(train=_mixed(split.train), test=_mixed(split.test))


def _mixed(part: ImageSet) -> ImageSet:
    return part.subset(torch.from_numpy(order(len(part), 0, MIXED)))


def _required(folder: Path, name: str) -> Path:
    found = _find(folder, name)
    if found is None:
        raise UserError(
            f"{folder} holds no {name}: neither a folder of that name nor {name}.npz, .npy or .zip. Put it there, or name "
            "other domains with --pairs."
        )
    return found


def _find(folder: Path, name: str) -> Path | None:
    """`name` as it is or with an ending, else the only file called `name_…` with one."""
    for path in (folder / name, *(folder / f"{name}{form}" for form in FORMS)):
        if path.exists():
            return path
    longer = [path for form in FORMS for path in sorted(folder.glob(f"{_plain(name)}_*{form}"))]
    return longer[0] if len(longer) == 1 else None


def _plain(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def _labels(part: ImageSet, name: str, classes: Sequence[str]) -> Int64[Tensor, " n"]:
    if part.labels is None:
        raise UserError(
            f"{name} has no labels. The source is trained on its labels and the target is scored by them; give a folder "
            "with a sub-folder a class, or an array with y beside x."
        )
    places = torch.tensor([classes.index(each) if each in classes else -1 for each in part.classes])
    return places[part.labels]


def _check(config: DomainAdaptationConfig, pair: Pair, name: str) -> None:
    known, cases = config.known, set(config.contaminations)
    if {"foreign", "missing"} & cases and known >= len(pair.classes):
        raise UserError(
            f"--known is {known}, and {name} has {len(pair.classes)} classes; foreign and missing need fewer known "
            "ones than there are."
        )
    counts = {"source": len(pair.source), "target": len(pair.target)}
    if "foreign" in cases:
        counts[f"source, of the first {known} classes,"] = int((pair.source_labels < known).sum())
    if "missing" in cases:
        counts[f"target, of the first {known} classes,"] = int(is_known(pair.target_labels, known).sum())
    for which, count in counts.items():
        if count < config.batch:
            raise UserError(
                f"{name}: the {which} has {count} training images, fewer than a batch of {config.batch}; pass a smaller "
                "--batch."
            )
    if "foreign" in cases and is_known(pair.target_labels, known).all():
        raise UserError(
            f"{name}: the target holds only classes that the source knows with --known {known}, so none is foreign; pass a "
            "smaller --known, or leave foreign out of --contaminations."
        )
    if {"foreign", "missing"} & cases and not is_known(pair.target_test_labels, known).any():
        raise UserError(
            f"{name}: the target's test part has no image of the first {known} classes, so nothing could be scored; pass a "
            "larger --known."
        )
    if set(REPLACED) & cases and not 0 < round(config.share * len(pair.target)) < len(pair.target):
        raise UserError(
            f"--share {config.share:g} of the {len(pair.target)} target images of {name} is "
            f"{round(config.share * len(pair.target))} images; choose a share that leaves some of both kinds."
        )


def _arrays(content: Pair | Tensor) -> dict[str, np.ndarray]:
    if isinstance(content, Tensor):
        return {"images": content.numpy()}
    values = {field.name: getattr(content, field.name) for field in fields(content)}
    return {
        name: value.numpy() if isinstance(value, Tensor) else np.array(value)
        for name, value in values.items()
    }


def _read(file: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{file} is damaged: {error}. Delete it, and run the same command again.") from error
