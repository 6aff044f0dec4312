"""`Curve`: one number of a run against the step, and what a finding asks of it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Curve", "Trend"]

Number = float | int


@final
@dataclass(frozen=True, kw_only=True)
class Trend:
    """A line `a + b t` fitted by least squares to a piece of a curve, in the units of the curve."""

    change: float
    "b times the length of the piece: how much the line moves over it."
    noise: float
    "Standard deviation of what the line leaves over, n − 2 degrees of freedom."
    t: float
    "Slope over its standard error; 0 where there is neither."
    n: int


@final
@dataclass(frozen=True)
class Curve:
    """Values at ascending steps; a value that was not finite is NaN here."""

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        assert len(self.steps) == len(self.values)

    @classmethod
    def of(cls, points: Iterable[tuple[int, Number | None]]) -> "Curve":
        """Points in any order; of two at one step the later one counts, and None is not finite."""
        kept = {int(step): math.nan if value is None else float(value) for step, value in points}
        return cls(tuple(sorted(kept)), tuple(kept[step] for step in sorted(kept)))

    @property
    def finite(self) -> "Curve":
        """The points whose values are finite."""
        return Curve.of((s, v) for s, v in zip(self.steps, self.values, strict=True) if math.isfinite(v))

    @property
    def last(self) -> float:
        """The last value; NaN of an empty curve."""
        return self.values[-1] if self.values else math.nan

    def after(self, share: Number) -> "Curve":
        """The part later than `share` of the last step."""
        start = share * (self.steps[-1] if self.steps else 0)
        return Curve.of((s, v) for s, v in zip(self.steps, self.values, strict=True) if s > start)

    def median(self) -> float:
        """The median of the finite values; NaN without any."""
        values = self.finite.values
        return float(np.median(values)) if values else math.nan

    def trend(self) -> Trend | None:
        """The straight line through the finite points; None of fewer than four."""
        kept = self.finite
        n = len(kept.steps)
        if n < 4:
            return None
        t, y = np.asarray(kept.steps, float), np.asarray(kept.values)
        centred = t - t.mean()
        slope = float(centred @ y / (centred @ centred))
        left = y - y.mean() - slope * centred
        noise = math.sqrt(float(left @ left) / (n - 2))
        error = noise / math.sqrt(float(centred @ centred))
        return Trend(
            change=slope * float(t[-1] - t[0]), noise=noise, t=slope / error if error > 0 else 0.0, n=n
        )

    def first_below(self, level: Number) -> int | None:
        """The step from which the curve stays below `level` to its end; None where its end is not below."""
        onset = None
        for step, value in zip(self.steps, self.values, strict=True):
            if not value < level:
                onset = None
            elif onset is None:
                onset = step
        return onset

    def first_above(self, level: Number) -> int | None:
        """The step from which the curve stays above `level` to its end; None where its end is not above."""
        return Curve(self.steps, tuple(-value for value in self.values)).first_below(-level)
