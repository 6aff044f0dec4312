"""Settings of the study `robust-gan`. Standard library only."""

from dataclasses import dataclass
from typing import final

from saddle.errors import UserError

__all__ = ["CHUNK", "METHOD_NAMES", "SETTING_NAMES", "RobustGanConfig"]

CHUNK = 4
"Seeds trained together, in one cell."
SETTING_NAMES = (
    "cluster 10 %",
    "cluster 5 %",
    "uniform 10 %",
    "clean",
    "light mode",
    "lighter mode",
    "light mode, cluster 10 %",
)
METHOD_NAMES = (
    "plain", "exact", "exact, 2 rho*", "exact, rho*/2", "trim", "network", "stale", "filter", "oracle",
)  # fmt: skip
Plan = tuple[tuple[str, tuple[str, ...]], ...]
QUICK: Plan = (
    ("cluster 10 %", ("plain", "exact", "trim", "network")),
    ("clean", ("plain", "exact")),
)
FULL: Plan = (
    ("cluster 10 %", METHOD_NAMES),
    ("cluster 5 %", ("plain", "exact", "trim", "network", "filter", "oracle")),
    ("uniform 10 %", ("plain", "exact", "trim", "network", "stale", "filter", "oracle")),
    ("clean", ("plain", "exact", "trim", "network", "filter")),
    ("light mode", ("plain", "exact", "exact, 2 rho*", "trim", "network")),
    ("lighter mode", ("plain", "exact", "trim", "network")),
    ("light mode, cluster 10 %", ("plain", "exact", "exact, 2 rho*", "trim", "network", "oracle")),
)


@final
@dataclass(frozen=True, kw_only=True)
class RobustGanConfig:
    """Which methods are trained on which data, from how many seeds and for how long."""

    seeds: int = 8
    "Runs of each: seeds `first_seed`, `first_seed` + 1, …, the same for every method."
    first_seed: int = 0
    steps: int = 1600
    "Generator steps."
    samples: int = 2000
    "Generated points, and clean ones, that a finished generator is judged by."
    plan: Plan = FULL
    "Every setting with its methods; the first of them is `plain`."

    def __post_init__(self) -> None:
        for name, least in (("seeds", 1), ("first_seed", 0), ("steps", 1), ("samples", 1)):
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least {least}.")
        for setting, methods in self.plan:
            unknown = [name for name in methods if name not in METHOD_NAMES]
            if setting not in SETTING_NAMES or unknown:
                raise UserError(
                    f"The plan has {setting!r} with {', '.join(methods)}; settings are {', '.join(map(repr, SETTING_NAMES))} "
                    f"and methods {', '.join(map(repr, METHOD_NAMES))}."
                )
            if methods[:1] != ("plain",) or len(set(methods)) < len(methods):
                raise UserError(
                    f"The methods on {setting!r} are {', '.join(methods)}; each must stand there once, plain first."
                )
        if len({setting for setting, _ in self.plan}) < len(self.plan) or not self.plan:
            raise UserError("The plan must have every setting once, and at least one.")

    @classmethod
    def full(cls) -> "RobustGanConfig":
        """Eight seeds of all methods on all data: about 20 minutes of processor time."""
        return cls()

    @classmethod
    def quick(cls) -> "RobustGanConfig":
        """About a minute on two cores: one kind of outliers and clean data, four seeds, trained as long."""
        return cls(seeds=4, plan=QUICK)
