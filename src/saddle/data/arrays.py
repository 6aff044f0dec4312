"""Images from .npy and .npz files, or a folder of x_train.npy, y_train.npy, …."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Int64, Shaped

from saddle.data import npy
from saddle.data.labels import check_length, index_labels
from saddle.data.layout import Encoding, channel_first, encoding_of, to_bytes
from saddle.data.memory import check_memory
from saddle.data.options import Options
from saddle.data.packed import is_packed, read_packed
from saddle.data.problems import listed, printable
from saddle.data.source import Loader, Raw, Source
from saddle.errors import UserError

__all__ = ["has_arrays", "read_array_folder", "read_npy", "read_npz"]

Read = Callable[[str], Shaped[np.ndarray, "..."]]

IMAGES = {
    "train": ("x_train", "train_x", "train_images", "images_train", "xtrain", "train"),
    "test": ("x_test", "test_x", "test_images", "images_test", "xtest", "test"),
    "all": ("x", "images", "image", "imgs", "data", "arr_0"),
}
LABELS = {
    "train": ("y_train", "train_y", "train_labels", "labels_train", "ytrain"),
    "test": ("y_test", "test_y", "test_labels", "labels_test", "ytest"),
    "all": ("y", "labels", "label", "targets", "target", "arr_1"),
}


def read_npy(path: Path, where: str) -> Source:
    """One .npy array of images; `x_NAME.npy` takes its labels from `y_NAME.npy` beside it, if that is there."""
    labels = path.with_name("y_" + path.name[2:])
    beside = path.name.startswith("x_") and labels.exists()
    return source_of_arrays(
        name=path.name,
        where=where,
        images={"all": path.name},
        labels={"all": labels.name} if beside else {},
        read=lambda name: npy.map_npy(path.with_name(name), str(Path(where).with_name(name))),
        show=lambda name: str(Path(where).with_name(name)),
    )


def has_arrays(path: Path) -> bool:
    """Whether a folder holds `x_train.npy` (or another name of the training part in `IMAGES`)."""
    return any(file.stem.lower() in IMAGES["train"] for file in path.glob("*.npy"))


def read_array_folder(path: Path, where: str) -> Source:
    """A folder of .npy files with the names that an .npz would have as keys."""
    keys = [file.stem for file in sorted(path.glob("*.npy"))]
    return source_of_arrays(
        name=path.resolve().name,
        where=where,
        images=choose(IMAGES, keys, where),
        labels=choose(LABELS, keys, where),
        read=lambda key: npy.map_npy(path / f"{key}.npy", str(Path(where) / f"{key}.npy")),
        show=lambda key: str(Path(where) / f"{key}.npy"),
    )


def read_npz(path: Path, where: str) -> Source:
    """An .npz of images under one of the keys in `IMAGES`, or its only array of three or four axes.

    Packed WebP strips and JPEG files are known by their keys too (see `packed`). A text `meta` of JSON may name the
    `classes` and say that whole numbers are thousandths.
    """
    headers = npy.members(path, where)

    def read(key: str) -> Shaped[np.ndarray, "..."]:
        return npy.read_member(path, where, key)

    meta = read_meta(headers, read)
    if is_packed(headers):
        return read_packed(name=path.name, where=where, keys=headers, read=read, meta=meta)
    images = choose(IMAGES, headers, where)
    if not images:
        likely = [key for key, header in headers.items() if len(header.shape) in (3, 4)]
        images = {"all": likely[0]} if len(likely) == 1 else {}
    if not images:
        found = listed([f"{printable(k)} {'x'.join(map(str, h.shape))}" for k, h in headers.items()])
        raise UserError(
            f"{where} holds no array of images that Saddle knows by name ({found or 'it is empty'}). Save it with the "
            "keys images and labels, or x_train, y_train, x_test and y_test."
        )
    labels = choose(LABELS, headers, where)
    return source_of_arrays(
        name=path.name,
        where=where,
        images=images,
        labels={part: key for part, key in labels.items() if part in images},
        read=read,
        show=lambda key: f"{where}[{printable(key)}]",
        meta=meta,
    )


def choose(names: Mapping[str, Iterable[str]], keys: Iterable[str], where: str) -> dict[str, str]:
    """The key of every part that is there: train and test, or all."""
    keys = list(keys)
    found: dict[str, str] = {}
    for part, known in names.items():
        matching = [key for key in keys if key.lower() in known]
        if len(matching) > 1:
            raise UserError(
                f"{where} holds {' and '.join(map(printable, matching))}, and only one of them can be meant. "
                "Keep that one."
            )
        if matching and not (part == "all" and found):
            found[part] = matching[0]
    return {"all": found["test"]} if list(found) == ["test"] else found


def read_meta(keys: Iterable[str], read: Read) -> dict[str, Any]:
    """The JSON object under `meta`, or nothing; a `meta` of another kind is somebody else's."""
    if "meta" not in keys:
        return {}
    text = read("meta")
    if text.dtype.kind != "U" or text.shape != ():
        return {}
    try:
        meta = json.loads(str(text))
    except (ValueError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


def source_of_arrays(
    *,
    name: str,
    where: str,
    images: Mapping[str, str],
    labels: Mapping[str, str],
    read: Read,
    show: Callable[[str], str],
    meta: Mapping[str, Any] | None = None,
) -> Source:
    """Read the arrays, decide once what their axes and values mean, and convert a part when it is wanted."""
    meta = meta or {}
    arrays = {part: channel_first(read(key), show(key)) for part, key in images.items()}
    encoding = encoding_of(list(arrays.values()), where, str(meta.get("values", "")))
    known = {part: np.asarray(read(key)) for part, key in labels.items()}
    index, classes = index_labels(
        known, where, shown={part: show(key) for part, key in labels.items()}, names=class_names(meta)
    )
    for part, values in index.items():
        check_length(values, len(arrays[part]), show(labels[part]))

    def loader(part: str) -> Loader:
        return ArrayLoader(
            array=arrays[part], labels=index.get(part), encoding=encoding, shown=show(images[part])
        )

    return Source(
        name=name,
        where=where,
        classes=classes,
        train=loader("all" if "all" in arrays else "train"),
        test=loader("test") if "test" in arrays else None,
    )


def class_names(meta: Mapping[str, Any]) -> tuple[str, ...]:
    names = meta.get("classes", ())
    return tuple(printable(str(name)) for name in names) if isinstance(names, list) else ()


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayLoader:
    """One part of an array file."""

    array: Shaped[np.ndarray, "n c h w"]
    labels: Int64[np.ndarray, " n"] | None
    encoding: Encoding
    shown: str

    def __call__(self, options: Options) -> Raw:
        rows = options.draw(len(self.array))
        array = self.array if len(rows) == len(self.array) else self.array[rows]
        check_memory(array.size, self.shown, f"{len(array):,} images")
        bad = self.encoding.bad_rows(array)
        problems = [
            (f"{self.shown}[{rows[i]}]", reason(array[i], self.encoding)) for i in np.flatnonzero(bad)
        ]
        # Where most images are outside, the range itself is the mistake, and leaving out would hide it.
        if problems and (not options.skip_bad or bad.sum() * 2 > len(bad)):
            raise out_of_range(self.shown, problems, len(bad))
        good = np.flatnonzero(~bad)
        return Raw(
            pixels=to_bytes(array if len(good) == len(array) else array[good], self.encoding),
            labels=None if self.labels is None else self.labels[rows[good]],
            skipped=tuple(f"{name}: {why}" for name, why in problems),
            names=tuple(f"[{row}]" for row in rows[good]),
        )


def reason(image: Shaped[np.ndarray, "c h w"], encoding: Encoding) -> str:
    if not np.isfinite(image).all():
        return "holds NaN or infinite values"
    return f"holds values from {image.min():.4g} to {image.max():.4g}, and {encoding.name} was expected"


def out_of_range(shown: str, problems: Sequence[tuple[str, str]], total: int) -> UserError:
    """The error for images with values that the encoding does not allow."""
    skip = ", or pass --skip-bad to leave these images out" if len(problems) * 2 <= total else ""
    return UserError(
        f"{shown} holds {len(problems):,} of {total:,} images whose values are no pixels: "
        f"{listed([f'{name} ({why})' for name, why in problems])}. "
        f"Save uint8 values 0 to 255, or floats in [0, 1] or [-1, 1]{skip}."
    )
