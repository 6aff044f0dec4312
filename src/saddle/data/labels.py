"""Labels of any kind to indices into class names."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int64, Shaped

from saddle.data.problems import printable
from saddle.errors import UserError

__all__ = ["check_length", "index_labels"]

MAX_CLASSES = 10_000


def check_length(labels: Shaped[np.ndarray, "..."], n: int, shown: str) -> None:
    """Raise `UserError` unless there is one label an image."""
    if labels.shape != (n,):
        raise UserError(
            f"{shown} has {len(labels):,} labels for {n:,} images, and every image needs one. Save as many labels as "
            "images, or none."
        )


def index_labels(
    parts: Mapping[str, Shaped[np.ndarray, "..."]],
    where: str,
    *,
    shown: Mapping[str, str],
    names: Sequence[str] = (),
) -> tuple[dict[str, Int64[np.ndarray, " n"]], tuple[str, ...]]:
    """Labels of all parts as indices, and the class names.

    Whole numbers with `names` are indices into them; otherwise the classes are the sorted distinct values of all
    parts together, so that train and test agree. A column `(n, 1)` counts as `(n,)`. Messages name a part by `shown`.
    """
    flat = {key: as_vector(labels, shown[key]) for key, labels in parts.items()}
    if not flat:
        return {}, ()
    if names:
        for key, labels in flat.items():
            if labels.dtype.kind not in "iu" or (
                len(labels) and not 0 <= labels.min() <= labels.max() < len(names)
            ):
                raise UserError(
                    f"{where} names {len(names)} classes, but {shown[key]} holds other labels than 0 to "
                    f"{len(names) - 1}. Repair the labels or leave them out."
                )
        return {key: labels.astype(np.int64) for key, labels in flat.items()}, tuple(names)
    kinds = {"text" if labels.dtype.kind in "US" else "number" for labels in flat.values()}
    if len(kinds) > 1:
        raise UserError(f"{where} holds labels as text and as numbers. Save them all in one way.")
    values, index = np.unique(np.concatenate(list(flat.values())), return_inverse=True)
    if len(values) > MAX_CLASSES:
        raise UserError(
            f"{where} holds {len(values):,} different labels, more than the {MAX_CLASSES:,} that Saddle takes for "
            "classes. Leave the labels out."
        )
    cuts = np.cumsum([len(labels) for labels in flat.values()])[:-1]
    pieces = np.split(index.astype(np.int64), cuts)
    return dict(zip(flat, pieces, strict=True)), tuple(as_text(value) for value in values)


def as_vector(labels: Shaped[np.ndarray, "..."], shown: str) -> Shaped[np.ndarray, " n"]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iubUS":
        raise UserError(
            f"{shown} has shape {shape(labels)} and type {labels.dtype}, and labels are one whole number or word an "
            "image. Save them as an integer array of shape (n,), or leave them out."
        )
    return labels.astype(np.uint8) if labels.dtype.kind == "b" else labels


def as_text(value: np.generic) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return printable(text)


def shape(array: Shaped[np.ndarray, "..."]) -> str:
    return "x".join(map(str, array.shape)) or "()"
