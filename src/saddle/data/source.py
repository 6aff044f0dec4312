"""What a reader hands over: pixels in memory, and sources that load a part when it is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int64, UInt8

from saddle.data.options import Options

__all__ = ["Loader", "Raw", "Source"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """Pixels as they lie in the source, before `fit_pixels` brings them to the wanted size and channels."""

    pixels: UInt8[np.ndarray, "n c h w"]
    labels: Int64[np.ndarray, " n"] | None = None
    skipped: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    "Where each image lies in the source; see `ImageSet.names`."


Loader = Callable[[Options], Raw]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A source whose structure is known and whose pixels are not read yet."""

    name: str
    where: str
    "How messages name it: the path as the user wrote it."
    classes: tuple[str, ...] = ()
    train: Loader
    "The training part, or everything where the source has no parts."
    test: Loader | None = None
