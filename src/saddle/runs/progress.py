"""What an executor tells while it works."""

from collections.abc import Callable
from typing import Any

from saddle.runs.jobs import Job, Outcome

__all__ = ["Progress", "as_progress"]


class Progress:
    """A listener that ignores everything; override what you want to hear. Called in the executor's thread."""

    def started(self, job: Job) -> None:
        """`job` begins."""

    def __call__(self, key: str, done: float | int, total: float | int, text: str, /, **fields: Any) -> None:
        """The job `key` has done `done` of `total`; `text` is for people, `fields` for programs."""

    def ended(self, key: str, outcome: Outcome) -> None:
        """The job `key` will not be heard of again; also called for jobs that never started."""


class _Function(Progress):
    def __init__(self, function: Callable[..., None]) -> None:
        self._function = function

    def __call__(self, key: str, done: float | int, total: float | int, text: str, /, **fields: Any) -> None:
        self._function(key, done, total, text, **fields)


def as_progress(progress: Callable[..., None] | None) -> Progress:
    """Accept None, a `Progress`, or a function `progress(key, done, total, text, **fields)`."""
    if progress is None:
        return Progress()
    return progress if isinstance(progress, Progress) else _Function(progress)
