"""CIFAR-10's own binary batches: a label byte, then 3072 bytes of red, green and blue planes, row by row.

Source: Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html, "binary version".
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from saddle.data.memory import check_memory
from saddle.data.options import Options
from saddle.data.source import Loader, Raw, Source
from saddle.errors import UserError

__all__ = ["CLASSES", "has_batches", "read_cifar", "read_cifar_file"]

RECORD = 1 + 3 * 32 * 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def has_batches(path: Path) -> bool:
    """Whether a folder holds CIFAR-10 batches, of the binary or the pickled kind."""
    return any(re.fullmatch(r"data_batch_\d+(\.bin)?", file.name) for file in path.iterdir())


def read_cifar(path: Path, where: str) -> Source:
    """A folder of `data_batch_*.bin` (training) and `test_batch.bin`."""
    batches = sorted(path.glob("data_batch_*.bin"))
    if not batches:
        raise UserError(
            f"{where} holds CIFAR-10 as pickles, which can run code; Saddle never reads them. Download the binary "
            "version (cifar-10-binary.tar.gz) instead."
        )
    test = path / "test_batch.bin"
    return Source(
        name=path.resolve().name,
        where=where,
        classes=CLASSES,
        train=loader(batches, where),
        test=loader([test], where) if test.exists() else None,
    )


def read_cifar_file(path: Path, where: str) -> Source:
    """One batch on its own."""
    return Source(name=path.name, where=where, classes=CLASSES, train=loader([path], str(Path(where).parent)))


def loader(batches: Sequence[Path], where: str) -> Loader:
    def load(options: Options) -> Raw:
        check_memory(2 * sum(batch.stat().st_size for batch in batches), where, "the batches")
        records = np.concatenate([read_batch(batch, str(Path(where) / batch.name)) for batch in batches])
        rows = options.draw(len(records))
        records = records[rows]
        return Raw(
            pixels=records[:, 1:].reshape(-1, 3, 32, 32),
            labels=records[:, 0].astype(np.int64),
            names=tuple(f"[{row}]" for row in rows),
        )

    return load


def read_batch(path: Path, where: str) -> np.ndarray:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror}. Check its permissions.") from error
    if len(data) == 0 or len(data) % RECORD:
        raise UserError(
            f"{where} has {len(data):,} bytes, which is no whole number of CIFAR-10 records of {RECORD:,}. Copy or "
            "download it again."
        )
    records = data.reshape(-1, RECORD)
    highest = int(records[:, 0].max())
    if highest >= len(CLASSES):
        raise UserError(
            f"{where} holds the label {highest}, and CIFAR-10's go from 0 to 9, so it is damaged or another kind of "
            "file. Copy or download it again."
        )
    return records
