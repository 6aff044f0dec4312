"""`extras/trust.npz` of a run: the training images that it trusted least."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8

from saddle._files import write_bytes
from saddle.data import ImageSet
from saddle.studies.width_sweep.extra_files import extra_path

__all__ = ["BINS", "LeastTrusted", "read_least_trusted", "write_least_trusted"]

BINS = 40
SHOWN = 28
LIMIT = 2**26  # bytes


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LeastTrusted:
    """Images in ascending order of their running weights."""

    step: int
    index: Int64[np.ndarray, " k"]
    "Places in the training set."
    weights: Float[np.ndarray, " k"]
    images: UInt8[np.ndarray, "k c h w"]
    outlier: Int64[np.ndarray, " k"]
    "1: a known outlier, 0: known to belong, -1: not known."

    @classmethod
    def of(cls, weights: Float[np.ndarray, " n"], images: ImageSet, step: int) -> "LeastTrusted":
        """The `SHOWN` images of the smallest weights; of equal ones the first."""
        index = np.argsort(weights, kind="stable")[:SHOWN].astype(np.int64)
        at = torch.from_numpy(index)
        known = images.outliers
        return cls(
            step=step,
            index=index,
            weights=weights[index].astype(np.float64),
            images=images.images[at].cpu().numpy(),
            outlier=np.full(len(index), -1) if known is None else known[at].cpu().numpy().astype(np.int64),
        )


def write_least_trusted(run: Path, found: LeastTrusted) -> None:
    """Write it whole or not at all; arrays only, no pickle."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        step=np.int64(found.step),
        index=found.index,
        weights=found.weights,
        images=found.images,
        outlier=found.outlier,
    )
    path = extra_path(run, "trust").with_suffix(".npz")
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, buffer.getvalue())


def read_least_trusted(run: Path) -> LeastTrusted | None:
    """What `write_least_trusted` wrote; None where it is missing or damaged."""
    path = extra_path(run, "trust").with_suffix(".npz")
    try:
        if path.stat().st_size > LIMIT:
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = LeastTrusted(
                step=int(stored["step"]),
                index=stored["index"].astype(np.int64),
                weights=stored["weights"].astype(np.float64),
                images=stored["images"],
                outlier=stored["outlier"].astype(np.int64),
            )
        count = len(found.images)
        arrays = (found.index, found.weights, found.outlier)
        good = found.images.dtype == np.uint8 and found.images.ndim == 4 and found.images.shape[1] in (1, 3)
        return found if good and count <= 2 * SHOWN and all(a.shape == (count,) for a in arrays) else None
    except Exception:  # whatever a hostile archive can do to a reader
        return None
