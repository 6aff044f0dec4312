"""What several sections of a report need, computed once."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from saddle.report.blocks import Block
from saddle.studies.width_sweep.law import Choice, choose
from saddle.studies.width_sweep.reading import Run, Score, Sweep
from saddle.studies.width_sweep.summary import (
    compared,
)

__all__ = ["PLAYERS", "Blocks", "Facts", "highest_result", "median_result", "tally"]

Blocks = list[Block]
PLAYERS = ("generator", "discriminator")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """What several sections need: the sweep, the distance that decides, its compared scores, the choice."""

    sweep: Sweep
    metric: str | None
    split: str
    scores: tuple[Score, ...]
    choice: Choice | None

    @classmethod
    def of(cls, sweep: Sweep, metric: str | None) -> "Facts":
        """Compare by `metric` on the test split, or on the training split where there is no test split."""
        splits = {score.split for score in sweep.scores if score.metric == metric}
        split = "test" if "test" in splits or not splits else sorted(splits)[0]
        scores = tuple(compared(sweep, metric, split)) if metric else ()
        return cls(sweep=sweep, metric=metric, split=split, scores=scores, choice=choose(scores))

    @property
    def at_choice(self) -> list[Run]:
        """Return the runs of the recommended width."""
        return [] if self.choice is None else [r for r in self.sweep.runs if r.width == self.choice.width]


def median_result(runs: Sequence[Run], key: str) -> float | None:
    values = [float(run.result[key]) for run in runs if isinstance(run.result.get(key), int | float)]
    return statistics.median(values) if values else None


def highest_result(runs: Sequence[Run], key: str) -> float | None:
    values = [float(run.result[key]) for run in runs if isinstance(run.result.get(key), int | float)]
    return max(values) if values else None


def tally(sweep: Sweep) -> str:
    counts: dict[str, int] = defaultdict(int)
    for run in sweep.runs:
        counts[run.status] += 1
    return f"Of {len(sweep.runs)} runs: {', '.join(f'{count} {status}' for status, count in sorted(counts.items()))}."
