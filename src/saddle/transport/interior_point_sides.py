"""The two marginals of the interior point: held, or inside a ball with a multiplier and a slack."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.transport.balls import Ball, ChiSquareBall, KullbackLeiblerBall

__all__ = ["Change", "Curved", "Held", "Side", "side_of"]

STEEP = 2.0
"The first multiplier times sqrt(2 rho): about the spread of the potential, in typical costs."
TINY = 1e-300


@final
@dataclass(frozen=True, kw_only=True)
class Change:
    """Of a ball's multiplier and slack, and of its weights; nothing where a side is held."""

    multiplier: float = 0.0
    slack: float = 0.0
    level: float = 0.0
    weights: np.ndarray | None = None


class Side(ABC):
    """Abstract: one marginal, with its potential."""

    curved: bool

    def __init__(self, masses: np.ndarray) -> None:
        self.masses = masses
        self.potential = np.zeros_like(masses)
        self.k = np.zeros_like(masses)
        "`a / (λ φ'')`, what the ball adds to the diagonal of the Newton system."

    @abstractmethod
    def measure(self, sums: np.ndarray) -> None:
        """Compute everything that depends on the marginal."""

    @abstractmethod
    def right(self, before: Change, moved: np.ndarray) -> np.ndarray:
        """The right-hand side of the Newton system, where the plan moves by `moved` without the potentials."""

    def fall(self, change: Change) -> float:
        """The largest relative decrease of multiplier or slack."""
        return 0.0

    def product(self) -> float:
        """Multiplier times slack."""
        return 0.0

    def product_after(self, change: Change, step: float) -> float:
        """The same after a step."""
        return 0.0

    def advance(self, potential: np.ndarray, change: Change, step: float) -> None:
        """Take a step."""
        self.potential += step * potential


@final
class Held(Side):
    """`Pᵀ1 = b`."""

    curved = False

    def measure(self, sums: np.ndarray) -> None:
        self.sums = sums

    def right(self, before: Change, moved: np.ndarray) -> np.ndarray:
        return self.masses - self.sums - moved


@final
class Curved(Side):
    """A ball `E φ(W) ≤ rho`: `f = η − λ φ'(W)`, `λ s = μ`, `s = rho − E φ(W)`."""

    curved = True

    def __init__(self, masses: np.ndarray, ball: Ball, *, shifts: bool) -> None:
        super().__init__(masses)
        self.shifts = shifts
        "Whether a constant may move from one potential to the other: not where mass is free."
        self.level, self.centre = 0.0, 0.0
        assert isinstance(ball, ChiSquareBall | KullbackLeiblerBall)
        self.rho = float(ball.rho)
        self.logarithmic = isinstance(ball, KullbackLeiblerBall)
        self.slack = self.rho
        self.multiplier = STEEP / (2 * self.rho) ** 0.5

    def measure(self, sums: np.ndarray) -> None:
        w = sums / self.masses
        if self.logarithmic:
            self.first, self.second = np.log(w), 1 / w
            value = w * self.first - w + 1
        else:
            self.first, self.second = w - 1, np.ones_like(w)
            value = self.first**2 / 2
        if self.shifts:
            # η moves along with λ so that most potentials stay where they are: far outliers make λ large, and changes of
            # the potentials that cancel in f ⊕ g cost digits.
            self.centre = float(np.median(self.first))
        self.lack = self.rho - float(self.masses @ value) - self.slack
        "What is missing in `s = rho − E φ(W)`."
        if self.lack > 0:
            # A slack below what the weights leave only cuts the steps: left alone it ran to 0, and the iterations stalled
            # (ring data with a fifth of far outliers, 14 of 300 problems).
            self.slack, self.lack = self.slack + self.lack, 0.0
        self.k = self.masses / (self.multiplier * self.second)

    def right(self, before: Change, moved: np.ndarray) -> np.ndarray:
        residual = self.potential - self.level + self.multiplier * self.first
        if before.weights is not None:  # What the predictor bends: dλ φ'' dW.
            residual = residual + before.multiplier * self.second * before.weights
        return -self.k * residual - moved

    def fall(self, change: Change) -> float:
        return max(-change.multiplier / max(self.multiplier, TINY), -change.slack / max(self.slack, TINY))

    def product(self) -> float:
        return self.multiplier * self.slack

    def product_after(self, change: Change, step: float) -> float:
        return (self.multiplier + step * change.multiplier) * (self.slack + step * change.slack)

    def advance(self, potential: np.ndarray, change: Change, step: float) -> None:
        super().advance(potential, change, step)
        self.multiplier += step * change.multiplier
        self.slack += step * change.slack
        self.level += step * change.level

    def missing(self, before: Change) -> float:
        """`rho − E φ(W) − s`, with the second-order term of a predictor."""
        if before.weights is None:
            return self.lack
        return self.lack - float(self.masses @ (self.second * before.weights**2)) / 2

    def need(self, mu: float, before: Change) -> float:
        """The right side of `s dλ − λ φ'·d(P1) = …`."""
        need = mu - self.multiplier * self.slack - before.multiplier * before.slack
        return need - self.multiplier * self.missing(before)

    def change(self, rise: float, multiplier: float, moved: np.ndarray, before: Change) -> Change:
        """What a change of the multiplier and of the marginal mean for the rest."""
        slack = self.missing(before) - float(self.first @ moved)
        level = rise + self.centre * multiplier
        return Change(multiplier=multiplier, slack=slack, level=level, weights=moved / self.masses)


def side_of(masses: np.ndarray, ball: Ball | None, *, shifts: bool) -> Held | Curved:
    """The side with these masses."""
    return Held(masses) if ball is None else Curved(masses, ball, shifts=shifts)
