"""What a sweep's scores say about each width: the values that are compared, their median and its interval."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from saddle.metrics.names import METRICS, MetricInfo
from saddle.studies.width_sweep.reading import Score, Sweep

__all__ = [
    "Level",
    "about",
    "compared",
    "curves",
    "fluctuations",
    "gaps",
    "levels",
    "median_interval",
    "metric_names",
]

FAILED = ("diverged", "failed")


@final
@dataclass(frozen=True, kw_only=True)
class Level:
    """The values of one width, one a seed."""

    width: int
    values: tuple[float, ...]
    median: float
    low: float
    high: float
    coverage: float
    "Probability that [low, high] holds the median of endlessly many seeds; 0 with one seed."

    @property
    def n(self) -> int:
        """Return the number of seeds."""
        return len(self.values)


def about(metric: str) -> MetricInfo | None:
    """Return what is known of a metric by the name it is shown with, `FD(random)` or `FID`."""
    symbol = metric.split("(")[0]
    return next((info for info in METRICS if symbol in (info.symbol, info.standard)), None)


def metric_names(sweep: Sweep) -> tuple[str, ...]:
    """Return the metrics of a sweep in the order in which Saddle lists them, unknown ones last."""
    order = {info.key: place for place, info in enumerate(METRICS)}
    names = sorted({score.metric for score in sweep.scores})
    return tuple(sorted(names, key=lambda name: order[info.key] if (info := about(name)) else len(order)))


def statuses(sweep: Sweep) -> dict[str, str]:
    """Return every run's status: its result's where there is a run folder, else the table's."""
    return {score.run: score.status for score in sweep.scores} | {run.key: run.status for run in sweep.runs}


def compared(sweep: Sweep, metric: str, split: str) -> list[Score]:
    """Return the scores that are compared between widths, one a run, all at the same step where that is possible.

    Runs that are done count; while none is done, all that have not failed. The step is the last one at which
    every one of them was scored, or each run's own last where they share none.
    """
    status = statuses(sweep)
    found = [s for s in sweep.scores if s.metric == metric and s.split == split and math.isfinite(s.value)]
    by_run: dict[str, dict[int, Score]] = defaultdict(dict)
    for score in found:
        if status[score.run] not in FAILED:
            by_run[score.run][score.step] = score
    done = {run: steps for run, steps in by_run.items() if status[run] == "done"} or by_run
    if not done:
        return []
    shared = set.intersection(*(set(steps) for steps in done.values()))
    chosen = [steps[max(shared) if shared else max(steps)] for steps in done.values()]
    return sorted(chosen, key=lambda score: (score.width, score.seed))


def levels(scores: Iterable[Score]) -> list[Level]:
    """Return one level a width, ascending."""
    return [_level(width, values) for width, values in _by_width((s.width, s.value) for s in scores)]


def gaps(sweep: Sweep, metric: str) -> list[tuple[int, int, float]]:
    """Return (width, seed, test − train) of every run scored on both splits at the compared step."""
    train = {(s.run, s.step): s.value for s in compared(sweep, metric, "train")}
    test = compared(sweep, metric, "test")
    return [(s.width, s.seed, s.value - train[s.run, s.step]) for s in test if (s.run, s.step) in train]


def curves(sweep: Sweep, metric: str, split: str) -> dict[int, list[tuple[int, Level]]]:
    """Return, a width, the level over the seeds at every step; runs that failed count as far as they came."""
    values: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for score in sweep.scores:
        if score.metric == metric and score.split == split and math.isfinite(score.value):
            values[score.width][score.step].append(score.value)
    return {
        width: [(step, _level(width, steps[step])) for step in sorted(steps)]
        for width, steps in sorted(values.items())
    }


def fluctuations(sweep: Sweep, metric: str, split: str, *, last: int = 5) -> list[tuple[int, int, float]]:
    """Return (width, seed, fluctuation) over the last evaluations of every run that did not fail and has three.

    The fluctuation is the standard deviation by successive differences (von Neumann 1941), √(Σ(y_{t+1} − y_t)² /
    2(m − 1)), over the mean: unlike a plain standard deviation it hardly counts a steady fall as unrest.
    """
    series: dict[tuple[int, int, str], list[tuple[int, float]]] = defaultdict(list)
    status = statuses(sweep)
    for score in sweep.scores:
        mine = score.metric == metric and score.split == split and status[score.run] not in FAILED
        if mine and math.isfinite(score.value):
            series[score.width, score.seed, score.run].append((score.step, score.value))
    found = []
    for (width, seed, _), steps in sorted(series.items()):
        tail = [value for _, value in sorted(steps)][-last:]
        mean = statistics.fmean(tail)
        if len(tail) >= 3 and mean > 0:
            squares = sum((b - a) ** 2 for a, b in pairwise(tail))
            found.append((width, seed, math.sqrt(squares / (2 * (len(tail) - 1))) / mean))
    return found


def median_interval(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Return (median, low, high, coverage) from order statistics, whatever the distribution.

    [y_(r), y_(n+1−r)] holds the true median with probability 1 − 2 P(Bin(n, ½) ≤ r − 1). The largest r with at
    least 95 % is taken; with fewer than six values none reaches it, and r = 1, the whole range, covers 1 − 2^(1−n):
    75 % for three. Source: David and Nagaraja, Order Statistics, 3rd ed., section 7.1.
    """
    ordered, n = sorted(values), len(values)
    rank, coverage = 1, 1 - 2.0 ** (1 - n)
    for r in range(2, n // 2 + 1):
        wider = 1 - 2 * sum(math.comb(n, j) for j in range(r)) / 2**n
        if wider < 0.95:
            break
        rank, coverage = r, wider
    return statistics.median(ordered), ordered[rank - 1], ordered[n - rank], coverage


def floor_of(scores: Sequence[Score]) -> float | None:
    """Return the real-vs-real floor of the compared scores (the median, should it differ between runs)."""
    floors = [score.floor for score in scores if math.isfinite(score.floor)]
    return statistics.median(floors) if floors else None


def size_of(scores: Sequence[Score]) -> str:
    """Return what a number rests on, as `n = 360` or `n = 360 real, 500 generated`."""
    pairs = sorted({(s.n_real, s.n_fake) for s in scores if s.n_real is not None and s.n_fake is not None})
    if not pairs:
        return "n unknown"
    words = [f"{r:,}" if r == f else f"{r:,} real, {f:,} generated" for r, f in pairs]
    return f"n\u00a0=\u00a0{' or '.join(words)}"


def by_width(triples: Iterable[tuple[int, int, float]]) -> list[Level]:
    """Return one level a width of (width, seed, value) triples."""
    return [_level(width, values) for width, values in _by_width((w, v) for w, _, v in triples)]


def _by_width(pairs: Iterable[tuple[int, float]]) -> list[tuple[int, list[float]]]:
    groups: dict[int, list[float]] = defaultdict(list)
    for width, value in pairs:
        groups[width].append(value)
    return sorted(groups.items())


def _level(width: int, values: Sequence[float]) -> Level:
    median, low, high, coverage = median_interval(values)
    return Level(width=width, values=tuple(values), median=median, low=low, high=high, coverage=coverage)
