"""`<folder>/extras/<name>.json`: what is measured on a finished run besides its scores, with its settings.

    {"version": 1, "settings": {…}, "numbers": {…}}

Written whole or not at all. It counts only for equal settings, and from the run's step on: a run that was trained on is
measured anew, and one whose further training was stopped has a later checkpoint than its last result says.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saddle._files import write_text
from saddle.runs.hashing import null, plain

__all__ = ["VERSION", "extra_path", "read_extra", "read_settings", "write_extra"]

VERSION = 1
LIMIT = 2**26  # bytes


def extra_path(folder: Path, name: str) -> Path:
    """Where the extra `name` of a run (or of a sweep) lies."""
    return folder / "extras" / f"{name}.json"


def write_extra(folder: Path, name: str, settings: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
    """Write an extra; what is not finite becomes null."""
    path = extra_path(folder, name)
    path.parent.mkdir(exist_ok=True)
    content = {"version": VERSION, "settings": dict(settings), "numbers": dict(numbers)}
    write_text(path, json.dumps(plain(content, number=null, where=name), indent=1) + "\n")


def read_extra(folder: Path, name: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """An extra's numbers; None where it is missing, damaged, of another version or, if given, of other settings.

    Of the settings that are given, `step` is the least.
    """
    stored = _read(extra_path(folder, name))
    if settings is not None and not _meets(stored.get("settings"), plain(dict(settings), where=name)):
        return None
    numbers = stored.get("numbers")
    return numbers if isinstance(numbers, dict) else None


def read_settings(folder: Path, name: str) -> dict[str, Any]:
    """An extra's settings; empty where it is missing or damaged."""
    settings = _read(extra_path(folder, name)).get("settings")
    return settings if isinstance(settings, dict) else {}


def _meets(stored: Any, wanted: dict[str, Any]) -> bool:
    if not isinstance(stored, dict):
        return False
    step, least = stored.get("step"), wanted.get("step")
    reached = step == least or (type(step) is int and type(least) is int and step > least)
    return reached and {**stored, "step": None} == {**wanted, "step": None}


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > LIMIT:
            return {}
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) and stored.get("version") == VERSION else {}
