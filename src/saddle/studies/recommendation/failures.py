"""Runs of a width that came to nothing."""

from dataclasses import dataclass
from typing import final

__all__ = ["Failures"]


@final
@dataclass(frozen=True, kw_only=True)
class Failures:
    """How many runs of a width failed. Those that diverged have no distance; those that collapsed keep theirs."""

    width: int
    runs: int
    failed: int
    "Diverged or ended by an error: they have no final distance, so the law does not see them."
    collapsed: int
    "Ended, but at more than three times the best distance of their width: the law sees them."

    @property
    def share(self) -> float:
        """Return the share of runs that failed either way."""
        return (self.failed + self.collapsed) / self.runs if self.runs else 0.0

    def __str__(self) -> str:
        """Return `width 16: 2 of 5 runs failed`, in words."""
        kinds = [
            f"{count} of {self.runs} runs {word}"
            for count, word in ((self.failed, "failed or diverged"), (self.collapsed, "collapsed"))
            if count
        ]
        return f"width {self.width}: {' and '.join(kinds) or f'none of {self.runs} runs failed'}"
