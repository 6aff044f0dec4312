"""A primal-dual interior point for robust transport: one matrix product and one Cholesky factor per iteration."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
from threadpoolctl import ThreadpoolController

from saddle.transport.balls import Ball
from saddle.transport.certificate import Lower, Upper, lower_bound, upper_bound, upper_from_dual
from saddle.transport.interior_point_iterate import Iterate
from saddle.transport.solution import TransportStatus

__all__ = ["InteriorPoint", "interior_point"]

NEAR = 30
"Bounds are computed once the complementarity gap is within this factor of the tolerance."
PATIENCE = 5
"Iterations without progress of the certified gap before the walk ends."
SMALL = 1000
"Below this size of the Cholesky factor a second thread waits more than it works."


@cache
def controller() -> ThreadpoolController:
    """Of the libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()


def threads_for(size: int) -> AbstractContextManager[object]:
    """One thread for small matrices, all that the libraries were given for large ones."""
    return controller().limit(limits=1, user_api="blas") if size < SMALL else nullcontext()


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class InteriorPoint:
    """Where the iterations ended."""

    status: TransportStatus
    iterations: int
    upper: Upper
    lower: Lower


def interior_point(
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    ball_x: Ball | None,
    ball_y: Ball | None,
    *,
    free: bool,
    tol: float,
    floor: float,
    max_iterations: int,
) -> InteriorPoint:
    """Solve for positive masses with `len(a) ≥ len(b)`, at least one ball, and costs scaled to about 1.

    Newton's method on

        P ∘ Z = μ,   Z = c − f ⊕ g > 0,   f = η − λ_a φ'(P1/a),   g = −λ_b φ'(Pᵀ1/b)  (or Pᵀ1 = b),   Σ P = 1,
        λ s = μ,   s = rho − E φ(weights)        for either ball,

    with Mehrotra's predictor and corrector (1992). `Z` stays exactly dual feasible, so every iterate has a bound from
    below; its plan, rounded to be feasible, gives the bound from above. The best of either is kept, and the walk ends
    when they agree to `tol`, when they stop approaching each other, or when floats no longer carry a step.
    """
    free = free and ball_x is not None and ball_y is not None
    # A breakdown of floats is data: the step says that it failed.
    with np.errstate(all="ignore"), threads_for(len(b)):
        walk = Iterate(cost, a, b, ball_x, ball_y, free=free)
        bounds = Bounds(cost, a, b, ball_x, ball_y, free)
        bounds.update(walk, tol * max(abs(walk.spent), floor))
        status, iterations, best, waited = TransportStatus.EXHAUSTED, 0, np.inf, 0
        while iterations < max_iterations:
            iterations += 1
            moved = walk.step()
            if moved and walk.gap() > NEAR * tol * max(abs(walk.spent), floor):
                continue
            bounds.update(walk, tol * max(abs(walk.spent), floor))
            if bounds.gap() <= tol * max(abs(bounds.best_upper.value), floor):
                status = TransportStatus.CERTIFIED
                break
            waited = 0 if bounds.gap() < 0.9 * best else waited + 1
            best = min(best, bounds.gap())
            if waited >= PATIENCE or not moved:
                status = TransportStatus.STALLED
                break
        else:
            bounds.update(walk, tol * max(abs(walk.spent), floor))
    return InteriorPoint(
        status=status, iterations=iterations, upper=bounds.best_upper, lower=bounds.best_lower
    )


@final
class Bounds:
    """The best bounds of all iterates."""

    best_upper: Upper
    best_lower: Lower

    def __init__(
        self,
        cost: np.ndarray,
        a: np.ndarray,
        b: np.ndarray,
        ball_x: Ball | None,
        ball_y: Ball | None,
        free: bool,
    ) -> None:
        self.cost, self.a, self.b, self.ball_x, self.ball_y, self.free = cost, a, b, ball_x, ball_y, free
        self.empty = True

    def update(self, walk: Iterate, tolerance: float) -> None:
        """Bounds at this iterate, where it is finite; a second plan is tried where the first leaves more than `tolerance`."""
        if not (np.isfinite(walk.product) and np.isfinite(walk.x.potential).all()):
            return
        data = self.cost, self.a, self.b, self.ball_x, self.ball_y
        lower = lower_bound(walk.x.potential, *data, free=self.free)
        if self.empty or lower.value > self.best_lower.value:
            self.best_lower = lower
        candidates = [upper_bound(walk.plan.copy(), *data, free=self.free)]
        if not self.free and candidates[0].value - lower.value > tolerance:
            candidates.append(upper_from_dual(walk.plan.copy(), *data, lower))
        for upper in candidates:
            if self.empty or upper.value < self.best_upper.value:
                self.best_upper = upper
                self.empty = False

    def gap(self) -> float:
        """Upper bound less lower bound."""
        return self.best_upper.value - self.best_lower.value
