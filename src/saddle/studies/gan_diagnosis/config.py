"""Settings of the study `gan-diagnosis`. Standard library only."""

from dataclasses import dataclass
from typing import final

from saddle.errors import UserError

__all__ = ["GanDiagnosisConfig"]


@final
@dataclass(frozen=True, kw_only=True)
class GanDiagnosisConfig:
    """How many runs of every provocation and of every healthy GAN."""

    seeds: int = 20
    "Runs of each: seeds `first_seed`, `first_seed` + 1, …."
    first_seed: int = 0
    "The thresholds were set on seeds 100 to 109; seeds from 0 on had no part in that."
    healthy: tuple[str, ...] = ("mlp 32", "mlp 64", "mlp 32, R1", "dcgan 8")
    "Healthy GANs that must be free of findings."

    def __post_init__(self) -> None:
        if self.seeds < 1 or self.first_seed < 0:
            raise UserError(
                f"seeds is {self.seeds} and first_seed {self.first_seed}; give at least one seed, from 0 on."
            )

    @classmethod
    def full(cls) -> "GanDiagnosisConfig":
        """Twenty runs of everything, a DCGAN among the healthy ones."""
        return cls()

    @classmethod
    def quick(cls) -> "GanDiagnosisConfig":
        """About two minutes on two cores: ten runs each, and healthy GANs that train fast."""
        return cls(seeds=10, healthy=("mlp 32", "mlp 64", "mlp 32, R1"))
