"""Passes of the interior point over its matrices, compiled; each reads the plan and the slacks once.

`P` is the plan, `Z` the slacks, both (n, m) in C order; `df`, `dg` are changes of the potentials, so that the slacks
change by `dZ = −(df ⊕ dg)`. With `q = dZ/Z` the predictor of `P ∘ Z = 0` is `dP/P = −1 − q`, and the corrector of
`P ∘ Z = μ` after the predictor `q°` is `dP/P = μ/(PZ) − 1 + q°(1 + q°) − q`.
"""

from collections.abc import Callable
from typing import Any, no_type_check

import numba
import numpy as np

__all__ = ["advance", "assemble", "longest_step", "predict", "spread"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on the first call and keep the machine code, where there is a place to keep it."""
    options: Any = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz", "arcp"}}
    try:
        return numba.njit(**options, cache=True)(function)
    except RuntimeError:  # Numba's word for: no directory to write to
        return numba.njit(**options)(function)


@compiled
@no_type_check
def assemble(P, Z, k, A, d1, e, d2):
    """`Θ = P/Z`: row sums into `d1`, column sums into `d2`; `e = sqrt(d1 + k)`; `A = Θ/e` row by row."""
    n, m = P.shape
    for j in range(m):
        d2[j] = 0.0
    for i in range(n):
        total = 0.0
        for j in range(m):
            ratio = P[i, j] / Z[i, j]
            A[i, j] = ratio
            total += ratio
        d1[i] = total
        e[i] = np.sqrt(total + k[i])
        scale = 1.0 / e[i]
        for j in range(m):
            d2[j] += A[i, j]
            A[i, j] *= scale


@compiled
@no_type_check
def spread(P, Z, df, dg, rows, columns):
    """Row and column sums of `Θ (df ⊕ dg)`, without the cancellation of `Θ1 ∘ df + Θ dg`."""
    n, m = P.shape
    for j in range(m):
        columns[j] = 0.0
    for i in range(n):
        total, shift = 0.0, df[i]
        for j in range(m):
            value = P[i, j] / Z[i, j] * (shift + dg[j])
            total += value
            columns[j] += value
        rows[i] = total


@compiled
@no_type_check
def predict(P, Z, df, dg, rows_inverse, columns_inverse, rows_second, columns_second):
    """Sums for the step length, the centring and the corrector.

    Returns the smallest and largest `q`, `Σ P dZ` and `Σ P q dZ`; writes the row and column sums of `1/Z` and of
    `P q (1 + q)`.
    """
    n, m = P.shape
    lowest, highest, first, second = 0.0, 0.0, 0.0, 0.0
    for j in range(m):
        columns_inverse[j] = 0.0
        columns_second[j] = 0.0
    for i in range(n):
        row_inverse, row_second, shift = 0.0, 0.0, df[i]
        for j in range(m):
            dz = -(shift + dg[j])
            inverse = 1.0 / Z[i, j]
            q = dz * inverse
            lowest = min(lowest, q)
            highest = max(highest, q)
            p = P[i, j]
            first += p * dz
            second += p * q * dz
            bend = p * q * (1.0 + q)
            row_inverse += inverse
            row_second += bend
            columns_inverse[j] += inverse
            columns_second[j] += bend
        rows_inverse[i] = row_inverse
        rows_second[i] = row_second
    return lowest, highest, first, second


@compiled
@no_type_check
def longest_step(P, Z, df0, dg0, df, dg, mu):
    """The largest decrease of any entry of `P` and of `Z`, relative to the entry, along the corrected direction."""
    n, m = P.shape
    fall = 0.0
    for i in range(n):
        for j in range(m):
            inverse = 1.0 / Z[i, j]
            q0 = -(df0[i] + dg0[j]) * inverse
            q = -(df[i] + dg[j]) * inverse
            dp = mu * inverse / P[i, j] - 1.0 + q0 * (1.0 + q0) - q
            fall = max(fall, max(-dp, -q))
    return fall


@compiled
@no_type_check
def advance(P, Z, C, df0, dg0, df, dg, mu, step, rows, columns):
    """Move `P` and `Z`; write the row and column sums of `P`; return `Σ P Z` and `Σ C P`."""
    n, m = P.shape
    product, cost = 0.0, 0.0
    for j in range(m):
        columns[j] = 0.0
    for i in range(n):
        total = 0.0
        for j in range(m):
            inverse = 1.0 / Z[i, j]
            p = P[i, j]
            dz0 = -(df0[i] + dg0[j])
            dz = -(df[i] + dg[j])
            q0 = dz0 * inverse
            p += step * (mu * inverse + p * (q0 * (1.0 + q0) - 1.0 - dz * inverse))
            z = Z[i, j] + step * dz
            P[i, j] = p
            Z[i, j] = z
            product += p * z
            cost += p * C[i, j]
            total += p
            columns[j] += p
        rows[i] = total
    return product, cost
