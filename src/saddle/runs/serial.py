"""Jobs one after the other, in this process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

from saddle.runs.jobs import NOT_STARTED, Job, Outcome, execute
from saddle.runs.progress import as_progress
from saddle.runs.stop import listening_for_stop, stopping

__all__ = ["SerialExecutor"]


@final
@dataclass(frozen=True, kw_only=True)
class SerialExecutor:
    """Runs jobs in the order given, without new processes: for one job, for debuggers, for tests."""

    def run(self, jobs: Sequence[Job], progress: Callable[..., None] | None = None) -> dict[str, Outcome]:
        """Return the outcome of every job; after the first SIGINT or SIGTERM the rest is `interrupted`.

        A second Ctrl-C raises `KeyboardInterrupt`.
        """
        listener = as_progress(progress)
        outcomes: dict[str, Outcome] = {}
        assert len({job.key for job in jobs}) == len(jobs), "two jobs have one key"
        with listening_for_stop():
            for job in jobs:
                if stopping():
                    outcome = Outcome(status="interrupted", message=NOT_STARTED)
                else:
                    listener.started(job)
                    outcome = execute(job, partial(listener, job.key))
                outcomes[job.key] = outcome
                listener.ended(job.key, outcome)
        return outcomes
