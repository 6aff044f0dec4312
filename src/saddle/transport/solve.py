"""Robust optimal transport, exactly: the problem is checked, sent to its solver, and the answer carries its bounds."""

import time
from typing import Any, Literal

import numpy as np

from saddle.errors import UserError
from saddle.transport.balls import Ball, CvarBall
from saddle.transport.certificate import Lower, Upper, lower_bound, upper_bound
from saddle.transport.interior_point import interior_point
from saddle.transport.linear_balls import is_linear, linear_flow
from saddle.transport.problem import Mass, TransportProblem, ball_of, check_memory, transport_problem
from saddle.transport.solution import RobustTransport, TransportStatus

__all__ = ["Solver", "robust", "solve_problem"]

Solver = Literal["auto", "interior-point", "entropic"]

FLOOR = 1e-6
"Gaps are relative to the value, or to this share of the typical cost where the value is smaller."
RESOLUTION = 4 * float(np.finfo(float).eps)
"Below this relative gap bounds that agree do so by rounding, and certify nothing."
LARGE = 1_000_000
"Above this many entries of the plan the default tolerance is 1e-5 instead of 1e-6."


def robust(
    x: Any = None,
    y: Any = None,
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
    rho_y: float | int | None = None,
    chi2_y: float | int | None = None,
    ball_y: Ball | None = None,
    a: Any = None,
    b: Any = None,
    cost: Any = "euclidean",
    mass: Mass = "unit",
    solver: Solver = "auto",
    tol: float | int | None = None,
    max_iterations: int | None = None,
) -> RobustTransport:
    """Transport between samples whose masses may move inside a ball, so that outliers may be left behind.

        min Σ c_ij P_ij   s.t.  P ≥ 0,  Σ P = 1,  P1 = ã with D(ã‖a) ≤ rho,  Pᵀ1 = b̃ with D(b̃‖b) ≤ rho_y.

    Args:
        x: points `(n, d)`, tensor or array.
        y: points `(m, d)`.
        rho: radius of a chi-square ball around the masses of `x`: `E (W − 1)²/2 ≤ rho`; see `rho_for`.
        chi2: the other convention, `Σ (ã − a)²/a ≤ chi2`; twice `rho`.
        ball: any ball around the masses of `x`. Of `rho`, `chi2` and `ball` give one; without any the masses are held.
        rho_y: the same around the masses of `y`. At least one side needs a ball, and the balls of both sides must be
            of one kind: both of {chi-square, Kullback-Leibler} or both of {total variation, CVaR}.
        chi2_y: `2 rho_y`.
        ball_y: any ball around the masses of `y`.
        a: masses of `x`, uniform by default.
        b: masses of `y`.
        cost: `"euclidean"`, `"sqeuclidean"`, or a matrix `(n, m)`.
        mass: `"free"` leaves `Σ P = 1` out where both sides have a ball, as a published solver does: then mass may
            stay where it is, and a radius `chi2 ≥ 1` makes the cost 0.
        solver: `"interior-point"` (exact; also the linear programs of the total-variation and CVaR balls),
            `"entropic"` (approximate, in blocks, for what memory does not hold), or `"auto"`, which is the exact one.
        tol: relative gap to certify; 1e-6, above a million pairs 1e-5, for the entropic solver 1e-2.
        max_iterations: of the interior point; 200.

    Raises:
        UserError: the problem is none, or too large for memory.

    Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862 (the problem).
    """
    ball_x, ball_y = ball_of(ball, rho, chi2), ball_of(ball_y, rho_y, chi2_y, "_y")
    if ball_x is None and ball_y is None:
        raise UserError(
            "No ball is given; give rho, chi2 or ball (how far the masses of x may move), or use "
            "saddle.transport.balanced."
        )
    if is_linear(ball_x) != is_linear(ball_y) and ball_x is not None and ball_y is not None:
        raise UserError(
            f"A {ball_x.name} ball on one side and a {ball_y.name} ball on the other are not solved together; give both "
            "sides balls of {chi-square, kullback-leibler} or both of {total-variation, cvar}."
        )
    problem = transport_problem(x, y, a=a, b=b, cost=cost, ball_x=ball_x, ball_y=ball_y, mass=mass)
    return solve_problem(problem, solver=solver, tol=tol, max_iterations=max_iterations)


def solve_problem(
    problem: TransportProblem,
    *,
    solver: Solver = "auto",
    tol: float | int | None = None,
    max_iterations: int | None = None,
) -> RobustTransport:
    """Solve a checked problem; see `robust`."""
    if solver not in ("auto", "interior-point", "entropic"):
        raise UserError(f"The solver {solver!r} is unknown; it is 'auto', 'interior-point' or 'entropic'.")
    if solver == "entropic":
        from saddle.transport import entropic

        return entropic(problem, tol=tol, max_iterations=max_iterations)
    n, m = problem.shape
    if tol is None:
        tol = 1e-6 if n * m <= LARGE else 1e-5
    if not 0 < tol < 1:
        raise UserError(f"tol is {tol!r}; it is a relative gap between 0 and 1, for example 1e-6.")
    if max_iterations is not None and max_iterations < 1:
        raise UserError(f"max_iterations is {max_iterations}; at least 1 is needed.")
    check_memory(n, m)
    began = time.perf_counter()
    return _exact(problem, float(tol), max_iterations or 200, began)


def _exact(problem: TransportProblem, tol: float, max_iterations: int, began: float) -> RobustTransport:
    kept_x, kept_y = problem.a > 0, problem.b > 0
    a, b = problem.a[kept_x], problem.b[kept_y]
    cost = problem.cost
    if not (kept_x.all() and kept_y.all()):
        cost = np.ascontiguousarray(cost[np.ix_(kept_x, kept_y)])
    scale = float(np.median(np.abs(cost))) or float(np.abs(cost).mean()) or 1.0
    cost = cost / scale
    free = problem.mass == "free"
    ball_x, ball_y = _effective(problem.ball_x, len(a), free), _effective(problem.ball_y, len(b), free)
    swapped = False
    if is_linear(ball_x) and is_linear(ball_y):
        upper, lower, status, iterations, solver = _linear(cost, a, b, ball_x, ball_y, tol)
    else:
        swapped = len(a) < len(b)
        if swapped:
            a, b, ball_x, ball_y, cost = b, a, ball_y, ball_x, np.ascontiguousarray(cost.T)
        found = interior_point(
            cost, a, b, ball_x, ball_y, free=free, tol=tol, floor=FLOOR, max_iterations=max_iterations
        )
        upper, lower, status = found.upper, found.lower, found.status
        iterations, solver = found.iterations, "interior point"
    if status is TransportStatus.CERTIFIED and tol < RESOLUTION:
        status = TransportStatus.STALLED
    return answer(
        problem,
        upper,
        lower,
        status,
        iterations,
        solver,
        scale=scale,
        swapped=swapped,
        tol=tol,
        seconds=time.perf_counter() - began,
    )


def _linear(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray, ball_x: Ball | None, ball_y: Ball | None, tol: float
) -> tuple[Upper, Lower, TransportStatus, int, str]:
    found = linear_flow(cost, a, b, ball_x, ball_y)
    lower = lower_bound(found.potential, cost, a, b, ball_x, ball_y)
    upper = upper_bound(found.plan, cost, a, b, ball_x, ball_y)
    if upper.value - lower.value <= tol * max(abs(upper.value), FLOOR):
        status = TransportStatus.CERTIFIED
    else:
        status = TransportStatus.STALLED if found.finished else TransportStatus.EXHAUSTED
    return upper, lower, status, found.iterations, found.solver


def _effective(ball: Ball | None, count: int, free: bool) -> Ball | None:
    """None for a ball without room: radius 0, or a single sample that must carry all mass."""
    if ball is None or (count == 1 and not free):
        return None
    return ball if (ball.share if isinstance(ball, CvarBall) else ball.rho) > 0 else None  # type: ignore[attr-defined]


def answer(
    problem: TransportProblem,
    upper: Upper,
    lower: Lower,
    status: TransportStatus,
    iterations: int,
    solver: str,
    *,
    scale: float,
    swapped: bool,
    tol: float,
    seconds: float,
) -> RobustTransport:
    """Undo scaling and swapping, and put the samples without mass back."""
    plan, weights = upper.plan, [upper.weights_x, upper.weights_y]
    potentials = [lower.f * scale, lower.g * scale]
    gradients = [lower.support_x.by_mass * scale, lower.support_y.by_mass * scale]
    if swapped:
        plan = plan.T
        for pair in (weights, potentials, gradients):
            pair.reverse()
    kept_x, kept_y = problem.a > 0, problem.b > 0
    if not (kept_x.all() and kept_y.all()):
        full = np.zeros(problem.shape)
        full[np.ix_(kept_x, kept_y)] = plan
        plan = full
        weights = [_spread(values, kept, 1.0) for values, kept in zip(weights, (kept_x, kept_y), strict=True)]
        gradients = [
            _spread(values, kept, 0.0) for values, kept in zip(gradients, (kept_x, kept_y), strict=True)
        ]
        # A sample without mass has the largest potential that is feasible.
        f = _spread(potentials[0], kept_x, 0.0)
        f[~kept_x] = np.min(problem.cost[np.ix_(~kept_x, kept_y)] - potentials[1], axis=1, initial=np.inf)
        g = np.min(problem.cost - f[:, None], axis=0)
        g[kept_y] = potentials[1]
        potentials = [f, g]
    return RobustTransport(
        status=status,
        upper=upper.value * scale,
        lower=lower.value * scale,
        tol=tol,
        iterations=iterations,
        solver=solver,
        weights_x=weights[0],
        weights_y=weights[1],
        potential_x=potentials[0],
        potential_y=potentials[1],
        plan=np.ascontiguousarray(plan),
        gradient_a=gradients[0],
        gradient_b=gradients[1],
        floor=FLOOR * scale,
        seconds=seconds,
    )


def _spread(values: np.ndarray, kept: np.ndarray, rest: float) -> np.ndarray:
    full = np.full(len(kept), rest)
    full[kept] = values
    return full
