"""`Evidence`: everything that the findings look at, as plain numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

from saddle.studies.diagnosis.curve import Curve

__all__ = ["Evidence", "Score"]


@final
@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric against one split over the steps, with what real images score."""

    metric: str
    split: str
    curve: Curve
    floor: float = math.nan


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """A run in numbers: from its rows, its checkpoint and its images, as far as they are there.

    `curves` holds `loss/generator`, `loss/discriminator` and the probes of `saddle.gan.probes` under their names; what
    the training run did not record is measured at the checkpoint, and is then a curve of one point. `missing` says of
    what could not be measured why.
    """

    name: str = "run"
    step: int = 0
    "Where the checkpoint, or else the last row, stands."
    status: str = "unfinished"
    "`done`, `diverged` or `unfinished`."
    message: str = ""
    "Why the run diverged."
    gan: Mapping[str, Any] = field(default_factory=dict)
    "The options of `GanConfig`."
    curves: Mapping[str, Curve] = field(default_factory=dict)
    scores: Sequence[Score] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    "What could not be measured → why, as the end of a sentence."

    def curve(self, name: str) -> Curve:
        """The finite points of a curve; empty where there is none."""
        return self.curves.get(name, Curve((), ())).finite

    def last(self, name: str) -> float:
        """The last value of a curve; NaN where there is none."""
        return self.curve(name).last

    def named(self, beginning: str) -> dict[str, float]:
        """Last values of all curves whose names begin so."""
        found = {name: self.last(name) for name in self.curves if name.startswith(beginning)}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def why_missing(self, name: str) -> str:
        """Why there is no such number."""
        return self.missing.get(name, self.missing.get("checkpoint", "the run did not record it"))

    @cached_property
    def distance(self) -> Score | None:
        """The Fréchet distance that decides: against test images where there are some."""
        found = [s for s in self.scores if s.metric.startswith(("FD", "FID")) and s.curve.finite.steps]
        return next((s for s in found if s.split == "test"), found[0] if found else None)
