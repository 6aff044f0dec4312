"""The cells' numbers by setting and method, one a seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.core import Measured, generators_of
from saddle.studies.cell import CellResult
from saddle.studies.robust_gan.cells import cell_name, chunks
from saddle.studies.robust_gan.config import RobustGanConfig
from saddle.studies.robust_gan.methods import METHODS
from saddle.studies.robust_gan.settings import LIGHT, SETTINGS

__all__ = ["Results"]


@final
@dataclass(frozen=True)
class Results:
    """Everything that was computed."""

    config: RobustGanConfig
    cells: Mapping[str, CellResult]

    def has(self, setting: str, *methods: str) -> bool:
        """Whether these methods were trained on this setting."""
        return set(methods) <= set(dict(self.config.plan).get(setting, ()))

    def values(self, setting: str, method: str, number: str) -> np.ndarray:
        """`number` of every seed; NaN where there was none."""
        parts = [
            self.cells[cell_name(setting, method, seeds)].numbers[number] for seeds in chunks(self.config)
        ]
        return np.array([np.nan if value is None else value for part in parts for value in part], dtype=float)

    def array(self, setting: str, method: str, name: str, *, axis: int = 0) -> np.ndarray:
        """An array of all seeds, joined along their axis."""
        return np.concatenate(
            [self.cells[cell_name(setting, method, seeds)].arrays[name] for seeds in chunks(self.config)],
            axis,
        )

    def first(self, setting: str, method: str) -> CellResult:
        """The cell with the first seeds."""
        return self.cells[cell_name(setting, method, chunks(self.config)[0])]

    def light_share(self, setting: str, method: str) -> np.ndarray:
        """The share of generated points at the light mode, of every seed."""
        return self.array(setting, method, "mode_shares")[:, LIGHT]

    def late_off(self, setting: str, method: str) -> np.ndarray:
        """The share off the modes of every seed, averaged over the looks of the last quarter of training."""
        steps = self.first(setting, method).arrays["steps"]
        course = self.array(setting, method, "course", axis=1)
        return course[steps > 0.75 * steps[-1]].mean(0)

    def outliers(self, setting: str) -> np.ndarray:
        """Which points of every seed's training set are outliers, drawn anew."""
        config = self.config
        seeds = range(config.first_seed, config.first_seed + config.seeds)
        problem = METHODS["plain"].problem(SETTINGS[setting])
        return problem.sample(generators_of(seeds)).outlier.numpy()

    def mean(self, values: np.ndarray) -> Measured:
        """The mean with Student's interval over the seeds that have a number; nothing measured where none has."""
        finite = values[np.isfinite(values)]
        if not len(finite):
            return Measured(value=float("nan"), interval=(-np.inf, np.inf), n=0, kind="no finite value")
        return Measured.mean(finite)
