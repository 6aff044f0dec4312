"""`ProbePlan`: what the training loop is told to probe."""

from dataclasses import dataclass
from typing import final

from saddle.gan.probes.batch import ProbeBatch
from saddle.gan.probes.cadence import ProbeCadence
from saddle.gan.probes.pictures import Classify

__all__ = ["ProbePlan"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ProbePlan:
    """Which images to probe with, when, and who names the classes of generated images."""

    batch: ProbeBatch
    cadence: ProbeCadence
    classify: Classify | None = None
