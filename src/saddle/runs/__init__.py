"""Runs: a configuration's hash, run folders, locks, executors, progress and tables. Knows no system, imports no torch."""

from typing import TYPE_CHECKING

from saddle import _lazy

if TYPE_CHECKING:
    from saddle.runs.folder import RunFolder as RunFolder
    from saddle.runs.hashing import canonical_json as canonical_json
    from saddle.runs.hashing import config_hash as config_hash
    from saddle.runs.locks import Lock as Lock
    from saddle.runs.locks import try_lock as try_lock
    from saddle.runs.locks import wait_for as wait_for

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    {
        "Lock": "locks",
        "RunFolder": "folder",
        "canonical_json": "hashing",
        "config_hash": "hashing",
        "try_lock": "locks",
        "wait_for": "locks",
    },
)
