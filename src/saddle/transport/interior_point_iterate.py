"""The iterate of the interior point: plan, slacks and potentials, and one step of them."""

from typing import final

import numpy as np

from saddle.transport.balls import Ball
from saddle.transport.interior_point_newton import Direction, Newton
from saddle.transport.interior_point_passes import advance, longest_step, predict
from saddle.transport.interior_point_sides import Curved, side_of

__all__ = ["Iterate"]

BACK_OFF = 0.995
"Share of the way to the nearest bound that a step goes."
DEPTH = 0.1
"How far below the costs the first potentials lie, in typical costs."
SHORT = 0.1
"A corrected step shorter than this is tried again with more centring and without the corrector."
LOST = 1e-11
"An error of the marginals above this and above what the step leaves means that digits were lost."


@final
class Iterate:
    """Starts at `P ∝ ab/Z`, where all products `PZ/ab` are equal."""

    def __init__(
        self,
        cost: np.ndarray,
        a: np.ndarray,
        b: np.ndarray,
        ball_x: Ball | None,
        ball_y: Ball | None,
        *,
        free: bool,
    ) -> None:
        self.cost = cost
        n, m = cost.shape
        self.x, self.y = side_of(a, ball_x, shifts=not free), side_of(b, ball_y, shifts=not free)
        self.complements = n * m + self.x.curved + self.y.curved
        unit = not free and self.x.curved and self.y.curved
        depth = max(float(-cost.min()), 0.0) + DEPTH
        (self.x if self.y.curved else self.y).potential -= depth
        if unit and isinstance(self.x, Curved):
            self.x.level = -depth
        self.slacks = cost + depth
        self.plan = a[:, None] * b / self.slacks
        self.plan /= self.plan.sum()
        self.rows, self.columns = self.plan.sum(axis=1), self.plan.sum(axis=0)
        self.product = float(np.vdot(self.plan, self.slacks))
        self.spent = float(np.vdot(self.plan, cost))
        self.newton = Newton(n, m, unit)
        self.careful = False
        "Whether floats have been seen to lose the marginals: then directions are refined."
        self.zeros = np.zeros(n), np.zeros(m)
        self.inverse, self.second = (np.empty(n), np.empty(m)), (np.empty(n), np.empty(m))

    def gap(self) -> float:
        """The sum of all complementarity products."""
        return self.product + self.x.product() + self.y.product()

    def step(self) -> bool:
        """Move by one predictor-corrector step; False, without having moved, where floats no longer carry one."""
        x, y = self.x, self.y
        x.measure(self.rows)
        y.measure(self.columns)
        if not self.newton.prepare(self.plan, self.slacks, x, y):
            return False
        gap = self.gap()
        ahead = self.newton.solve(-self.rows, -self.columns, 0.0, careful=self.careful)
        if ahead is None:
            return False
        mu = self._centring(ahead, gap) * gap / self.complements
        before = ahead.f, ahead.g
        found = self.newton.solve(
            mu * self.inverse[0] - self.rows + self.second[0],
            mu * self.inverse[1] - self.columns + self.second[1],
            mu,
            (ahead.x, ahead.y),
            careful=self.careful,
        )
        length = 0.0 if found is None else self._length(before, found, mu)
        if length < SHORT:
            centred = 0.5 * gap / self.complements
            other = self.newton.solve(
                centred * self.inverse[0] - self.rows,
                centred * self.inverse[1] - self.columns,
                centred,
                careful=True,
            )
            reach = 0.0 if other is None else self._length(self.zeros, other, centred)
            if reach > length:
                found, length, mu, before = other, reach, centred, self.zeros
        if found is None or length <= 0:
            return False
        expected = (1 - length) * self._off()
        self._advance(before, found, mu, length)
        self.careful |= self._off() > 2 * expected + LOST
        return bool(np.isfinite(self.product))

    def _off(self) -> float:
        """How far the masses are from what they must be, summed."""
        off = abs(1.0 - float(self.rows.sum()))
        for side, sums in ((self.x, self.rows), (self.y, self.columns)):
            if not side.curved:
                off = max(off, float(np.abs(side.masses - sums).sum()))
        return off if self.newton.unit or not (self.x.curved and self.y.curved) else 0.0

    def _centring(self, ahead: Direction, gap: float) -> float:
        """`(gap after the predictor / gap)⁴`, and the sums that the corrector needs."""
        low, high, first, second = predict(
            self.plan,
            self.slacks,
            ahead.f,
            ahead.g,
            self.inverse[0],
            self.inverse[1],
            self.second[0],
            self.second[1],
        )
        x, y = self.x, self.y
        step = min(1.0, 1 / max(-low, 1 + high, x.fall(ahead.x), y.fall(ahead.y)))
        # Σ (P + step dP)(Z + step dZ) with dP = −P − Pq.
        left = self.product * (1 - step) - step**2 * (first + second)
        left += x.product_after(ahead.x, step) + y.product_after(ahead.y, step)
        return min(max(left / gap, 0.0), 1.0) ** 4

    def _length(self, before: tuple[np.ndarray, np.ndarray], found: Direction, mu: float) -> float:
        fall = float(longest_step(self.plan, self.slacks, *before, found.f, found.g, mu))
        fall = max(fall, self.x.fall(found.x), self.y.fall(found.y))
        return min(1.0, BACK_OFF / fall) if fall > 0 else (1.0 if fall == 0 else 0.0)

    def _advance(
        self, before: tuple[np.ndarray, np.ndarray], found: Direction, mu: float, step: float
    ) -> None:
        self.product, self.spent = advance(
            self.plan, self.slacks, self.cost, *before, found.f, found.g, mu, step, self.rows, self.columns
        )
        self.x.advance(found.f, found.x, step)
        self.y.advance(found.g, found.y, step)
