"""What is measured on each run of a sweep: one table a measure, (width, seed) → value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, final

from saddle.studies.gan_width.config import Side
from saddle.studies.width_sweep.facts import Facts
from saddle.studies.width_sweep.reading import Sweep
from saddle.studies.width_sweep.summary import FAILED, about, compared, metric_names

__all__ = ["COLLAPSED", "SETTLED", "Evidence", "Table", "measure"]

Key = tuple[int, int]
Table = Mapping[Key, float]
SETTLED = 1.1
"A run has settled when its distance is first below this many times its last one."
COLLAPSED = 2.0
"A run has collapsed when its last distance is more than this many times its own lowest."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """One side's sweep, and its measures."""

    side: Side
    facts: Facts
    tables: Mapping[str, Table]
    "test, train, gap, settled, reached, fluctuation; nnd and the others of `extras`."
    ended: Mapping[Key, str]
    "How every run ended: done, collapsed, diverged, failed, unfinished."
    early: frozenset[Key] = frozenset()
    "Runs that had settled at their first evaluation: `settled` is an upper bound there."
    references: Mapping[str, Any] = field(default_factory=dict)
    "Neural network divergence of what is no GAN: name → one value a critic's seed."

    @property
    def sweep(self) -> Sweep:
        return self.facts.sweep

    @property
    def metric(self) -> str:
        """The distance's name, as it is shown."""
        assert self.facts.metric is not None
        return self.facts.metric

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the runs that were scored, ascending."""
        return tuple(sorted({width for width, _ in self.tables["test"]}))

    @property
    def steps(self) -> int:
        """The step at which the runs are compared."""
        return max((score.step for score in self.facts.scores), default=0)


def measure(side: Side, sweep: Sweep, extra: Mapping[str, Table], references: Mapping[str, Any]) -> Evidence:
    """Measure every run of a sweep. Runs that failed have no distance, and are counted in `ended`.

    The distance is the first of the sweep's own (a Fréchet distance), on the test images where there are some.
    """
    distances = [name for name in metric_names(sweep) if (info := about(name)) and info.better == "lower"]
    facts = Facts.of(sweep, distances[0] if distances else None)
    metric, split = facts.metric, facts.split
    scores = {
        each: {(s.width, s.seed): s.value for s in compared(sweep, metric, each)} if metric else {}
        for each in ("test", "train")
    }
    test = {(s.width, s.seed): s.value for s in facts.scores}
    train = scores["train"] if split == "test" else {}
    courses = _courses(sweep, metric, split) if metric else {}
    courses = {key: [(t, y) for t, y in course if t <= _last(facts)] for key, course in courses.items()}
    narrowest = min((width for width, _ in test), default=0)
    tables: dict[str, Table] = {
        "test": test,
        "train": train,
        "gap": {key: test[key] - train[key] for key in test if key in train},
        "settled": {key: first_below(courses[key], SETTLED * test[key]) for key in test},
        "reached": {
            key: first_below(courses[key], test[narrowest, key[1]])
            for key in test
            if (narrowest, key[1]) in test
        },
        "fluctuation": {
            key: value for key in test if (value := unrest(courses[key])) is not None and value > 0
        },
    }
    return Evidence(
        side=side,
        facts=facts,
        tables=tables | dict(extra),
        ended={
            (run.width, run.seed): _ending(run.status, courses.get((run.width, run.seed), []))
            for run in sweep.runs
            if run.width is not None and run.seed is not None
        },
        early=frozenset(key for key in test if courses[key][0][1] <= SETTLED * test[key]),
        references=references,
    )


def first_below(course: Sequence[tuple[int, float]], level: float) -> float:
    """The step at which a course first reaches `level`, straight between its logarithms; infinite where it never does.

    A course that begins below it counts with its first step.
    """
    for (t0, y0), (t1, y1) in pairwise(course):
        if y0 <= level:
            return float(t0)
        if y1 <= level:
            share = math.log(y0 / level) / math.log(y0 / y1) if y1 > 0 and level > 0 else 1.0
            return t0 + share * (t1 - t0)
    return float(course[-1][0]) if course and course[-1][1] <= level else math.inf


def unrest(course: Sequence[tuple[int, float]]) -> float | None:
    """Fluctuation over the last third of a course: √(Σ(y_{t+1} − y_t)² / 2(m − 1)) over the mean; None below 3 points.

    Successive differences hardly count a steady fall (von Neumann 1941).
    """
    if not course:
        return None
    tail = [y for t, y in course if t > 2 / 3 * course[-1][0]]
    mean = sum(tail) / len(tail)
    if len(tail) < 3 or mean <= 0:
        return None
    return math.sqrt(sum((b - a) ** 2 for a, b in pairwise(tail)) / (2 * (len(tail) - 1))) / mean


def _ending(status: str, course: Sequence[tuple[int, float]]) -> str:
    if status in FAILED or not course or course[-1][1] <= COLLAPSED * min(y for _, y in course):
        return status
    return "collapsed"


def _last(facts: Facts) -> float | int:
    return max((score.step for score in facts.scores), default=math.inf)


def _courses(sweep: Sweep, metric: str, split: str) -> dict[Key, list[tuple[int, float]]]:
    found: dict[Key, dict[int, float]] = {}
    for score in sweep.scores:
        if score.metric == metric and score.split == split and math.isfinite(score.value):
            found.setdefault((score.width, score.seed), {})[score.step] = score.value
    return {key: sorted(course.items()) for key, course in found.items()}
