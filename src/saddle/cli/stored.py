"""`--config FILE`: take every option from a stored configuration; options given beside it win."""

import os
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from saddle.errors import UserError
from saddle.runs.textfiles import read_object

__all__ = ["stored_default"]

LIMIT = 2**20  # bytes


def stored_default(words: Sequence[str], config: type) -> tuple[list[str], Any]:
    """Take `--config FILE` out of `words` and build `config` from the file, a run's `config.json` or `sweep.json`.

    Returns the other words and the configuration, or None where `--config` is not among them. The file is
    anybody's: unknown names and wrong types are refused with a `UserError`.
    """
    words = list(words)
    for index, word in enumerate(words):
        if word == "--config" or word.startswith("--config="):
            path = word.partition("=")[2] if "=" in word else "".join(words[index + 1 : index + 2])
            rest = words[:index] + words[index + (1 if "=" in word else 2) :]
            if not path:
                raise UserError("--config needs a file: a run's config.json or a sweep's sweep.json.")
            return rest, _build(config, _for_command(config, _options(Path(path)), rest, path), Path(path))
    return words, None


def _options(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"--config {path} does not exist; name a run's config.json or a sweep's sweep.json.")
    stored = read_object(path, limit=LIMIT, advice="Name a run's config.json or a sweep's sweep.json.")
    if isinstance(stored.get("command"), dict):
        return dict(stored["command"])
    notes = stored.get("notes")
    if not isinstance(notes, dict) or "data" not in notes:
        raise UserError(
            f"--config {path} is no configuration of a run or sweep: it does not say which images."
        )
    metrics, noted = stored.get("metrics"), notes.get("metrics")
    if isinstance(metrics, dict) and isinstance(noted, dict):
        # The configuration knows weights by their content; where they lay is a note.
        metrics = metrics | {"weights": noted.get("weights")}
    options = {key: notes.get(key) for key in ("data", "run")} | {
        "gan": stored.get("gan"),
        "metrics": metrics,
    }
    return options | {key: stored.get(key) for key in ("width", "width_g", "width_d", "seed")}


def _for_command(config: type, options: dict[str, Any], words: Sequence[str], path: str) -> dict[str, Any]:
    """Say the widths and seeds of one run as a sweep does, or those of a sweep as `train` does."""
    own = {field.name for field in fields(config)}
    if "widths" in own and "width" in options:
        width, seed = options.pop("width"), options.pop("seed", None)
        fixed = {key: options.pop(key, None) for key in ("width_g", "width_d")}
        options |= {key: value for key, value in fixed.items() if value != width}
        options |= {"widths": [width], "seeds": seed + 1 if type(seed) is int else seed}
    elif "width" in own and "widths" in options:
        widths, _ = options.pop("widths"), options.pop("seeds", None)
        if isinstance(widths, list) and len(widths) == 1:
            options["width"] = widths[0]
        elif not any(word == "--width" or word.startswith("--width=") for word in words):
            raise UserError(f"--config {path} is of a sweep of several widths; say which one with --width.")
    return options


def _build(config: type, options: Mapping[str, Any], path: Path) -> Any:
    """Fill the dataclass; what the file does not say keeps its default."""
    hints = typing.get_type_hints(config)
    known = {field.name: field for field in fields(config)}
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise UserError(
                f"--config {path} has {name!r:.60}, which is no option of this version of Saddle; take it out."
            )
        if value is None:
            continue
        hint = hints[name]
        if is_dataclass(hint) and isinstance(hint, type):
            if not isinstance(value, dict):
                raise UserError(f"--config {path}: {name!r} must be an object, and is {value!r:.60}.")
            values[name] = _build(hint, value, path)
        else:
            values[name] = _value(hint, value, name, path)
    try:
        return config(**values)
    except TypeError:
        raise UserError(f"--config {path} does not say which images (data); add --data.") from None


def _value(hint: Any, value: Any, name: str, path: Path) -> Any:
    """`value` as the type `hint`, or a `UserError`; only the types that configurations use."""
    origin = typing.get_origin(hint)
    choices = typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _value(next(each for each in choices if each is not type(None)), value, name, path)
    if origin is typing.Literal and any(type(each) is type(value) and each == value for each in choices):
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_value(choices[0], each, name, path) for each in value)
    if hint in (Path, str) and isinstance(value, str) and _sayable(value):
        return hint(value)
    if hint is float and (type(value) is float or (type(value) is int and abs(value) < 2**53)):
        return float(value)
    if hint in (int, bool) and type(value) is hint:
        return value
    raise UserError(f"--config {path}: {name!r} is {value!r:.60}, which is not what this option takes.")


def _sayable(text: str) -> bool:
    """Whether a command line could hold `text`: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
