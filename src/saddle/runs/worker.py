"""The inside of one spawned process: takes one job from its standard input and reports through a pipe.

Standard input stays open as the line of life: when it ends, the parent is dead (however it died), and the job is asked
to stop. A pipe serves better than `prctl(PR_SET_PDEATHSIG)`, which is Linux only and fires when the parent's *thread*
ends; nothing but the parent holds the other end.
"""

import json
import os
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO

from saddle.runs.jobs import Job, execute
from saddle.runs.machine import keep_freed_memory
from saddle.runs.stop import listening_for_stop, request_stop

__all__ = ["BOOT", "main"]

BOOT = (
    "import json, sys; request = json.loads(sys.stdin.buffer.readline()); sys.path[:] = request['path'];"
    "from saddle.runs.worker import main; main(request)"
)
"The program of the process; the parent's import path arrives with the job, because the job's module may need it."

PAUSE = 0.1  # seconds between two reports; the ones between are left out, the last is always sent


def main(request: dict[str, Any]) -> None:
    """Carry out the job in `request` and send its outcome."""
    keep_freed_memory()
    line_of_life = os.dup(0)  # not inheritable: the job's own children must not read it
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.set_inheritable(request["reports"], False)
    reports = _Reports(os.fdopen(request["reports"], "wb"))
    with listening_for_stop(insist=False):
        threading.Thread(target=_watch, args=(line_of_life, request["grace"]), daemon=True).start()
        job = Job(**request["job"])
        outcome = execute(job, reports, loaded=lambda: _limit_torch(request["threads"]))
        reports.flush()
        reports.send(vars(outcome))


class _Reports:
    """`report` for the job's function: thins out, and never fails because nobody listens any more."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._sent = -PAUSE
        self._waiting: dict[str, Any] | None = None

    def __call__(self, done: float, total: float, text: str, **fields: Any) -> None:
        self._waiting = {"done": done, "total": total, "text": text, "fields": fields}
        if time.monotonic() - self._sent >= PAUSE:
            self.flush()

    def flush(self) -> None:
        if self._waiting is not None:
            self.send(self._waiting)
            self._waiting = None
            self._sent = time.monotonic()

    def send(self, message: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # the parent is gone; the line of life stops us
            self._pipe.write(json.dumps(message, default=_loosely).encode() + b"\n")
            self._pipe.flush()


def _loosely(value: Any) -> float | str:
    # NumPy's numbers and scalar tensors are numbers to a reader; the rest of `fields` is for people.
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def _watch(line_of_life: int, grace: float) -> None:
    os.read(line_of_life, 1)
    request_stop()
    time.sleep(grace)
    os._exit(1)  # the job did not ask `stopping()` all that time, and nobody waits for it


def _limit_torch(threads: int) -> None:
    # The environment rules a torch that is imported later; this one may have been configured by its importer.
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
