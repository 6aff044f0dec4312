"""The width a sweep recommends: by the fitted law where one holds, else by the medians that were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.studies.width_sweep.reading import Score
from saddle.studies.width_sweep.summary import Level, levels
from saddle.theory.power_law import PowerLaw, Undetermined, fit_power_law, recommend

__all__ = ["Choice", "choose"]

TOLERANCE = 0.05
POOR_FIT = 0.25
"A law whose relative residuals are larger than this (root mean square) chooses no width."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """The recommended width and what it rests on."""

    law: PowerLaw | Undetermined
    by_law: bool
    "Whether the law chose; else the smallest width whose median is near the best median."
    width: int
    level: Level
    "What was measured at the width."
    best: float
    "The best value among the widths: predicted by the law, or the best median."
    value: float
    "The value at the width that `best` is compared with."
    interval: tuple[int, int] | None
    agreement: float | None
    at_edge: bool
    widths: tuple[int, ...]


def choose(scores: Sequence[Score]) -> Choice | None:
    """Choose a width by the compared scores of a distance; None without scores.

    The smallest width within 5 % of the best: of the law's predictions at the measured widths, or, where there is
    no law or it fits badly, of the medians. Its interval holds 95 % of the choices of 1,000 bootstrap resamples.
    """
    measured = levels(scores)
    if not measured:
        return None
    widths = tuple(level.width for level in measured)
    law = fit_power_law([score.width for score in scores], [score.value for score in scores])
    if isinstance(law, PowerLaw) and law.error <= POOR_FIT:
        chosen = recommend(law, widths, tolerance=TOLERANCE)
        width, interval = int(chosen.width), chosen.interval
        return Choice(
            law=law,
            by_law=True,
            width=width,
            level=measured[widths.index(width)],
            best=chosen.best,
            value=chosen.value,
            interval=None if interval is None else (int(interval[0]), int(interval[1])),
            agreement=chosen.agreement,
            at_edge=chosen.at_edge and len(widths) > 1,
            widths=widths,
        )
    medians = np.array([level.median for level in measured])
    place = int(_near_best(medians[None])[0])
    interval, agreement = _resampled_choice(measured, place)
    return Choice(
        law=law,
        by_law=False,
        width=widths[place],
        level=measured[place],
        best=float(medians.min()),
        value=float(medians[place]),
        interval=interval,
        agreement=agreement,
        at_edge=place == len(widths) - 1 and len(widths) > 1,
        widths=widths,
    )


def _near_best(medians: np.ndarray) -> np.ndarray:
    best = medians.min(axis=1, keepdims=True)
    return np.argmax(medians <= best + TOLERANCE * np.abs(best), axis=1)


def _resampled_choice(measured: list[Level], place: int) -> tuple[tuple[int, int] | None, float | None]:
    if all(level.n < 2 for level in measured):
        return None, None
    generator = np.random.default_rng(0)
    columns = [
        np.median(generator.choice(np.array(level.values), size=(1000, level.n)), axis=1)
        for level in measured
    ]
    choices = _near_best(np.stack(columns, axis=1))
    low, high = np.quantile(choices, [0.025, 0.975], method="closest_observation")
    return (measured[low].width, measured[high].width), float(np.mean(choices == place))
