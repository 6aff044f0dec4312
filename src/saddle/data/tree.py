"""The structure of a folder or zip of images: what surrounds everything, train and test parts, labels."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import PurePosixPath
from typing import final

from saddle.data.files import ImageFile, load_files
from saddle.data.options import Options
from saddle.data.problems import listed, printable
from saddle.data.source import Loader, Raw, Source
from saddle.errors import UserError

__all__ = ["Entry", "Opener", "is_hidden", "source_of_tree", "wanted"]

READ = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp"})
# Images that somebody means to train on and that would otherwise be lost in silence.
OTHER_IMAGES = frozenset(
    {".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".tga", ".ppm", ".pgm"}
)
TESTS = ("test", "val", "valid", "validation")

Opener = Callable[["Entry"], BufferedIOBase]
"Opens one entry of a tree that is itself open."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One file of the tree."""

    parts: tuple[str, ...]
    "Its path within the tree, folder by folder."
    bytes: int = 0
    why: str = ""
    "Why it cannot be used, if its place alone tells."

    def shown(self, where: str) -> str:
        return printable(f"{where.rstrip('/')}/{'/'.join(self.parts)}")


def is_hidden(parts: Sequence[str]) -> bool:
    """Whether any folder or the file is hidden (`.DS_Store`, `.git/`) or is macOS's shadow of a zip."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def wanted(name: str) -> str | None:
    """None for an image, a reason for an image of a kind that Saddle does not read, "" for any other file."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in READ:
        return None
    return (
        f"is a {suffix[1:].upper()} file; Saddle reads PNG, JPEG and WebP" if suffix in OTHER_IMAGES else ""
    )


def source_of_tree(
    *,
    name: str,
    where: str,
    entries: Sequence[Entry],
    ignored: Sequence[str],
    opening: Callable[[], AbstractContextManager[Opener]],
) -> Source:
    """Find the parts and labels of a tree.

    A single folder around everything is looked through. If then there are just `train/` and `test/` (or `val/`,
    `valid/`, `validation/`), they are the two parts. In each part the first folder of a path is its label, if every
    image lies in a folder and there are at least two of these.

    Args:
        entries: all files that are images or bad, sorted.
        ignored: names of the other files.
        opening: opens the tree for reading.
    """
    usable = [entry for entry in entries if not entry.why]
    broken = [entry for entry in entries if entry.why]
    if not entries:
        were = "other file was" if len(ignored) == 1 else "other files were"
        others = f"{len(ignored):,} {were} ignored: {listed(ignored)}" if ignored else "it is empty"
        raise UserError(
            f"{where} holds no PNG, JPEG or WebP image ({others}). Give a folder or zip of images, or another source."
        )
    depth = surrounding(usable)
    parts = {part: [e for e in usable if e.parts[depth] == part] for part in two_parts(where, usable, depth)}
    if parts:
        train, test = parts.values()
        depth += 1
    else:
        train, test = usable, []
    classes = labels_in([*train, *test], depth)
    index = {label: i for i, label in enumerate(classes)}

    def loader(chosen: Sequence[Entry]) -> Loader:
        def load(options: Options) -> Raw:
            with opening() as open_entry:
                files = [as_file(entry, where, depth, index, open_entry) for entry in chosen]
                return load_files(where, files, options)

        return load

    return Source(
        name=name,
        where=where,
        classes=classes,
        train=loader([*broken, *train]),
        test=loader(test) if test else None,
    )


def surrounding(entries: Sequence[Entry]) -> int:
    """How many folders lie around everything."""
    depth = 0
    while entries and all(
        len(e.parts) > depth + 1 and e.parts[depth] == entries[0].parts[depth] for e in entries
    ):
        depth += 1
    return depth


def two_parts(where: str, entries: Sequence[Entry], depth: int) -> tuple[str, ...]:
    """The names of the training and the test folder, or nothing."""
    tops = sorted({e.parts[depth] for e in entries if len(e.parts) > depth + 1})
    lower = {top.lower(): top for top in tops}
    tests = [lower[test] for test in TESTS if test in lower]
    if "train" not in lower or not tests:
        return ()
    loose = any(len(e.parts) == depth + 1 for e in entries)
    if len(tops) > 2 or loose:
        others = [printable(f"{top}/") for top in tops if top not in (lower["train"], tests[0])]
        raise UserError(
            f"{where} holds train/ and {tests[0]}/ but also {listed(others) or 'images beside them'}, so it is not "
            f"clear what to train on. Pass --data and --test with the two folders you mean."
        )
    return lower["train"], tests[0]


def labels_in(entries: Sequence[Entry], depth: int) -> tuple[str, ...]:
    """Sorted names of the label folders; none where images lie outside them or there is only one."""
    if any(len(e.parts) <= depth + 1 for e in entries):
        return ()
    names = sorted({e.parts[depth] for e in entries})
    return tuple(names) if len(names) > 1 else ()


def as_file(entry: Entry, where: str, depth: int, index: Mapping[str, int], open_entry: Opener) -> ImageFile:
    label = index[entry.parts[depth]] if index and not entry.why else None
    return ImageFile(
        name=entry.shown(where),
        place="/".join(entry.parts),
        open=lambda: open_entry(entry),
        bytes=entry.bytes,
        label=label,
        why=entry.why,
    )
