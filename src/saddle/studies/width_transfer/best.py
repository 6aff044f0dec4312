"""The best step of every seed, how it moves with the width, and what carrying it over costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from saddle.core import Measured
from saddle.studies.cell import CellResult
from saddle.studies.width_transfer.cells import name_of
from saddle.studies.width_transfer.config import WidthTransferConfig

__all__ = ["Transfer", "best_exponents", "transfer"]

WINDOW = 2
"Grid points on either side of the lowest that the parabola is fitted to."


def best_exponents(
    exponents: Float[np.ndarray, " steps"], levels: Float[np.ndarray, "steps seeds"]
) -> Float[np.ndarray, " seeds"]:
    """log₂ of each seed's best step: the vertex of a parabola through the levels around the lowest.

    `levels` are logarithms of the score. Where the lowest is at an end of the grid, that end is returned: the best step
    may lie beyond it.
    """
    found: list[float] = []
    for level in levels.T:
        at = int(np.argmin(level))
        low, high = max(at - WINDOW, 0), min(at + WINDOW + 1, len(level))
        best = float(exponents[at])
        if 0 < at < len(level) - 1:
            curve, slope, _ = np.polyfit(exponents[low:high] - best, level[low:high], 2)
            if curve > 0:
                # Not further than the neighbours: where the level is noisy, the lowest still counts.
                best += float(np.clip(-slope / (2 * curve), -1, 1))
        found.append(best)
    return np.array(found)


@final
@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One architecture in one parameterisation at all widths."""

    widths: tuple[int, ...]
    exponents: Float[np.ndarray, " steps"]
    levels: Float[np.ndarray, "widths steps seeds"]
    "log₂ of the distance; a run that diverged has its seed's worst finite one, plus one."
    best: Float[np.ndarray, "widths seeds"]
    "log₂ of the best step."
    at_ends: int
    "How many of `best` stand at an end of the grid."
    diverged: int
    "How many of all runs did not stay finite."

    @property
    def slope(self) -> Measured:
        """Of log₂ best step against log₂ width: the best step's factor per doubling of the width is 2 to this."""
        x = np.log2(self.widths)
        x = x - x.mean()
        return Measured.mean((x @ self.best) / (x @ x))

    @property
    def cost(self) -> Measured:
        """log₂ of the factor by which the widest network's distance is worse with the narrowest's best step.

        Both steps are the grid's best for the mean level over seeds; the widest's own is chosen on the runs it is judged
        by, so the factor is a little too large.
        """
        means = self.levels.mean(axis=2)
        carried, own = means[0].argmin(), means[-1].argmin()
        return Measured.mean(self.levels[-1, carried] - self.levels[-1, own])

    def best_of(self, width: int) -> Measured:
        """log₂ of the best step at one width."""
        return Measured.mean(self.best[self.widths.index(width)])


def transfer(
    config: WidthTransferConfig, results: Mapping[str, CellResult], arch: str, parameterisation: str
) -> Transfer:
    """Read the cells of `arch` in `parameterisation`."""
    widths = config.widths_of(arch)
    distance = np.array([results[name_of(arch, parameterisation, w)].arrays["distance"] for w in widths])
    finite = np.isfinite(distance)
    levels = np.log2(np.where(finite, np.maximum(distance, 1e-12), np.nan))
    worst = np.nanmax(levels, axis=1, keepdims=True, initial=0.0)
    levels = np.where(finite, levels, worst + 1)
    exponents = np.array(config.exponents, dtype=float)
    best = np.array([best_exponents(exponents, level) for level in levels])
    return Transfer(
        widths=widths,
        exponents=exponents,
        levels=levels,
        best=best,
        at_ends=int(np.isin(best, (exponents[0], exponents[-1])).sum()),
        diverged=int((~finite).sum()),
    )
