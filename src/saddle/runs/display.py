"""Progress on a terminal: a line a running job and a total; plain lines at times when nobody watches live."""

import sys
import time
from collections.abc import Callable, Sequence
from io import TextIOBase
from types import TracebackType
from typing import Any, final

from saddle.runs.jobs import Job, Outcome
from saddle.runs.progress import Progress
from saddle.runs.stop import stopping
from saddle.runs.timeleft import TimeLeft, duration

__all__ = ["ProgressDisplay"]

BAR = 24  # characters


@final
class ProgressDisplay(Progress):
    """Shows what an executor tells:

        with ProgressDisplay(jobs, workers=2) as display:
            outcomes = executor.run(jobs, display)

    It writes to `stream` (standard error by default, so that results on standard output stay clean). On a terminal
    the lines are redrawn in place; elsewhere a summary is printed at most every `every` seconds, without escapes.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        workers: int,
        *,
        stream: TextIOBase | None = None,
        every: float | int = 5.0,
        clock: Callable[[], float | int] = time.monotonic,
    ) -> None:
        self._total = len(jobs)
        self._left = TimeLeft({job.key: job.weight for job in jobs}, workers, clock)
        self._running: dict[str, tuple[float, str]] = {}
        self._ended: dict[str, int] = {"done": 0, "failed": 0, "interrupted": 0}
        self._stream: Any = stream or sys.stderr
        self._every = every
        self._clock = clock
        self._printed = float(clock())
        self._live: Any = None

    def __enter__(self) -> "ProgressDisplay":
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(file=self._stream),
                get_renderable=self._picture,
                refresh_per_second=4,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._total:
            self._print(self.summary())

    def started(self, job: Job) -> None:
        """Add a line for `job`."""
        self._left.started(job.key)
        self._running[job.key] = (0.0, "starting")

    def __call__(self, key: str, done: float | int, total: float | int, text: str, /, **fields: Any) -> None:
        """Show how far `key` is; `fields` are not shown."""
        self._left.update(key, done, total)
        self._running[key] = (done / total if total > 0 else 0.0, text)
        if self._live is None and self._clock() - self._printed >= self._every:
            running = [f"{key}: {text}" for key, (_, text) in self._running.items()]
            self._print("; ".join([self.summary(), *running]))

    def ended(self, key: str, outcome: Outcome) -> None:
        """Take the line of `key` away; a failure leaves its message."""
        self._running.pop(key, None)
        self._left.ended(key, done=outcome.status == "done")
        self._ended[outcome.status] += 1
        if outcome.status == "failed":
            self._print(f"{key} failed: {outcome.message}")

    def summary(self) -> str:
        """Return the total: `3 of 12 done, 1 failed, 41 % of the work, about 5 min left`."""
        parts = [f"{self._ended['done']} of {self._total} done"]
        parts += [
            f"{self._ended[status]} {status}" for status in ("failed", "interrupted") if self._ended[status]
        ]
        if sum(self._ended.values()) < self._total:
            seconds = self._left.seconds()
            # Whole percents, rounded down: 100 % is said when it is true.
            parts.append(f"{int(100 * self._left.share())} % of the work")
            if stopping():
                parts.append("stopping as soon as the work is saved (Ctrl-C again gives it up)")
            else:
                parts.append(
                    "measuring the time left" if seconds is None else f"about {duration(seconds)} left"
                )
        return ", ".join(parts)

    def _print(self, line: str) -> None:
        self._printed = float(self._clock())
        if self._live is not None:
            from rich.text import Text

            self._live.console.print(Text(_clean(line)))
        else:
            print(_clean(line), file=self._stream, flush=True)

    def _picture(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        # Text, not str: a key such as `[red]` is no markup. A copy, because Live draws in a thread of its own.
        grid = Table.grid(padding=(0, 1))
        for key, (share, text) in tuple(self._running.items()):
            filled = round(BAR * min(1.0, max(0.0, share)))
            grid.add_row(Text(_clean(key)), Text("━" * filled + "─" * (BAR - filled)), Text(_clean(text)))
        table = Table.grid()
        table.add_row(grid)
        table.add_row(Text(self.summary(), style="bold"))
        return table


def _clean(line: str) -> str:
    """Show control characters as a space: a file name must not steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
