"""Arrays of images as users save them, to uint8 channel first: which axis is what, and what the values mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from saddle.data.problems import listed
from saddle.errors import UserError

__all__ = ["Encoding", "channel_first", "encoding_of", "to_bytes"]

ROWS = 1024
SLACK = 1e-4
"Values this far outside the range are rounding of somebody's normalisation: 1/40 of a grey level."


def channel_first(array: Shaped[np.ndarray, "..."], where: str) -> Shaped[np.ndarray, "n c h w"]:
    """View an array as `(n, c, h, w)`.

    The rule: three axes are `(n, h, w)`, grey; four are `(n, h, w, c)` or `(n, c, h, w)`, whichever has 1 or 3 in the
    place of `c`. Where both or neither do, nothing is guessed.

    Raises:
        UserError: for any other shape.
    """
    shape = array.shape
    shown = "x".join(map(str, shape)) or "()"
    advice = "Save the images as (n, height, width, channels) with 1 or 3 channels"
    if len(shape) == 3 and shape[2] not in (1, 3):
        view = array[:, None]
    elif len(shape) == 4 and (shape[3] in (1, 3)) != (shape[1] in (1, 3)):
        view = array if shape[1] in (1, 3) else array.transpose(0, 3, 1, 2)
    elif len(shape) == 3:
        raise UserError(f"{where} has shape {shown}, which may be one image or many narrow ones. {advice}.")
    elif len(shape) == 4 and shape[1] in (1, 3):
        raise UserError(
            f"{where} has shape {shown}, so its channels may come first or last. {advice}, larger than 3x3."
        )
    elif len(shape) == 4:
        raise UserError(
            f"{where} has shape {shown}, and neither axis 1 nor the last holds 1 or 3 channels. {advice}."
        )
    else:
        raise UserError(f"{where} has shape {shown}, which is not a list of images. {advice}.")
    if 0 in view.shape:
        raise UserError(f"{where} has shape {shown}: there is no image in it. Save at least a few images.")
    return view


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Encoding:
    """What the values of an array mean: `0..255`, `[0, 1]`, `[-1, 1]`, or thousandths of `[-1, 1]`."""

    name: str
    low: float
    high: float
    to_uint8: Callable[[Shaped[np.ndarray, "n c h w"]], Shaped[np.ndarray, "n c h w"]]

    def bad_rows(self, array: Shaped[np.ndarray, "n c h w"]) -> Bool[np.ndarray, " n"]:
        """Images that hold NaN, an infinity or a value outside the range."""
        lowest, highest = row_ranges(array)
        slack = SLACK if array.dtype.kind == "f" else 0
        # Comparisons with NaN are false, so that NaN is bad as well.
        return ~((lowest >= self.low - slack) & (highest <= self.high + slack))


BYTES = Encoding(name="0 to 255", low=0.0, high=255.0, to_uint8=lambda x: x)
TRUTH = Encoding(name="false or true", low=0.0, high=1.0, to_uint8=lambda x: x * np.uint8(255))
UNIT = Encoding(name="0 to 1", low=0.0, high=1.0, to_uint8=lambda x: np.rint(widened(x) * 255).clip(0, 255))
SIGNED = Encoding(
    name="-1 to 1", low=-1.0, high=1.0, to_uint8=lambda x: np.rint((widened(x) + 1) * 127.5).clip(0, 255)
)
THOUSANDTHS = Encoding(
    name="-1000 to 1000",
    low=-1000.0,
    high=1000.0,
    to_uint8=lambda x: np.rint((x.astype(np.float32) + 1000) * np.float32(0.1275)),
)


def widened(x: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    return x.astype(np.float32) if x.dtype == np.float16 else x


def encoding_of(arrays: Sequence[Shaped[np.ndarray, "_ _ _ _"]], where: str, meta: str = "") -> Encoding:
    """Decide what the values mean, for all parts of one source together.

    The rule: bytes are 0..255; other whole numbers are 0..255 too; truth values are black and white; floats are
    [-1, 1] where any is negative and [0, 1] where none is. Whole thousandths are known by the file's own `meta`.

    Raises:
        UserError: for other types, and for bytes that go up to 1 only.
    """
    kinds = {array.dtype.kind for array in arrays}
    types = listed(sorted({str(array.dtype) for array in arrays}))
    if "thousandths" in meta and kinds <= {"i"}:
        return THOUSANDTHS
    if kinds <= {"b"}:
        return TRUTH
    if not (kinds <= {"u", "i"} or kinds <= {"f"}):
        raise UserError(f"{where} holds images of type {types}. Save them as uint8, 0 to 255.")
    ranges = [row_ranges(array) for array in arrays]
    lowest, highest = (finite(side) for side in (np.concatenate(r) for r in zip(*ranges, strict=True)))
    if "f" in kinds:
        return SIGNED if len(lowest) and lowest.min() < -SLACK else UNIT
    if highest.max() == 1:
        raise UserError(
            f"{where} holds {types} values of 0 and 1 only, which as bytes would be black. Multiply them by 255."
        )
    return BYTES


def finite(values: Shaped[np.ndarray, " n"]) -> Shaped[np.ndarray, " m"]:
    return values[np.isfinite(values)]


def row_ranges(
    array: Shaped[np.ndarray, "n c h w"],
) -> tuple[Shaped[np.ndarray, " n"], Shaped[np.ndarray, " n"]]:
    """The smallest and the largest value of every image; NaN where it holds NaN."""
    if array.dtype == np.uint8:
        blocks = [array[at : at + ROWS] for at in range(0, len(array), ROWS)]
        return np.zeros(len(array)), np.concatenate([np.full(len(b), b.max(), np.float64) for b in blocks])
    axes = (1, 2, 3)
    blocks = [array[at : at + ROWS] for at in range(0, len(array), ROWS)]
    lowest = np.concatenate([block.min(axis=axes) for block in blocks])
    return lowest, np.concatenate([block.max(axis=axes) for block in blocks])


def to_bytes(array: Shaped[np.ndarray, "n c h w"], encoding: Encoding) -> UInt8[np.ndarray, "n c h w"]:
    """The pixels as contiguous uint8, rounded to the nearest; in blocks, so that the memory is bounded."""
    pixels = np.empty(array.shape, np.uint8)
    for at in range(0, len(array), ROWS):
        pixels[at : at + ROWS] = encoding.to_uint8(array[at : at + ROWS])
    return pixels
