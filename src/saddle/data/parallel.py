"""The same function over many images, in threads."""

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["each", "quiet_pillow"]

T = TypeVar("T")
CHUNK = 32


def each(function: Callable[[int], T], count: int, chunk: int = CHUNK) -> list[T]:
    """`[function(0), …, function(count - 1)]` over all cores; Pillow's and zlib's work releases the interpreter lock.

    Work is handed out in chunks of indices, since one task an image costs as much as decoding a small one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1 or count <= 1:
        return [function(i) for i in range(count)]

    def run(start: int) -> list[T]:
        return [function(i) for i in range(start, min(start + chunk, count))]

    with ThreadPoolExecutor(max_workers=min(cores, 16)) as pool:
        return [result for part in pool.map(run, range(0, count, chunk)) for result in part]


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings (odd EXIF, bomb sizes) to itself: Saddle makes its own checks and its own sentences.

    To be entered once around a pool, not inside its threads: the list of filters belongs to the process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
