"""Settings of the study `robust-transport`. Standard library only."""

from dataclasses import dataclass
from typing import final

from saddle.errors import UserError

__all__ = ["CASES", "RobustTransportConfig"]

CASES = ("far clump", "uniform box", "tight clump", "noisy copies")
"Kinds of outliers that are ranked."


@final
@dataclass(frozen=True, kw_only=True)
class RobustTransportConfig:
    """How many random problems of every kind, and how large."""

    seeds: int = 24
    "Random draws of everything."
    instances: int = 20
    "Random problems of the contamination theorem to a seed, in the chi-square ball."
    other_instances: int = 4
    "The same in each of the other balls."
    points: int = 300
    "Samples of a ranking, outliers among them; the clean reference has as many."
    shares: tuple[float, ...] = (0.05, 0.1, 0.2)
    "Shares of outliers in the rankings."
    dimensions: tuple[int, ...] = (2, 10)
    "Dimensions of the samples in the rankings."
    ring_outliers: tuple[int, ...] = (5, 10, 25)
    "Outliers beside the 100 clean points of the ring."
    ring_radii: int = 29
    "Radii at which the ring is solved."
    clean_points: int = 200
    "Samples on each side where the price on clean data is measured."

    def __post_init__(self) -> None:
        for name in ("seeds", "instances", "other_instances"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        for name, least in (("points", 40), ("ring_radii", 12), ("clean_points", 10)):
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least {least}.")
        if not self.shares or not all(0.02 <= share <= 0.4 for share in self.shares):
            raise UserError(f"shares is {self.shares}; give shares of outliers between 0.02 and 0.4.")
        if not self.dimensions or min(self.dimensions) < 1:
            raise UserError(f"dimensions is {self.dimensions}; give dimensions of at least 1.")
        if not self.ring_outliers or not all(1 <= count <= 60 for count in self.ring_outliers):
            raise UserError(f"ring_outliers is {self.ring_outliers}; give between 1 and 60 outliers.")

    @classmethod
    def full(cls) -> "RobustTransportConfig":
        """Twenty-four draws of everything."""
        return cls()

    @classmethod
    def quick(cls) -> "RobustTransportConfig":
        """About a minute on two cores: six draws."""
        return cls(seeds=6)
