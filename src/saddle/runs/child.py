"""The outside of one spawned process: start it, hear it, ask it to stop, learn how it ended."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import fields
from typing import Any, final

from saddle.runs.jobs import Job, Outcome
from saddle.runs.worker import BOOT

__all__ = ["Child"]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
)
TAIL = 16_384  # bytes kept of what a job printed
OUT_OF_MEMORY = (
    " (a system that runs out of memory does this; use fewer workers, or a smaller model or batch)"
)


@final
class Child:
    """A process that carries out `job`, in a session of its own: the terminal's Ctrl-C reaches only the parent."""

    def __init__(self, job: Job, *, threads: int, grace: float | int) -> None:
        self.job = job
        self.open = True
        self._asked = False
        self._buffer = b""
        self._outcome: Outcome | None = None
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        self.reports, theirs = os.pipe()
        os.set_blocking(self.reports, False)
        share = dict.fromkeys(THREAD_VARIABLES, str(threads))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", BOOT],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **share, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"},
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError:
            self._close()
            raise
        finally:
            os.close(theirs)
        request = {
            "job": {field.name: getattr(job, field.name) for field in fields(job)},
            "path": [entry or os.getcwd() for entry in sys.path],
            "reports": theirs,
            "threads": threads,
            "grace": grace,
        }
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # when it died at once, `outcome` tells how
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self) -> list[dict[str, Any]]:
        """Return the reports that have arrived, without waiting."""
        while self.open:
            try:
                data = os.read(self.reports, 65536)
            except BlockingIOError:
                break
            self._buffer += data
            self.open = bool(data)
        *lines, self._buffer = self._buffer.split(b"\n")
        messages = [json.loads(line) for line in lines]
        for message in messages:
            if "status" in message:
                self._outcome = Outcome(**message)
        return [message for message in messages if "status" not in message]

    def stop(self) -> None:
        """Ask the job to stop, once: a second SIGTERM would end the process in the middle of saving."""
        if not self._asked:
            self._asked = True
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and all it started, now."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def outcome(self) -> Outcome:
        """Say how the job ended, after `ended()` and a last `receive()`; frees what the parent held."""
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - TAIL))
        printed = self._output.read().decode(errors="replace").strip()
        code = self._process.returncode
        self._close()
        if self._outcome is not None:
            trace = "\n".join(part for part in (self._outcome.traceback.strip(), printed) if part)
            return Outcome(status=self._outcome.status, message=self._outcome.message, traceback=trace)
        if self._asked:
            return Outcome(status="interrupted", message="ended when it was asked to stop", traceback=printed)
        if code < 0:
            hint = OUT_OF_MEMORY if code == -signal.SIGKILL else ""
            message = f"its process was killed by {_name(-code)}{hint}"
        else:
            last = printed.splitlines()[-1:] or ["it printed nothing"]
            message = f"its process ended with exit code {code} and no word of the job: {last[0]}"
        return Outcome(status="failed", message=message, traceback=printed)

    def _close(self) -> None:
        os.close(self.reports)
        self._output.close()
        process = getattr(self, "_process", None)
        if process is not None and process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
