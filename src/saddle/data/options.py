"""The options of a reader, and the seeded orders that choose images."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int64

from saddle.errors import UserError

__all__ = ["LIMIT_STREAM", "SPLIT_STREAM", "Options", "order"]

LIMIT_STREAM, SPLIT_STREAM = 1, 2


def order(n: int, seed: int, stream: int) -> Int64[np.ndarray, " n"]:
    """A permutation of `0 … n-1` that depends on `(n, seed, stream)` only, and never changes.

    The stable argsort of Philox4x64's raw 64-bit words under the key `(seed, stream)`. NumPy promises the stream of
    a bit generator for ever, but not that of `Generator.permutation` (NEP 19).
    """
    words = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int64)


@final
@dataclass(frozen=True, kw_only=True)
class Options:
    """How a reader brings images into shape; see `DataConfig` for the meaning."""

    resize: int | None = None
    channels: int | None = None
    limit: int | None = None
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if self.resize is not None and not 1 <= self.resize <= 4096:
            raise UserError(
                f"--resize is {self.resize}, and a side has 1 to 4096 pixels. Pass --resize 64, say."
            )
        if self.channels not in (None, 1, 3):
            raise UserError(
                f"--channels is {self.channels}, and images are grey (1) or RGB (3). Pass 1 or 3."
            )
        if self.limit is not None and self.limit < 1:
            raise UserError(
                f"--limit is {self.limit}, and at least one image is needed. Pass a positive number."
            )

    def draw(self, n: int) -> Int64[np.ndarray, " m"]:
        """Which of `n` images to look at: all, or `limit` of them at random, in ascending order.

        A random draw, because files sorted by class would otherwise give one class.
        """
        if self.limit is None or self.limit >= n:
            return np.arange(n)
        return np.sort(order(n, 0, LIMIT_STREAM)[: self.limit])
