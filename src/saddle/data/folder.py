"""A folder of images, with links followed once."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from saddle.data.problems import printable
from saddle.data.source import Source
from saddle.data.tree import Entry, Opener, is_hidden, source_of_tree, wanted

__all__ = ["read_folder"]


def read_folder(path: Path, where: str) -> Source:
    """List the images below `path`; see `source_of_tree` for parts and labels.

    Links are followed, but every folder is read once: a link to one that is already read (a loop, say) is named as
    bad. Hidden files and files that are no images are ignored.
    """
    where = where.rstrip("/") + "/"
    entries: list[Entry] = []
    ignored: list[str] = []
    for parts, why in walk(path, (), set()):
        kind = wanted(parts[-1]) if parts else None
        if why:
            entries.append(Entry(parts=parts, why=why))
        elif kind == "":
            ignored.append(printable(where + "/".join(parts)))
        else:
            entries.append(examine(path, parts, kind or ""))
    entries.sort(key=lambda entry: entry.parts)

    @contextmanager
    def opening() -> Iterator[Opener]:
        def open_entry(entry: Entry) -> BufferedIOBase:
            return path.joinpath(*entry.parts).open("rb")

        yield open_entry

    name = path.resolve().name
    return source_of_tree(name=name, where=where, entries=entries, ignored=ignored, opening=opening)


def walk(
    root: Path, parts: tuple[str, ...], seen: set[tuple[int, int]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every file that is not hidden, and every folder that cannot be listed, with the reason."""
    folder = root.joinpath(*parts)
    try:
        about = folder.stat()
        if (about.st_dev, about.st_ino) in seen:
            yield parts, "is a link to a folder that is read already"
            return
        seen.add((about.st_dev, about.st_ino))
        # Real folders before links, so that a link is named and not what it points to.
        found = sorted(os.scandir(folder), key=lambda item: (item.is_symlink(), item.name))
    except OSError as error:
        yield parts, f"cannot be listed: {error.strerror}"
        return
    for item in found:
        below = (*parts, item.name)
        if is_hidden(below):
            continue
        if leads_to_folder(item):
            yield from walk(root, below, seen)
        else:
            yield below, ""


def leads_to_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:
        return False  # A link to itself; `examine` says so.


def examine(root: Path, parts: tuple[str, ...], why: str) -> Entry:
    """One file's entry. Only a regular file is ever opened: reading a named pipe would wait for ever."""
    if why:
        return Entry(parts=parts, why=why)
    try:
        about = root.joinpath(*parts).stat()
    except OSError as error:
        return Entry(parts=parts, why=f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(about.st_mode):
        return Entry(parts=parts, why="is not a regular file")
    return Entry(parts=parts, bytes=about.st_size)
