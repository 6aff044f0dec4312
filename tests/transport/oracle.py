"""The same problems, written for a general conic solver: what ours are held to."""

from typing import Any

import cvxpy as cp
import numpy as np

from saddle.transport import Ball, ChiSquareBall, CvarBall, KullbackLeiblerBall, TotalVariationBall


def conic(
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    ball_x: Ball | None,
    ball_y: Ball | None = None,
    *,
    mass: str = "unit",
) -> float:
    """The optimal cost by cvxpy and Clarabel, with the cost divided by its median."""
    scale = float(np.median(cost))
    plan = cp.Variable(cost.shape, nonneg=True)
    rules: list[Any] = [cp.sum(plan) == 1] if mass == "unit" else []
    for sums, masses, ball in ((cp.sum(plan, axis=1), a, ball_x), (cp.sum(plan, axis=0), b, ball_y)):
        weights = cp.multiply(sums, 1 / masses)
        if ball is None:
            rules.append(sums == masses)
        elif isinstance(ball, ChiSquareBall):
            rules.append(cp.norm(cp.multiply(np.sqrt(masses), weights - 1)) <= np.sqrt(ball.chi2))
        elif isinstance(ball, KullbackLeiblerBall):
            rules.append(cp.sum(cp.kl_div(sums, masses)) <= ball.rho)
        elif isinstance(ball, TotalVariationBall):
            rules.append(cp.sum(cp.abs(sums - masses)) <= 2 * ball.rho)
        else:
            assert isinstance(ball, CvarBall)
            rules.append(weights <= 1 / (1 - ball.share))
    problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(plan, cost / scale))), rules)
    problem.solve(solver=cp.CLARABEL, tol_gap_rel=1e-9, tol_gap_abs=1e-10, tol_feas=1e-10)
    return float(np.asarray(problem.value)) * scale
