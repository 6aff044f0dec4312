"""The Newton system of the interior point, reduced to one Cholesky factor of the smaller side and three scalars."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from saddle.transport.balls import Ball, ChiSquareBall, KullbackLeiblerBall
from saddle.transport.interior_point_passes import assemble

__all__ = ["Change", "Newton", "Side", "side_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Change:
    """Of a ball's multiplier and slack, and of its weights."""

    multiplier: float = 0.0
    slack: float = 0.0
    weights: np.ndarray | None = None


class Side(ABC):
    """Abstract: one marginal, with its potential; either held or inside a ball."""

    curved: bool

    def __init__(self, masses: np.ndarray) -> None:
        self.masses = masses
        self.potential = np.zeros_like(masses)
        self.k = np.zeros_like(masses)
        self.sums = masses

    def start(self, product: float) -> None:
        """Choose the first multiplier."""

    @abstractmethod
    def measure(self, sums: np.ndarray) -> None:
        """Compute everything that depends on the marginal."""

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


@final
class Curved(Side):
    """A ball `Σ a φ(W) ≤ rho`: `f = η − λ φ'(W)`, `λ s = ν`."""

    curved = True

    def __init__(self, masses: np.ndarray, ball: Ball) -> None:
        super().__init__(masses)
        assert isinstance(ball, ChiSquareBall | KullbackLeiblerBall)
        self.rho = float(ball.rho)
        self.logarithmic = isinstance(ball, KullbackLeiblerBall)
        self.slack = self.rho
        self.multiplier = 1.0

    def start(self, product: float) -> None:
        self.multiplier = 1.0

    def measure(self, sums: np.ndarray) -> None:
        self.sums = sums
        self.weights = w = sums / self.masses
        if self.logarithmic:
            self.first, self.second = np.log(w), 1 / w
            value = w * self.first - w + 1
        else:
            self.first, self.second = w - 1, np.ones_like(w)
            value = self.first**2 / 2
        self.lack = self.rho - float(self.masses @ value) - self.slack
        "What is missing in `s = rho − E φ(W)`."
        if self.lack > 0:
            # A slack below what the weights leave only cuts the steps: left alone it ran to 0, and the iterations stalled
            # (ring data with a fifth of far outliers, 14 of 300 problems).
            self.slack, self.lack = self.slack + self.lack, 0.0
        self.k = self.masses / (self.multiplier * self.second)

    def fall(self, change: Change) -> float:
        return max(-change.multiplier / self.multiplier, -change.slack / self.slack)

    def product(self) -> float:
        return self.multiplier * self.slack

    def product_after(self, change: Change, step: float) -> float:
        return (self.multiplier + step * change.multiplier) * (self.slack + step * change.slack)

    def advance(self, potential: np.ndarray, change: Change, step: float) -> None:
        super().advance(potential, change, step)
        self.multiplier += step * change.multiplier
        self.slack += step * change.slack

    def miss(self, level: float, before: Change | None) -> np.ndarray:
        """`f − η + λ φ'(W)`, with the second-order terms of a predictor."""
        residual = self.potential - level + self.multiplier * self.first
        if before is not None and before.weights is not None:
            residual = residual + before.multiplier * self.second * before.weights
        return residual


def side_of(masses: np.ndarray, ball: Ball | None) -> Side:
    """The side with these masses."""
    return Held(masses) if ball is None else Curved(masses, ball)


@final
class Newton:
    """Solves the linearised equations; the arrays are kept between iterations.

    With `Θ = P/Z`, `k = a/(λ_a φ'')` and `l = b/(λ_b φ'')` the potentials change by

        [diag(Θ1 + k)        Θ     ] [df]   [k (dη − φ'_a dλ_a − F) − r]
        [    Θᵀ       diag(Θᵀ1 + l)] [dg] = [  l (−φ'_b dλ_b − G)  − c ]

    (l = 0 and the lack of mass instead of G where a side is held), and every scalar adds one right-hand side.
    """

    def __init__(self, n: int, m: int) -> None:
        self.scaled = np.empty((n, m))
        self.d1, self.e, self.d2 = np.empty(n), np.empty(n), np.empty(m)
        self.normal = np.empty((m, m), order="F")

    def prepare(self, plan: np.ndarray, slacks: np.ndarray, x: Side, y: Side, unit: bool) -> bool:
        """Factor; False where floats no longer can."""
        assemble(plan, slacks, x.k, self.scaled, self.d1, self.e, self.d2)
        self.x, self.y, self.unit = x, y, unit
        # The transpose of a C array is a Fortran array: no copy.
        self.normal = dsyrk(-1.0, self.scaled.T, c=self.normal, overwrite_c=1, lower=1)
        diagonal = self.d2 + y.k
        self.normal.T.flat[:: len(diagonal) + 1] += diagonal
        self.normal, info = dpotrf(self.normal, lower=1, overwrite_a=1, clean=0)
        if info:
            return False
        columns: list[tuple[np.ndarray, np.ndarray]] = []
        zero_x, zero_y = np.zeros_like(self.d1), np.zeros_like(self.d2)
        if unit:
            columns.append((x.k, zero_y))
        if isinstance(x, Curved):
            columns.append((-x.k * x.first, zero_y))
        if isinstance(y, Curved):
            columns.append((zero_x, -y.k * y.first))
        self.border = [self._inner(*column) for column in columns]
        return True

    def _inner(self, right_x: np.ndarray, right_y: np.ndarray) -> tuple[np.ndarray, ...]:
        """`df`, `dg`, `Θ dg` and `Θᵀ df` for one right-hand side."""
        shrunk = right_x / self.e
        dg, info = dpotrs(self.normal, right_y - shrunk @ self.scaled, lower=1)
        assert info == 0
        pushed = self.scaled @ dg
        df = (shrunk - pushed) / self.e
        return df, dg, self.d1 * df + self.e * pushed, (self.e * df) @ self.scaled + self.d2 * dg

    def solve(
        self,
        rows: np.ndarray,
        columns: np.ndarray,
        lack: float,
        level: float,
        nu_x: float,
        nu_y: float,
        before: tuple[Change, Change] = (Change(), Change()),
    ) -> tuple[np.ndarray, np.ndarray, float, Change, Change]:
        """The change of `f`, `g`, `η` and of both balls; `rows` and `columns` are the sums of `dP − Θ (df ⊕ dg)`."""
        x, y = self.x, self.y
        if isinstance(x, Curved):
            right_x = -x.k * x.miss(level, before[0]) - rows
        else:
            right_x = x.masses - x.sums - rows
        if isinstance(y, Curved):
            right_y = -y.k * y.miss(0.0, before[1]) - columns
        else:
            right_y = y.masses - y.sums - columns
        constant = self._inner(right_x, right_y)
        parts = [constant, *self.border]
        # What the marginals change by, for every column.
        moved_x = [part[2] for part in parts]
        moved_y = [part[3] for part in parts]
        moved_x[0] = moved_x[0] + rows
        moved_y[0] = moved_y[0] + columns
        equations: list[np.ndarray] = []
        right: list[float] = []
        place = 0
        if self.unit:
            row = np.array([moved.sum() for moved in moved_x])
            equations.append(row[1:])
            right.append(lack - row[0])
            place = 1
        for side, moved, nu, change in ((x, moved_x, nu_x, before[0]), (y, moved_y, nu_y, before[1])):
            if not isinstance(side, Curved):
                continue
            row = np.array([-side.multiplier * (side.first @ each) for each in moved])
            bend = (
                0.0 if change.weights is None else float(side.masses @ (side.second * change.weights**2)) / 2
            )
            need = nu - side.multiplier * side.slack - change.multiplier * change.slack
            need -= side.multiplier * (side.lack - bend)
            equation = row[1:].copy()
            equation[place] += side.slack
            equations.append(equation)
            right.append(need - row[0])
            place += 1
        scalars = np.linalg.solve(np.array(equations), np.array(right)) if equations else np.zeros(0)
        df, dg, change_x, change_y = (
            part + sum((s * each[i] for s, each in zip(scalars, self.border, strict=True)), 0.0)
            for i, part in enumerate(constant)
        )
        change_x = change_x + rows
        change_y = change_y + columns
        rest = list(scalars)
        dlevel = float(rest.pop(0)) if self.unit else 0.0
        changes = []
        for side, moved, change in ((x, change_x, before[0]), (y, change_y, before[1])):
            if isinstance(side, Curved):
                weights = moved / side.masses
                bend = (
                    0.0
                    if change.weights is None
                    else float(side.masses @ (side.second * change.weights**2)) / 2
                )
                slack = side.lack - bend - float(side.first @ moved)
                changes.append(Change(multiplier=float(rest.pop(0)), slack=slack, weights=weights))
            else:
                changes.append(Change())
        return df, dg, dlevel, changes[0], changes[1]
