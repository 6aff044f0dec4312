"""Balanced optimal transport, certified like the robust one."""

from typing import Any

from saddle.transport.problem import transport_problem
from saddle.transport.solution import RobustTransport
from saddle.transport.solve import solve_problem

__all__ = ["balanced"]


def balanced(
    x: Any = None,
    y: Any = None,
    *,
    a: Any = None,
    b: Any = None,
    cost: Any = "euclidean",
    tol: float | int = 1e-9,
) -> RobustTransport:
    """Optimal transport with both marginals held:

        min Σ c_ij P_ij   s.t.  P ≥ 0,  P1 = a,  Pᵀ1 = b.

    By the network simplex of POT (the extra `transport`) where it is installed, else by HiGHS; the potentials are
    checked and give the lower bound. Arguments as in `robust`.

    Raises:
        UserError: the problem is none, or too large for memory.
    """
    return solve_problem(transport_problem(x, y, a=a, b=b, cost=cost), tol=tol)
