"""Probes: what is measured inside a training run besides its losses, without changing it."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.gan.probes.batch import ProbeBatch as ProbeBatch
    from saddle.gan.probes.cadence import ProbeCadence as ProbeCadence
    from saddle.gan.probes.measure import probe as probe
    from saddle.gan.probes.names import PROBES as PROBES
    from saddle.gan.probes.names import describe as describe
    from saddle.gan.probes.plan import ProbePlan as ProbePlan

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "PROBES": "names",
        "ProbeBatch": "batch",
        "ProbeCadence": "cadence",
        "ProbePlan": "plan",
        "describe": "names",
        "probe": "measure",
    },
)
