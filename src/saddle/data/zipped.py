"""A zip of a folder of images, read member by member; nothing is ever extracted."""

import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import cast

from saddle.data.problems import listed, printable
from saddle.data.source import Source
from saddle.data.tree import Entry, Opener, is_hidden, source_of_tree, wanted
from saddle.errors import UserError

__all__ = ["read_zip"]

MAX_RATIO = 200
"A member or a whole zip that grows by more is a bomb; images hardly shrink, deflate can reach 1032."
SMALL = 2**20
"Below this size a ratio says nothing: a flat little picture may shrink to almost nothing."
MAX_TOTAL = 2**40


def read_zip(path: Path, where: str) -> Source:
    """List the images in the zip at `path`; see `source_of_tree` for parts and labels.

    Members with `..`, an absolute path or a drive letter, links, encrypted members and members that grow more than
    `MAX_RATIO` times are bad files, never opened.

    Raises:
        UserError: for a file that is not a whole zip, and for a zip bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not is_plain_folder(member)]
    # A directory of hostile bytes fails with BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError, …
    except Exception as error:
        raise UserError(
            f"{where} is not a whole zip: {printable(str(error))}. Download or pack it again."
        ) from error
    infos: dict[Entry, zipfile.ZipInfo] = {}
    ignored: list[str] = []
    for member in members:
        parts = tuple(part for part in re.split(r"[/\\]", member.filename) if part not in ("", "."))
        why = unsafe(member)
        kind = wanted(parts[-1]) if parts else ""
        if why:
            infos[Entry(parts=parts or ("?",), why=why)] = member
        elif is_hidden(parts):
            continue
        elif kind == "":
            ignored.append(printable(member.filename))
        else:
            infos[Entry(parts=parts, bytes=member.file_size, why=kind or closed(member))] = member
    check_total(path, where, list(infos.values()))
    entries = sorted(infos, key=lambda entry: entry.parts)

    @contextmanager
    def opening() -> Iterator[Opener]:
        with zipfile.ZipFile(path) as archive:

            def open_entry(entry: Entry) -> BufferedIOBase:
                return cast(BufferedIOBase, archive.open(infos[entry]))

            yield open_entry

    name = path.resolve().name
    return source_of_tree(name=name, where=where, entries=entries, ignored=ignored, opening=opening)


def is_plain_folder(member: zipfile.ZipInfo) -> bool:
    return member.is_dir() and not unsafe(member)


def check_total(path: Path, where: str, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse a zip whose members claim far more than it can hold (a bomb of overlapping members, say)."""
    total, packed = sum(member.file_size for member in members), path.stat().st_size
    if total > MAX_TOTAL or (total > SMALL and total > MAX_RATIO * packed):
        worst = sorted(members, key=lambda member: -member.file_size)
        raise UserError(
            f"{where} is a zip bomb: {packed:,} bytes that unpack to {total:,}, and images never shrink {MAX_RATIO} "
            f"times. Pack the images again without {listed([printable(m.filename) for m in worst], 2)}."
        )


def unsafe(member: zipfile.ZipInfo) -> str:
    """Why a member is refused for its place, or ""; even in a file that nobody reads this is an attack."""
    name = member.orig_filename
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in re.split(r"[/\\]", name):
        return "has .. in its path"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a symbolic link"
    return ""


def closed(member: zipfile.ZipInfo) -> str:
    """Why an image cannot be unpacked, or ""."""
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.file_size > SMALL and member.file_size > MAX_RATIO * max(1, member.compress_size):
        return f"is a bomb: {member.compress_size:,} bytes that unpack to {member.file_size:,}"
    return ""
