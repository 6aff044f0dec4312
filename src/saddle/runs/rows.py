"""A log of rows, one JSON object a line, that survives being killed at any byte.

Lines are appended whole, in one write. A process (or a machine) that dies may leave a part of a line at the end:
readers pass over it, and the next append or truncation takes it away. A bad line anywhere else is damage.

NaN and infinities are written as `null` (they are not JSON), and read as None.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from saddle._files import write_bytes
from saddle.errors import UserError
from saddle.runs.hashing import null, plain
from saddle.runs.textfiles import explained, parse_object

__all__ = ["append_rows", "read_rows", "truncate_rows"]


def append_rows(path: Path, rows: Sequence[Mapping[str, Any]], *, durable: bool = False) -> None:
    """Append `rows`, each with a whole number `step`; with `durable` they are on the disk when this returns."""
    for row in rows:
        assert isinstance(row.get("step"), int), f"a row of metrics needs a whole number `step`: {row!r}"
    text = "".join(json.dumps(plain(row, number=null, where="row"), allow_nan=False) + "\n" for row in rows)
    with explained("write", path), path.open("a+b", buffering=0) as file:
        _drop_torn_line(file.fileno())
        data = text.encode("ascii")
        if os.write(file.fileno(), data) != len(data):
            raise OSError("the disk took only a part of the rows")
        if durable:
            os.fsync(file.fileno())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return every whole row; no file is no rows. A damaged row before the last raises `UserError`."""
    return [row for row, _ in _parsed(path)]


def truncate_rows(path: Path, step: int) -> None:
    """Keep, byte for byte, the rows with `row["step"] <= step`; drop the others and any torn line, atomically."""
    if not path.exists():
        return
    kept = b"".join(line for row, line in _parsed(path) if row["step"] <= step)
    with explained("write", path):
        if len(kept) != path.stat().st_size:
            write_bytes(path, kept)


def _parsed(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    if not path.exists():
        return
    with explained("read", path):
        lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("it ends in the middle of the line")
            row = parse_object(line)
            if not isinstance(row.get("step"), int):
                raise ValueError("its step is no whole number")
        except ValueError as error:
            if number == len(lines):
                return
            raise UserError(
                f"line {number} of {path} is damaged: {error}. Delete the line, or the folder to run it again."
            ) from error
        yield row, line


def _drop_torn_line(descriptor: int) -> None:
    end = size = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 65536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
