"""The sentences that name bad files."""

from collections import Counter
from collections.abc import Sequence

from saddle.errors import UserError

__all__ = ["BadImage", "bad_files", "listed", "mixed_sizes", "not_square", "printable"]

SHOWN = 5
SQUARES = (8, 16, 32, 64, 128)


class BadImage(Exception):
    """One image cannot be used; the message says why, and goes on after the file's name."""


def printable(name: str) -> str:
    """`name` with every control or undecodable character escaped: a file's name may hold terminal codes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def listed(items: Sequence[str], shown: int = SHOWN) -> str:
    """The first few items and how many more there are."""
    rest = len(items) - shown
    return ", ".join(items[:shown]) + (f" and {rest} more" if rest > 0 else "")


def counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def bad_files(where: str, bad: Sequence[tuple[str, str]], total: int) -> UserError:
    """The error for files that cannot be used, each given as (name, why)."""
    names = listed([f"{name} ({why})" for name, why in bad])
    if len(bad) == total:
        return UserError(
            f"{where} holds no image that can be used: {names}. "
            "Saddle reads PNG, JPEG and WebP; replace these files by images that open."
        )
    return UserError(
        f"{where} holds {counted(len(bad), 'file')} of {total:,} that cannot be used: {names}. "
        "Repair or remove them, or pass --skip-bad to go on without them."
    )


def mixed_sizes(
    where: str, sizes: Counter[tuple[int, int]], odd: Sequence[str], bad: Sequence[tuple[str, str]]
) -> UserError:
    """The error for images of several sizes (width, height); `odd` are those not of the most common size."""
    table = listed([f"{w}x{h}: {n:,}" for (w, h), n in sizes.most_common()])
    side = square_within(most_common_size(sizes))
    also = f" Also {listed([f'{name} ({why})' for name, why in bad])} cannot be used." if bad else ""
    return UserError(
        f"{where} holds images of {len(sizes):,} sizes ({table}), and a GAN needs one. Pass --resize {side} to bring "
        f"them all to {side}x{side}, or --skip-bad to leave the odd ones out, or remove them: {listed(odd)}.{also}"
    )


def not_square(where: str, width: int, height: int) -> UserError:
    """The error for images that all have one size which is not square."""
    side = square_within((width, height))
    return UserError(
        f"{where} holds images of {width}x{height} pixels, and a GAN here needs square ones. Pass --resize {side} "
        f"to crop each to its middle square and scale it to {side}x{side}."
    )


def most_common_size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """The size that most images have; among equals the largest."""
    return max(sizes, key=lambda size: (sizes[size], size[0] * size[1], size))


def square_within(size: tuple[int, int]) -> int:
    """A side to propose: the size itself where it is square, else the largest usual one that fits."""
    if size[0] == size[1]:
        return size[0]
    return max((side for side in SQUARES if side <= min(size)), default=SQUARES[0])
