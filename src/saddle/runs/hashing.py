"""One name for one configuration: canonical JSON and its hash.

The rules are part of the file format (a changed rule would orphan every finished run), so tests pin them:

* keys are strings, sorted by code point; no white space; everything outside ASCII is escaped;
* a tuple is a list;
* **numbers that are equal are written equally**: a whole float below 2^53 is written as an integer, so `1.0`
  and `1` are the same configuration and `-0.0` is `0`; every other float is its shortest `repr`, every integer
  all its digits; `true` is not `1`;
* NaN and infinities are refused (`UserError`: a user can type them); whatever is no JSON is a `TypeError`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from saddle.errors import UserError

__all__ = ["canonical_json", "config_hash", "plain"]

EXACT = 2**53  # below it every whole float is one integer and back


def canonical_json(config: Mapping[str, Any]) -> str:
    """Write `config` in the one form that equal configurations share; see the rules above."""
    return json.dumps(plain(config, number=_equal), sort_keys=True, separators=(",", ":"), allow_nan=False)


def config_hash(config: Mapping[str, Any]) -> str:
    """Return the first 16 hex digits (64 bits) of the SHA-256 of `canonical_json(config)`."""
    return hashlib.sha256(canonical_json(config).encode("ascii")).hexdigest()[:16]


def plain(value: Any, *, number: Callable[[float, str], Any] | None = None, where: str = "config") -> Any:
    """Copy `value` into dicts, lists, strings, numbers, booleans and None, or say what cannot be JSON.

    `number(float, where)` rewrites floats; by default non-finite ones are refused. `where` names the value in
    messages and grows with the path to the bad entry: `config.optimiser.lr`.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return (number or finite)(float(value), where)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{where} has the key {key!r}; keys of JSON objects are strings")
        return {
            str.__str__(key): plain(item, number=number, where=f"{where}.{key}")
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(item, number=number, where=f"{where}[{i}]") for i, item in enumerate(value)]
    raise TypeError(f"{where} is {value!r} of type {type(value).__name__}, which JSON does not have")


def finite(number: float, where: str) -> float:
    """Return `number` as it is, or refuse NaN and infinities."""
    if not math.isfinite(number):
        raise UserError(f"{where} is {number}, and a setting must be a finite number. Give one.")
    return number


def null(number: float, where: str) -> float | None:
    """Return `number`, or None for NaN and infinities: they are not JSON, and other programs refuse them."""
    return number if math.isfinite(number) else None


def _equal(number: float, where: str) -> float | int:
    number = finite(number, where)
    return int(number) if number.is_integer() and abs(number) < EXACT else number
