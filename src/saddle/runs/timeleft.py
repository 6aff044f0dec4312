"""An honest time left, from the work measured in this invocation.

With `f_i` the finished share of job `i`, `g_i` the share it had at its first report (a resumed job begins at
`g_i > 0`, which says nothing about speed) and `t_i` the seconds since that report:

* a running job's own rate is `(f_i - g_i) / t_i`, so it needs `(1 - f_i) t_i / (f_i - g_i)` more seconds;
* one unit of weight costs `c = sum t_i / sum w_i (f_i - g_i)`, pooled over all jobs heard of so far, and a job that
  waits needs its start-up (the mean seconds before the first reports) and `c w_i`;
* the jobs that wait go, heaviest first, each to the worker that is free first; the last one to finish is the answer.

Before anything is measured there is no answer: None.
"""

import heapq
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

__all__ = ["TimeLeft", "duration"]

SETTLED = 1.0  # seconds of measurement before a rate means anything


@dataclass(kw_only=True)
class _Work:
    weight: float
    began: float | None = None
    heard: float | None = None  # when the first report came
    before: float = 0.0  # the share that was finished then
    share: float = 0.0
    ended: float | None = None

    def seconds(self, now: float) -> float:
        since = self.began if self.heard is None else self.heard
        return 0.0 if since is None else (now if self.ended is None else self.ended) - since

    @property
    def progress(self) -> float:
        return max(0.0, self.share - self.before)


@final
class TimeLeft:
    """Estimates the seconds until `weights` (job → weight) are done by `workers` at once."""

    def __init__(
        self,
        weights: Mapping[str, float | int],
        workers: int,
        clock: Callable[[], float | int] = time.monotonic,
    ) -> None:
        self._work = {key: _Work(weight=float(weight)) for key, weight in weights.items()}
        self._workers = workers
        self._clock = clock

    def started(self, key: str) -> None:
        """`key` begins now."""
        self._work[key].began = float(self._clock())

    def update(self, key: str, done: float | int, total: float | int) -> None:
        """`key` has finished `done` of `total`."""
        work = self._work[key]
        share = min(1.0, max(0.0, done / total)) if total > 0 else 0.0
        if work.heard is None:
            work.heard, work.before = float(self._clock()), share
        work.share = share

    def ended(self, key: str, *, done: bool) -> None:
        """`key` is over; unless `done`, only the work reported so far counts as measured."""
        work = self._work[key]
        work.ended = float(self._clock())
        if done:
            work.share = 1.0

    def share(self) -> float:
        """Return the finished share of all work by weight; jobs that ended in any way count as finished."""
        total = sum(work.weight for work in self._work.values())
        left = sum(work.weight * (1 - work.share) for work in self._work.values() if work.ended is None)
        return 1 - left / total if total else 1.0

    def seconds(self) -> float | None:
        """Return the seconds left, or None while nothing has been measured."""
        now = float(self._clock())
        cost = self._cost(now)
        free: list[float] = []
        for work in self._work.values():
            if work.began is not None and work.ended is None:
                left = self._left(work, now, cost)
                if left is None:
                    return None
                free.append(left)
        waiting = sorted(
            (w.weight for w in self._work.values() if w.began is None and w.ended is None), reverse=True
        )
        if waiting and cost is None:
            return None
        free += [0.0] * (self._workers - len(free))
        heapq.heapify(free)
        for weight in waiting:
            heapq.heapreplace(free, free[0] + self._startup() + weight * (cost or 0.0))
        return max(free)

    def _cost(self, now: float) -> float | None:
        measured = [work for work in self._work.values() if work.progress > 0]
        seconds = sum(work.seconds(now) for work in measured)
        enough = seconds >= SETTLED or any(work.ended is not None for work in measured)
        return seconds / sum(work.weight * work.progress for work in measured) if enough else None

    def _startup(self) -> float:
        delays = [
            w.heard - w.began for w in self._work.values() if w.heard is not None and w.began is not None
        ]
        return sum(delays) / len(delays) if delays else 0.0

    def _left(self, work: _Work, now: float, cost: float | None) -> float | None:
        if work.progress > 0 and work.seconds(now) >= SETTLED:
            return (1 - work.share) * work.seconds(now) / work.progress
        return None if cost is None else (1 - work.share) * work.weight * cost


def duration(seconds: float | int) -> str:
    """Write a duration no more exactly than an estimate deserves: `40 s`, `5 min`, `2 h 10 min`."""
    seconds = max(0, round(seconds))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
