"""MNIST's idx files: big-endian `00 00 08 d`, d sizes of 4 bytes, then bytes; gzipped or not.

Source: LeCun, Cortes and Burges, "The MNIST database", file formats.
"""

import gzip
import math
import re
import zlib
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import UInt8

from saddle.data.labels import check_length, index_labels
from saddle.data.memory import check_memory
from saddle.data.options import Options
from saddle.data.problems import listed, printable
from saddle.data.source import Loader, Raw, Source
from saddle.errors import UserError

__all__ = ["has_idx", "is_idx_name", "read_idx", "read_idx_file"]

IMAGES = re.compile(r"(?P<stem>.*)images(?P<dot>[-._])idx3-ubyte(?P<gz>\.gz)?", re.IGNORECASE)
MAX_DEFLATE = 1040
"No gzip stream grows more (its limit is 1032 times)."


def is_idx_name(name: str) -> bool:
    """Whether a file is called like MNIST's image files."""
    return IMAGES.fullmatch(name) is not None


def has_idx(path: Path) -> bool:
    """Whether a folder holds idx image files."""
    return any(is_idx_name(file.name) for file in path.iterdir())


def read_idx(path: Path, where: str) -> Source:
    """A folder with one training and at most one test file of images (`train…`, `t10k…` or `test…`), and labels."""
    names = sorted(file.name for file in path.iterdir() if is_idx_name(file.name))
    # The same file unpacked and gzipped is one file.
    names = [name for name in names if not (name.endswith(".gz") and name.removesuffix(".gz") in names)]
    tests = [name for name in names if re.search(r"t10k|test", name, re.IGNORECASE)]
    trains = [name for name in names if name not in tests]
    if len(trains) != 1 or len(tests) > 1:
        raise UserError(
            f"{where} holds {listed([printable(name) for name in names])}, and Saddle needs one training and at most "
            "one test file. Pass the one you mean as --data, and the other as --test."
        )
    return source_of_files(path, where, path.resolve().name, [*trains, *tests])


def read_idx_file(path: Path, where: str) -> Source:
    """One file of images, with its labels beside it if they are there."""
    return source_of_files(path.parent, str(Path(where).parent), path.name, [path.name], where)


def source_of_files(folder: Path, shown: str, name: str, images: Sequence[str], where: str = "") -> Source:
    parts = dict(zip(("train", "test"), images, strict=False))
    pixels = {
        part: read_array(folder / file, str(Path(shown) / file), axes=3) for part, file in parts.items()
    }
    beside = {part: labels_beside(folder, file) for part, file in parts.items()}
    named = {part: str(Path(shown) / file.name) for part, file in beside.items() if file}
    known = {part: read_array(file, named[part], axes=1) for part, file in beside.items() if file}
    index, classes = index_labels(known, where or shown, shown=named)
    for part, labels in index.items():
        check_length(labels, len(pixels[part]), named[part])

    def loader(part: str) -> Loader:
        def load(options: Options) -> Raw:
            rows = options.draw(len(pixels[part]))
            labels = index[part][rows] if part in index else None
            return Raw(
                pixels=pixels[part][rows][:, None], labels=labels, names=tuple(f"[{row}]" for row in rows)
            )

        return load

    return Source(
        name=name,
        where=where or shown,
        classes=classes,
        train=loader("train"),
        test=loader("test") if "test" in parts else None,
    )


def labels_beside(folder: Path, images: str) -> Path | None:
    """`train-labels-idx1-ubyte` for `train-images-idx3-ubyte`, gzipped or not."""
    found = IMAGES.fullmatch(images)
    if found is None:
        return None
    stem = f"{found['stem']}labels{found['dot']}idx1-ubyte"
    return next((folder / name for name in (stem, f"{stem}.gz") if (folder / name).exists()), None)


def read_array(path: Path, where: str, *, axes: int) -> UInt8[np.ndarray, "..."]:
    """The bytes of one idx file, as an array of `axes` axes.

    No more is read or allocated than the header claims, and the claim is first held to the file's length and to the
    free memory; so neither a false header nor a gzip bomb takes memory.
    """
    try:
        with open_idx(path) as stream:
            shape = read_sizes(stream, where, axes)
            claimed = math.prod(shape)
            packed = path.stat().st_size
            growth = MAX_DEFLATE if is_gzip(path) else 1
            data = b""
            if claimed <= packed * growth:
                check_memory(claimed, where, "its bytes")
                data = stream.read(claimed)
            more = bool(stream.read(1))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{where} cannot be read: {printable(reason)}. Check it or copy it again.") from error
    except (EOFError, zlib.error) as error:
        raise UserError(f"{where} is a damaged gzip file: {error}. Copy or download it again.") from error
    if len(data) < claimed or more:
        holds = "more" if more and len(data) == claimed else "less"
        raise UserError(
            f"{where} claims {'x'.join(map(str, shape))} bytes in its header and holds {holds}. Copy or download it "
            "again."
        )
    if claimed == 0:
        raise UserError(
            f"{where} claims {'x'.join(map(str, shape))} bytes: it is empty. Copy or download it again."
        )
    return np.frombuffer(data, np.uint8).reshape(shape)


def read_sizes(stream: BufferedIOBase, where: str, axes: int) -> tuple[int, ...]:
    magic = stream.read(4)
    if magic != bytes([0, 0, 8, axes]):
        what = "images" if axes == 3 else "labels"
        raise UserError(
            f"{where} begins with {magic.hex(' ') or 'nothing'}, and an idx file of {what} begins with 00 00 08 0{axes} "
            f"(bytes, {axes} axes). Copy or download it again."
        )
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise UserError(f"{where} is cut short in its header. Copy or download it again.")
    return tuple(int(size) for size in np.frombuffer(sizes, ">u4"))


def is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def open_idx(path: Path) -> BufferedIOBase:
    return cast(BufferedIOBase, gzip.open(path)) if is_gzip(path) else path.open("rb")
