"""Exact solvers of the balanced transportation problem, found where they are well kept: POT and HiGHS."""

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack

from saddle.errors import UserError

__all__ = ["Flow", "least_cost_flow"]

HIGHS_PAIRS = 500_000
"HiGHS takes 5 s for 500 x 500 samples, and did not end within two minutes for 1,000 x 1,000."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Flow:
    """A plan with the potentials of its rows, as a solver left them; nothing is certified yet."""

    plan: np.ndarray
    potential: np.ndarray
    finished: bool
    solver: str
    iterations: int


def least_cost_flow(cost: np.ndarray, a: np.ndarray, b: np.ndarray) -> Flow:
    """Solve `min Σ c_ij P_ij, P1 = a, Pᵀ1 = b, P ≥ 0` for positive masses of equal sums.

    By the network simplex of POT (the extra `transport`; Bonneel et al. 2011) where it is installed, which is one to
    two orders of magnitude faster than the dual simplex of HiGHS, which comes with SciPy.
    """
    b = b * (a.sum() / b.sum())
    return network_simplex(cost, a, b) if find_spec("ot") else linear_program(cost, a, b)


def network_simplex(cost: np.ndarray, a: np.ndarray, b: np.ndarray) -> Flow:
    """POT's `emd`."""
    import ot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # An unfinished run is data here: `finished`.
        plan, log = ot.emd(a, b, cost, numItermax=100_000_000, log=True)
    finished = log["warning"] is None
    return Flow(
        plan=plan, potential=log["u"], finished=finished, solver="network simplex (POT)", iterations=0
    )


def linear_program(cost: np.ndarray, a: np.ndarray, b: np.ndarray) -> Flow:
    """HiGHS on the transportation linear program, its matrix sparse.

    Raises:
        UserError: it would take many minutes.
    """
    n, m = cost.shape
    if n * m > HIGHS_PAIRS:
        raise UserError(
            f"A linear program of {n} x {m} nodes takes SciPy's solver minutes to hours; install POT, whose network "
            "simplex takes seconds (pip install 'saddle-minmax[transport]'), or use saddle.transport.entropic."
        )
    rows = kron(eye_array(n), np.ones((1, m)))
    columns = kron(np.ones((1, n)), eye_array(m))
    found = linprog(
        cost.ravel(),
        A_eq=vstack([rows, columns], format="csr"),
        b_eq=np.concatenate([a, b]),
        bounds=(0, None),
        method="highs",
    )
    if found.x is None:
        plan, potential = np.outer(a, b) / a.sum(), np.zeros(n)
    else:
        plan, potential = found.x.reshape(n, m), found.eqlin.marginals[:n]
    return Flow(
        plan=plan, potential=potential, finished=found.status == 0, solver="HiGHS", iterations=int(found.nit)
    )
