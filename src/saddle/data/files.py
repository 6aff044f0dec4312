"""Many encoded image files to one array: headers first, then pixels, in threads; every bad file is named."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from typing import TypeVar, final

import numpy as np
from jaxtyping import Int64

from saddle.data.decode import decode
from saddle.data.header import MAX_FILE_BYTES, Header, read_header
from saddle.data.memory import check_memory
from saddle.data.options import Options
from saddle.data.parallel import each, quiet_pillow
from saddle.data.problems import BadImage, bad_files, mixed_sizes, most_common_size, not_square, printable
from saddle.data.source import Raw

__all__ = ["ImageFile", "load_files"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ImageFile:
    """One encoded image, not opened yet."""

    name: str
    "As messages show it."
    open: Callable[[], BufferedIOBase]
    bytes: int
    "Its encoded size, if opening it gives no more than that."
    label: int | None = None
    place: str = ""
    "Its path within the source, as it is."
    why: str = ""
    "Why it cannot be used, where its place alone tells (a link, an encrypted member, …)."


Bad = list[tuple[str, str]]
T = TypeVar("T")


def load_files(where: str, files: Sequence[ImageFile], options: Options) -> Raw:
    """Read the files that `options` draws into one array of `(n, c, size, size)`.

    The first pass reads headers only, so that mixed sizes and bombs show at once and the memory is known; the second
    decodes in place. Without `channels`, images are grey where all files are grey.

    Raises:
        UserError: naming the bad files, the sizes, or the memory that is missing. With `skip_bad`, only where
            nothing is left.
    """
    bad: Bad = [(file.name, file.why) for file in files if file.why]
    open_ones = [file for file in files if not file.why]
    candidates = [open_ones[i] for i in options.draw(len(open_ones))]
    total = len(candidates) + len(bad)
    with quiet_pillow():
        inspected = each(lambda i: attempt(inspect, candidates[i]), len(candidates))
        drawn, headers = split_bad(candidates, inspected, bad)
        if not drawn:
            raise bad_files(where, bad, total)
        if options.resize is None:
            drawn, headers = one_size(where, drawn, headers, bad, options)
        side = options.resize or headers[0].height
        channels = options.channels or (1 if all(header.grey for header in headers) else 3)
        check_memory(len(drawn) * channels * side**2, where, f"{len(drawn):,} images of {side}x{side} pixels")
        pixels = np.empty((len(drawn), channels, side, side), np.uint8)

        def fill(file: ImageFile, i: int) -> int:
            pixels[i] = decode(read_all(file), resize=options.resize, channels=channels)
            return i

        outcomes = each(lambda i: attempt(lambda file: fill(file, i), drawn[i]), len(drawn))
    kept, index = split_bad(drawn, outcomes, bad)
    if bad and (not options.skip_bad or not kept):
        raise bad_files(where, bad, total)
    return Raw(
        pixels=pixels if len(kept) == len(drawn) else pixels[index],
        labels=labels_of(kept),
        skipped=tuple(f"{name}: {why}" for name, why in bad),
        names=tuple(file.place for file in kept),
    )


def attempt(work: Callable[[ImageFile], T], file: ImageFile) -> T | str:
    """The result of `work`, or why the file cannot be used."""
    try:
        return work(file)
    except BadImage as error:
        return str(error)


def inspect(file: ImageFile) -> Header:
    if file.bytes > MAX_FILE_BYTES:
        raise BadImage(f"takes {file.bytes:,} bytes, more than the {MAX_FILE_BYTES:,} that Saddle reads")
    try:
        with file.open() as stream:
            return read_header(stream)
    except BadImage:
        raise
    except Exception as error:
        raise unreadable(error) from error


def read_all(file: ImageFile) -> bytes:
    try:
        with file.open() as stream:
            # Bounded: the file may have grown since it was listed.
            return stream.read(MAX_FILE_BYTES)
    except Exception as error:
        raise unreadable(error) from error


def unreadable(error: Exception) -> BadImage:
    """Reading a damaged archive fails with many types (zlib.error, EOFError, BadZipFile, OSError, …)."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadImage(f"cannot be read: {printable(reason or type(error).__name__)}")


def split_bad(
    files: Sequence[ImageFile], outcomes: Sequence[T | str], bad: Bad
) -> tuple[list[ImageFile], list[T]]:
    """The files that worked and their results; the others are appended to `bad`."""
    good = [
        (file, outcome) for file, outcome in zip(files, outcomes, strict=True) if not isinstance(outcome, str)
    ]
    bad += [(file.name, out) for file, out in zip(files, outcomes, strict=True) if isinstance(out, str)]
    return [file for file, _ in good], [outcome for _, outcome in good]


def one_size(
    where: str, files: list[ImageFile], headers: list[Header], bad: Bad, options: Options
) -> tuple[list[ImageFile], list[Header]]:
    """The files of the most common size, which must be square; the odd ones are refused or appended to `bad`."""
    sizes = Counter((header.width, header.height) for header in headers)
    width, height = most_common_size(sizes)
    odd = [(f, h) for f, h in zip(files, headers, strict=True) if (h.width, h.height) != (width, height)]
    if odd and not options.skip_bad:
        raise mixed_sizes(where, sizes, [file.name for file, _ in odd], bad)
    if width != height:
        raise not_square(where, width, height)
    bad += [(f.name, f"is {h.width}x{h.height} pixels, and most are {width}x{height}") for f, h in odd]
    left_out = {id(file) for file, _ in odd}
    pairs = [(f, h) for f, h in zip(files, headers, strict=True) if id(f) not in left_out]
    return [file for file, _ in pairs], [header for _, header in pairs]


def labels_of(files: Sequence[ImageFile]) -> Int64[np.ndarray, " n"] | None:
    labels = [file.label for file in files if file.label is not None]
    return np.array(labels, np.int64) if len(labels) == len(files) else None
