"""Jobs side by side, each in a fresh interpreter of its own."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import final

from saddle.runs.child import Child
from saddle.runs.jobs import NOT_STARTED, Job, Outcome
from saddle.runs.machine import usable_cores
from saddle.runs.progress import Progress, as_progress
from saddle.runs.stop import listening_for_stop, stopping

__all__ = ["ProcessExecutor"]

TICK = 0.05  # seconds between two looks at the children and at `stopping()`


@final
@dataclass(frozen=True, kw_only=True)
class ProcessExecutor:
    """Runs up to `workers` jobs at once, the heaviest first; one that fails or is killed harms no other.

    Every job gets its own spawned process: no state is shared, memory goes back when it ends, and the number of
    threads is set before any library starts them.
    """

    workers: int
    "Processes at once."
    threads: int | None = None
    "Threads of each; by default the usable cores are divided."
    grace: float | int = 120.0
    "Seconds that a child may go on saving its work after this process was killed."

    def __post_init__(self) -> None:
        assert self.workers >= 1 and (self.threads is None or self.threads >= 1), self

    def run(self, jobs: Sequence[Job], progress: Callable[..., None] | None = None) -> dict[str, Outcome]:
        """Return the outcome of every job, in the order given.

        The first SIGINT or SIGTERM asks every child to stop (SIGTERM), waits for them, and calls the rest
        `interrupted`. A second Ctrl-C kills the children and raises `KeyboardInterrupt`.
        """
        assert len({job.key for job in jobs}) == len(jobs), "two jobs have one key"
        listener = as_progress(progress)
        waiting = deque(sorted(jobs, key=lambda job: -job.weight))
        running: list[Child] = []
        outcomes: dict[str, Outcome] = {}

        def end(job: Job, outcome: Outcome) -> None:
            outcomes[job.key] = outcome
            listener.ended(job.key, outcome)

        with listening_for_stop():
            try:
                while waiting or running:
                    if stopping():
                        for child in running:
                            child.stop()
                        while waiting:
                            end(waiting.popleft(), Outcome(status="interrupted", message=NOT_STARTED))
                    while waiting and len(running) < self.workers:
                        job = waiting.popleft()
                        listener.started(job)
                        try:
                            running.append(Child(job, threads=self._threads, grace=self.grace))
                        except OSError as error:
                            end(
                                job, Outcome(status="failed", message=f"no process could be started: {error}")
                            )
                    wait([child.reports for child in running if child.open], TICK)
                    ended = [child for child in running if child.ended()]
                    for child in running:
                        _hear(child, listener)
                    for child in ended:
                        running.remove(child)
                        end(child.job, child.outcome())
            finally:
                for child in running:
                    child.kill()
        return {job.key: outcomes[job.key] for job in jobs}

    @property
    def _threads(self) -> int:
        return self.threads or max(1, usable_cores() // self.workers)


def _hear(child: Child, listener: Progress) -> None:
    for message in child.receive():
        listener(child.job.key, message["done"], message["total"], message["text"], **message["fields"])
