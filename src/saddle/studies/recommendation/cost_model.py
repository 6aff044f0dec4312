"""Cost at any width from costs measured at some: a monotone curve in the logarithms of width and cost.

Medians that fall from one width to the next larger one, as noise makes them, are first levelled by isotonic
regression, weighted by the number of rounds. Between measured widths a monotone cubic (Fritsch and Carlson 1980, SIAM
J. Numer. Anal. 17) runs through the logarithms; beyond the largest, its last segment's slope goes on.

The model's own error is measured: every inner width is predicted from all the others.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

__all__ = ["Cost", "CostCurve", "Measured"]

UNKNOWN = 2.0
"Factor of the interval where there are too few points to measure the curve's own error."


@final
@dataclass(frozen=True, kw_only=True)
class Measured:
    """A cost measured in rounds: the median, and the order-statistic interval of the median."""

    median: float
    low: float
    high: float
    rounds: int


@final
@dataclass(frozen=True, kw_only=True)
class Cost:
    """A cost at one width."""

    value: float
    low: float
    high: float
    measured: bool
    "Whether the width itself was measured; else it is read off the curve, and the interval is the curve's error."
    beyond: bool = False
    "Whether it lies above all measured widths."


@final
@dataclass(frozen=True, kw_only=True)
class CostCurve:
    """Cost against width, through measured points."""

    points: dict[int, Measured]

    def __call__(self, width: int) -> Cost:
        """Return the cost at `width`: as measured, or by the curve with its largest held-out error about it."""
        if width in self.points:
            point = self.points[width]
            return Cost(value=point.median, low=point.low, high=point.high, measured=True)
        value = _curve(self.points)(width)
        own = max(point.high / point.median for point in self.points.values())
        apart = [abs(math.log1p(error)) for error in self.held_out.values()]
        factor = max(own, math.exp(max(apart)) if apart else UNKNOWN)
        return Cost(
            value=value,
            low=value / factor,
            high=value * factor,
            measured=False,
            beyond=width > max(self.points),
        )

    @cached_property
    def held_out(self) -> dict[int, float]:
        """Return, for every inner width, the relative error of the curve through all the others."""
        inner = sorted(self.points)[1:-1]
        found = {}
        for width in inner:
            others = {k: point for k, point in self.points.items() if k != width}
            found[width] = _curve(others)(width) / self.points[width].median - 1
        return found


@final
@dataclass(frozen=True)
class _Line:
    """The monotone curve with its straight ends."""

    knots: tuple[float, ...]
    levels: tuple[float, ...]

    def __call__(self, width: float | int) -> float:
        x, k, y = math.log(width), self.knots, self.levels
        if len(k) == 1:
            return math.exp(y[0])
        if x > k[-1]:
            return math.exp(y[-1] + (x - k[-1]) * (y[-1] - y[-2]) / (k[-1] - k[-2]))
        if x < k[0]:
            return math.exp(y[0] + (x - k[0]) * (y[1] - y[0]) / (k[1] - k[0]))
        return math.exp(float(PchipInterpolator(k, y)(x)))


def _curve(points: dict[int, Measured]) -> _Line:
    widths = sorted(points)
    medians = np.log([points[k].median for k in widths])
    weights = [float(points[k].rounds) for k in widths]
    levels = isotonic_regression(medians, weights=weights).x
    return _Line(tuple(math.log(k) for k in widths), tuple(levels.tolist()))
