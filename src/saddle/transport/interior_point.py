"""A primal-dual interior point for robust transport: one matrix product and one Cholesky factor per iteration."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.transport.balls import Ball
from saddle.transport.certificate import Lower, Upper, lower_bound, upper_bound
from saddle.transport.interior_point_newton import Newton, side_of
from saddle.transport.interior_point_passes import advance, longest_step, predict
from saddle.transport.solution import TransportStatus

__all__ = ["InteriorPoint", "interior_point"]

BACK_OFF = 0.995
"Share of the way to the nearest bound that a step goes."


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
    """Solve for positive masses, `len(a) ≥ len(b)`, the cost scaled to about 1.

    Newton's method on

        P ∘ Z = μ,   Z = c − f ⊕ g > 0,   f = η − λ_a φ'(P1/a),   g = −λ_b φ'(Pᵀ1/b)  (or Pᵀ1 = b),   Σ P = 1,
        λ s = ν,   s = rho − E φ(weights)        for either ball,

    with Mehrotra's predictor and corrector (1992). `Z` is kept exactly dual feasible, so every iterate has a bound
    from below; a plan rounded to be feasible gives the bound from above.
    """
    n, m = cost.shape
    free = free and ball_x is not None and ball_y is not None
    x, y = side_of(a, ball_x), side_of(b, ball_y)
    unit = not free and x.curved and y.curved
    plan = np.outer(a, b)
    depth = max(float(-cost.min()), 0.0) + 1.0
    (y if not y.curved else x).potential -= depth
    level = -depth if unit else 0.0
    slacks = cost + depth
    rows, columns = a.copy(), b.copy()
    product = float(np.vdot(plan, slacks))
    x.start(product)
    y.start(product)
    newton = Newton(n, m)
    rows_inverse, columns_inverse = np.empty(n), np.empty(m)
    rows_second, columns_second = np.empty(n), np.empty(m)
    best_upper: Upper | None = None
    best_lower: Lower | None = None
    status, since, last_gap = TransportStatus.EXHAUSTED, 0, np.inf
    iteration = 0
    for iteration in range(1, max_iterations + 1):
        x.measure(rows)
        y.measure(columns)
        if not newton.prepare(plan, slacks, x, y, unit):
            status = TransportStatus.STALLED
            break
        # Predictor: the target of P∘Z and of λs is 0.
        lack = 1.0 - float(rows.sum())
        df0, dg0, _, dx0, dy0 = newton.solve(-rows, -columns, lack, level, 0.0, 0.0)
        low, high, first, second = predict(
            plan, slacks, df0, dg0, rows_inverse, columns_inverse, rows_second, columns_second
        )
        ahead = min(1.0, 1 / max(-low, 1 + high, x.fall(dx0), y.fall(dy0), 1e-300))
        balls = x.curved + y.curved
        total = product + x.product() + y.product()
        # Σ (P + αdP)(Z + αdZ) with dP = −P − Pq.
        left = product + ahead * (first - product - first) + ahead**2 * (-first - second)
        left += x.product_after(dx0, ahead) + y.product_after(dy0, ahead)
        mu = total / (n * m + balls)
        mu *= min(max(left / total, 0.0), 1.0) ** 3
        # Corrector.
        df, dg, dlevel, dx, dy = newton.solve(
            mu * rows_inverse - rows + rows_second,
            mu * columns_inverse - columns + columns_second,
            lack,
            level,
            mu,
            mu,
            (dx0, dy0),
        )
        fall = max(float(longest_step(plan, slacks, df0, dg0, df, dg, mu)), x.fall(dx), y.fall(dy), 1e-300)
        step = min(1.0, BACK_OFF / fall)
        product, spent = advance(plan, slacks, cost, df0, dg0, df, dg, mu, step, rows, columns)
        level += step * dlevel
        x.advance(df, dx, step)
        y.advance(dg, dy, step)
        if not np.isfinite(product):
            status = TransportStatus.STALLED
            break
        estimate = (product + x.product() + y.product()) / max(abs(spent), floor)
        if estimate > 30 * tol:
            continue
        lower = lower_bound(x.potential, cost, a, b, ball_x, ball_y, free=free)
        upper = upper_bound(plan.copy(), cost, a, b, ball_x, ball_y, free=free)
        if best_lower is None or lower.value > best_lower.value:
            best_lower = lower
        if best_upper is None or upper.value < best_upper.value:
            best_upper = upper
        difference = best_upper.value - best_lower.value
        if difference <= tol * max(abs(best_upper.value), floor):
            status = TransportStatus.CERTIFIED
            break
        since = 0 if difference < 0.9 * last_gap else since + 1
        last_gap = min(last_gap, difference)
        if since >= 5:
            status = TransportStatus.STALLED
            break
    if best_lower is None or best_upper is None:
        best_lower = lower_bound(x.potential, cost, a, b, ball_x, ball_y, free=free)
        best_upper = upper_bound(plan, cost, a, b, ball_x, ball_y, free=free)
    return InteriorPoint(status=status, iterations=iteration, upper=best_upper, lower=best_lower)
