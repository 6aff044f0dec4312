"""Encoded images packed into one .npz: lossless WebP strips with offsets, or JPEG files with offsets.

`x_<split>_webp` holds WebP files end to end, cut at `x_<split>_offsets`; each is one image wide and a stack of images
high. `jpeg` holds JPEG files end to end, cut at `offsets`; those are cropped to their middle square and scaled to 64
pixels a side where no other size is asked for (for CelebA's 89 x 109: crop (0, 10, 89, 99), bicubic).
"""

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from saddle.data.decode import decode_image
from saddle.data.files import ImageFile, load_files
from saddle.data.header import Header, read_header
from saddle.data.labels import check_length, index_labels
from saddle.data.memory import check_memory
from saddle.data.options import Options
from saddle.data.parallel import each, quiet_pillow
from saddle.data.problems import BadImage
from saddle.data.resample import planes
from saddle.data.source import Raw, Source
from saddle.errors import UserError

__all__ = ["is_packed", "read_packed"]

Read = Callable[[str], Shaped[np.ndarray, "..."]]
FACE_SIZE = 64
TRAIN = {"x_train_webp", "x_train_offsets"}
TEST = {"x_test_webp", "x_test_offsets"}
FACES = {"jpeg", "offsets"}


def is_packed(keys: Collection[str]) -> bool:
    """Whether the keys of an .npz are those of packed images."""
    return set(keys) >= TRAIN or set(keys) >= FACES


def read_packed(
    *, name: str, where: str, keys: Collection[str], read: Read, meta: Mapping[str, Any]
) -> Source:
    """The source in an .npz for which `is_packed` holds."""
    if not set(keys) >= TRAIN:
        return read_faces(name, where, read)
    parts = ["train", "test"] if set(keys) >= TEST else ["train"]
    strips = {part: cut(where, read, f"x_{part}_webp", f"x_{part}_offsets") for part in parts}
    known = {part: read(f"y_{part}") for part in parts if f"y_{part}" in keys}
    names = meta.get("classes")
    labels, classes = index_labels(
        known,
        where,
        shown={part: f"{where}[y_{part}]" for part in parts},
        names=list(map(str, names)) if isinstance(names, list) else (),
    )
    loaders = {part: Strips(where=f"{where}[x_{part}_webp]", strips=strips[part]) for part in parts}
    for part, values in labels.items():
        check_length(values, loaders[part].count, f"{where}[y_{part}]")
        loaders[part] = replace(loaders[part], labels=values)
    return Source(name=name, where=where, classes=classes, train=loaders["train"], test=loaders.get("test"))


def cut(where: str, read: Read, key: str, offsets_key: str) -> list[UInt8[np.ndarray, " _"]]:
    """The encoded files in the array `key`."""
    data, offsets = read(key), read(offsets_key)
    whole = data.dtype == np.uint8 and data.ndim == 1 and offsets.dtype.kind in "iu" and offsets.ndim == 1
    if whole and len(offsets) > 1:
        offsets = offsets.astype(np.int64)
        if offsets[0] == 0 and offsets[-1] == len(data) and (np.diff(offsets) > 0).all():
            return [data[a:b] for a, b in pairwise(offsets)]
    raise UserError(
        f"{where} holds {offsets_key} that do not cut {key} into files: they must rise from 0 to its length. Copy or "
        "download the file again."
    )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Strips:
    """One part of a file of WebP strips."""

    where: str
    strips: list[UInt8[np.ndarray, " _"]]
    labels: Int64[np.ndarray, " n"] | None = None

    @property
    def headers(self) -> list[Header]:
        headers = [
            self.checked(i, lambda data: read_header(io.BytesIO(data))) for i in range(len(self.strips))
        ]
        width = headers[0].width
        for i, header in enumerate(headers):
            if header.width != width or header.height % width:
                raise UserError(
                    f"{self.where} strip {i} is {header.width}x{header.height}, which is not a stack of {width}x{width} "
                    "images. Copy or download the file again."
                )
        return headers

    @property
    def count(self) -> int:
        """How many images there are."""
        return sum(header.height // header.width for header in self.headers)

    def checked(self, i: int, work: Callable[[bytes], Any]) -> Any:
        try:
            return work(self.strips[i].tobytes())
        except BadImage as error:
            raise UserError(f"{self.where} strip {i} {error}. Copy or download the file again.") from error

    def __call__(self, options: Options) -> Raw:
        headers = self.headers
        side = headers[0].width
        starts = np.cumsum([0, *(header.height // side for header in headers)])
        n = int(starts[-1])
        check_memory(n * 3 * side**2, self.where, f"{n:,} images of {side}x{side} pixels")
        pixels = np.empty((n, 3, side, side), np.uint8)

        def unpack(data: bytes) -> UInt8[np.ndarray, "k 3 s s"]:
            stack = planes(decode_image(data).convert("RGB"))
            return stack.reshape(3, -1, side, side).transpose(1, 0, 2, 3)

        def fill(i: int) -> None:
            pixels[starts[i] : starts[i + 1]] = self.checked(i, unpack)

        with quiet_pillow():
            each(fill, len(self.strips), chunk=1)
        rows = options.draw(n)
        labels = None if self.labels is None else self.labels[rows]
        return Raw(
            pixels=pixels if len(rows) == n else pixels[rows],
            labels=labels,
            names=tuple(f"[{row}]" for row in rows),
        )


def read_faces(name: str, where: str, read: Read) -> Source:
    """JPEG files without labels."""
    encoded = cut(where, read, "jpeg", "offsets")

    def opener(i: int) -> Callable[[], io.BytesIO]:
        return lambda: io.BytesIO(encoded[i].tobytes())

    files = [
        ImageFile(name=f"{where}[jpeg][{i}]", place=f"[{i}]", open=opener(i), bytes=len(data))
        for i, data in enumerate(encoded)
    ]

    def load(options: Options) -> Raw:
        return load_files(where, files, replace(options, resize=options.resize or FACE_SIZE))

    return Source(name=name, where=where, train=load)
