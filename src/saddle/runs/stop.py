"""A polite stop: the first Ctrl-C asks, the second one insists.

    with listening_for_stop():
        while not stopping():
            step()
        save()

Signals belong to the process, so the state here is one for the process; it changes only inside the block.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, final

__all__ = ["Stopped", "listening_for_stop", "request_stop", "stopping"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@final
class Stopped(Exception):
    """Raised by a job that ended early because `stopping()`, after it saved what it needs to go on."""


class _State:
    # A plain attribute, no threading.Event: a signal may arrive while this very thread holds an Event's lock.
    requested = False
    insist = True
    depth = 0
    before: dict[signal.Signals, Any] = {}  # noqa: RUF012 (the one state of the process)


def stopping() -> bool:
    """Whether SIGINT or SIGTERM has arrived (or `request_stop` was called) inside `listening_for_stop`."""
    return _State.requested


def request_stop() -> None:
    """Ask for a stop from inside the program, as the first signal does; from any thread."""
    _State.requested = True


@contextmanager
def listening_for_stop(*, insist: bool = True) -> Iterator[None]:
    """Let SIGINT and SIGTERM set `stopping()`; a second signal acts as it did before the block.

    So the second Ctrl-C raises `KeyboardInterrupt`, the second SIGTERM ends the process. With `insist=False` a
    second signal does nothing: a supervisor may signal a child that its parent signals too. Blocks may be nested;
    the outermost one decides, restores the handlers and clears the flag. Outside the main thread no handlers can
    be set: there the block only keeps the flag.
    """
    _State.depth += 1
    owner = _State.depth == 1 and threading.current_thread() is threading.main_thread()
    if owner:
        _State.insist = insist
        _State.before = {number: signal.signal(number, _on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        if owner:
            _restore()
        _State.depth -= 1
        if _State.depth == 0:
            _State.requested = False


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _State.requested and _State.insist:
        _restore()
        signal.raise_signal(number)
    _State.requested = True


def _restore() -> None:
    for number, handler in _State.before.items():
        # None stands for a handler that was not installed from Python.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
    _State.before = {}
