"""Small files from anyone: JSON objects of bounded size, and operating-system errors as sentences."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from saddle.errors import UserError

__all__ = ["explained", "parse_object", "read_object"]


@contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` (full disk, no permission, a file where a folder should be) into a `UserError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot {action} {path}: {reason}. Make room or allow it, or name another folder."
        ) from error


def read_object(path: Path, *, limit: int, advice: str) -> dict[str, Any]:
    """Read the JSON object in `path`, at most `limit` bytes long; `advice` ends the message when it is not one."""
    with explained("read", path), path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UserError(f"{path} is larger than {limit} bytes, so it is no file of a run. {advice}")
    try:
        return parse_object(data)
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}. {advice}") from error


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse one JSON object; `ValueError` says why it is none (broken, too deep, NaN, or another type)."""
    try:
        value = json.loads(data, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"it holds {type(value).__name__}, not a JSON object")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
