"""From what a user names to an `ImageSet`: one dispatcher, and what is common to all sources."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from saddle.data import digits
from saddle.data.arrays import has_arrays, read_array_folder, read_npy, read_npz
from saddle.data.cifar import has_batches, read_cifar, read_cifar_file
from saddle.data.folder import read_folder
from saddle.data.idx import has_idx, is_idx_name, read_idx, read_idx_file
from saddle.data.imageset import ImageSet
from saddle.data.options import Options
from saddle.data.problems import printable
from saddle.data.resample import fit_pixels
from saddle.data.source import Loader, Source
from saddle.data.zipped import read_zip
from saddle.errors import UserError

__all__ = ["load_part", "open_source", "read_images"]

KINDS = (
    "a folder or zip of images, an .npy or .npz array, a folder of CIFAR-10 .bin batches or MNIST idx files, or the "
    "name digits"
)


def read_images(
    source: str | Path,
    *,
    resize: int | None = None,
    channels: Literal[1, 3] | None = None,
    limit: int | None = None,
    skip_bad: bool = False,
    part: Literal["train", "test"] = "train",
) -> ImageSet:
    """Read images from any source that `DataConfig.data` describes.

    A source with a test part of its own gives only the `part` asked for; any other gives all its images.

    Raises:
        UserError: naming what is wrong, and every bad file (the first few, and how many there are).
    """
    options = Options(resize=resize, channels=channels, limit=limit, skip_bad=skip_bad)
    found = open_source(source)
    loader = found.test if part == "test" and found.test is not None else found.train
    return load_part(found, loader, options)


def load_part(source: Source, loader: Loader, options: Options) -> ImageSet:
    """Load one part and bring it to the wanted size and channels."""
    raw = loader(options)
    pixels = fit_pixels(raw.pixels, options, source.where)
    # A tensor shares its memory; an array read from a file's own bytes may not be written to.
    images = torch.from_numpy(pixels if pixels.flags.writeable else pixels.copy())
    labels = None if raw.labels is None else torch.from_numpy(np.ascontiguousarray(raw.labels))
    return ImageSet(
        name=source.name,
        images=images,
        labels=labels,
        classes=() if labels is None else source.classes,
        skipped=raw.skipped,
        names=raw.names,
    )


def open_source(source: str | Path) -> Source:
    """Find out which kind of source this is, and read its structure.

    The name `digits` is a name only as a string; a `Path` is always a path.
    """
    if source == digits.NAME and os.path.lexists(digits.NAME):
        raise UserError(
            "digits is both a built-in data set and a file or folder here. Write ./digits for the one here, or "
            f"{digits.ALIAS} for the built-in one."
        )
    if source in (digits.NAME, digits.ALIAS):
        return digits.read_digits()
    where = printable(str(source))
    if not where or "\0" in str(source):
        raise UserError(f"'{where}' is not a path. Give {KINDS}.")
    path = Path(os.path.expanduser(source))  # Path.expanduser fails for an unknown user.
    try:
        if path.is_dir():
            return open_folder(path, where)
        if path.is_file():
            return open_file(path, where)
        reason = "is not a regular file" if path.exists() else "does not exist"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    raise UserError(f"{where} {reason}. Give {KINDS}.")


def open_folder(path: Path, where: str) -> Source:
    if has_batches(path):
        return read_cifar(path, where)
    if has_idx(path):
        return read_idx(path, where)
    if has_arrays(path):
        return read_array_folder(path, where)
    return read_folder(path, where)


def open_file(path: Path, where: str) -> Source:
    """By the first bytes where these tell, by the name where they do not."""
    with path.open("rb") as stream:
        start = stream.read(8)
    suffix = path.suffix.lower()
    if not start:
        raise UserError(f"{where} is empty. Give {KINDS}.")
    if suffix == ".npz":
        return read_npz(path, where)
    if suffix == ".npy" or start.startswith(b"\x93NUMPY"):
        return read_npy(path, where)
    if suffix == ".zip" or start.startswith(b"PK\x03\x04"):
        return read_zip(path, where)
    if is_idx_name(path.name) or start.startswith(b"\x00\x00\x08\x03"):
        return read_idx_file(path, where)
    if suffix == ".bin":
        return read_cifar_file(path, where)
    raise UserError(f"{where} is no kind of file that holds a set of images. Give {KINDS}.")
