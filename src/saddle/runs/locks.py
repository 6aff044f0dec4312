"""Locks between processes that a dead process cannot keep.

A lock is an advisory `flock` on a small file that is never deleted: the kernel gives it up when its process ends,
however it ends. Two locks on one file exclude each other inside one process too. POSIX systems only.
"""

import fcntl
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import final

from saddle.runs.textfiles import explained

__all__ = ["Lock", "holder", "try_lock", "wait_for"]

POLL = 0.1  # seconds between two tries of a waiting process


@final
class Lock:
    """A held lock: `release` it, or use it in a `with`. Made by `try_lock` and `wait_for`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give the lock up; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "Lock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"Lock({str(self.path)!r}, {'released' if self._descriptor is None else 'held'})"


def try_lock(path: Path) -> Lock | None:
    """Take the lock on the file `path` (made if missing), or return None at once when a living process has it."""
    with explained("lock", path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}\n".encode())
    return Lock(path, descriptor)


def wait_for(
    path: Path, *, seconds: float | int | None = None, give_up: Callable[[], bool] | None = None
) -> Lock | None:
    """Wait for the lock on `path`; None after `seconds`, or when `give_up()` (say, `stopping`) turns true."""
    end = None if seconds is None else time.monotonic() + seconds
    while (lock := try_lock(path)) is None:
        if (end is not None and time.monotonic() >= end) or (give_up is not None and give_up()):
            return None
        time.sleep(POLL)
    return lock


def holder(path: Path) -> str:
    """Say who has, or last had, the lock: `process 4711 on laptop`; for messages only."""
    try:
        with path.open("rb") as file:
            return file.read(200).decode(errors="replace").strip() or "another process"
    except OSError:
        return "another process"
