"""The same robust transport problems for general conic solvers, written by us from the published description.

`scalars` is how the authors' discrete solver states its program: no row for unit mass, the raw costs, one scalar term a
sample in each ball, solved by SCS. `vectorised` states the program in matrix form with costs divided by their median,
which is the fair way to ask a conic solver.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

__all__ = ["Answer", "network_simplex", "scalars", "vectorised"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a rival said."""

    value: float | None
    status: str
    iterations: int | None
    solver_seconds: float | None = None
    "The solver's own time, without cvxpy's."


def _answered(problem: cp.Problem, scale: float, **options: Any) -> Answer:
    try:
        problem.solve(**options)
    except cp.error.SolverError as error:
        return Answer(value=None, status=f"failed: {str(error).splitlines()[0]}", iterations=None)
    stats = problem.solver_stats
    value = None if problem.value is None or not np.isfinite(problem.value) else float(problem.value) * scale
    return Answer(
        value=value, status=problem.status, iterations=stats.num_iters, solver_seconds=stats.solve_time
    )


def scalars(cost: np.ndarray, chi2: float, *, limit: float) -> Callable[[], Answer]:
    """Mass-free, two-sided, list of scalars, raw cost, SCS with its 100 000 iterations and default tolerances."""
    n, m = cost.shape

    def run() -> Answer:
        plan = cp.Variable((n, m))
        first, second = cp.Variable(n), cp.Variable(m)
        rules: list[Any] = [
            plan >= 0,
            first >= 0,
            second >= 0,
            cp.sum(plan, axis=1) == first,
            cp.sum(plan, axis=0) == second,
        ]
        rules.append(sum(cp.square(first[i] - 1 / n) * n for i in range(n)) <= chi2)
        rules.append(sum(cp.square(second[j] - 1 / m) * m for j in range(m)) <= chi2)
        problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(plan, cost))), rules)
        return _answered(problem, 1.0, solver=cp.SCS, max_iters=100_000, time_limit_secs=limit)

    return run


def vectorised(
    cost: np.ndarray, chi2: float, *, solver: str, unit: bool, limit: float, tol: float = 1e-6
) -> Callable[[], Answer]:
    """Two-sided, matrix form, costs divided by their median."""
    n, m = cost.shape
    scale = float(np.median(cost))

    def run() -> Answer:
        plan = cp.Variable((n, m), nonneg=True)
        rules: list[Any] = [
            cp.norm(np.sqrt(n) * (cp.sum(plan, axis=1) - 1 / n)) <= np.sqrt(chi2),
            cp.norm(np.sqrt(m) * (cp.sum(plan, axis=0) - 1 / m)) <= np.sqrt(chi2),
        ]
        if unit:
            rules.append(cp.sum(plan) == 1)
        problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(plan, cost / scale))), rules)
        if solver == cp.SCS:
            options: dict[str, Any] = {
                "max_iters": 100_000, "time_limit_secs": limit, "eps_abs": tol, "eps_rel": tol
            }  # fmt: skip
        else:
            options = {"time_limit": limit}
        return _answered(problem, scale, solver=solver, **options)

    return run


def network_simplex(cost: np.ndarray) -> Callable[[], Answer]:
    """POT's balanced transport on the same costs: what any transport costs at all."""
    import ot

    n, m = cost.shape

    def run() -> Answer:
        value = ot.emd2(np.full(n, 1 / n), np.full(m, 1 / m), cost, numItermax=10_000_000)
        return Answer(value=float(np.asarray(value)), status="optimal (balanced)", iterations=None)

    return run
