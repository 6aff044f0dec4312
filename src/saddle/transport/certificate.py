"""Bounds that hold whatever a solver did: a feasible plan from above, feasible potentials from below."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.transport.balls import Ball, ChiSquareBall, CvarBall, KullbackLeiblerBall, TotalVariationBall
from saddle.transport.support import Support, support

__all__ = [
    "Lower",
    "Upper",
    "divergence",
    "inside",
    "lower_bound",
    "rounded",
    "upper_at",
    "upper_bound",
    "upper_from_dual",
]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Lower:
    """Potentials with `f_i + g_j ≤ c_ij` and their dual objective `s_a(f) + s_b(g)`."""

    value: float
    f: np.ndarray
    g: np.ndarray
    support_x: Support
    support_y: Support


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Upper:
    """A plan whose marginals lie in their balls, and its cost."""

    value: float
    plan: np.ndarray
    weights_x: np.ndarray
    weights_y: np.ndarray


def lower_bound(
    f: np.ndarray,
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    ball_x: Ball | None,
    ball_y: Ball | None,
    *,
    free: bool = False,
) -> Lower:
    """The dual objective at `f` after two c-transforms, `g_j = min_i c_ij − f_i` and `f_i = min_j c_ij − g_j`.

    Both can only raise it: s is monotone.
    """
    if not free:
        # A constant may move between f and g; one that is large beside the costs would cost the digits of the bound.
        f = f - np.median(f)
    g = np.min(cost - f[:, None], axis=0)
    f = np.min(cost - g, axis=1)
    first, second = support(f, a, ball_x, free=free), support(g, b, ball_y, free=free)
    return Lower(value=first.value + second.value, f=f, g=g, support_x=first, support_y=second)


def divergence(weights: np.ndarray, a: np.ndarray, ball: Ball) -> float:
    """`E φ(W)` of the ball's divergence."""
    if isinstance(ball, ChiSquareBall):
        return float(a @ (weights - 1) ** 2) / 2
    if isinstance(ball, KullbackLeiblerBall):
        positive = np.where(weights > 0, weights, 1.0)
        return float(a @ (weights * np.log(positive) - weights + 1))
    assert isinstance(ball, TotalVariationBall)
    return float(a @ np.abs(weights - 1)) / 2


def inside(weights: np.ndarray, a: np.ndarray, ball: Ball | None) -> float:
    """The largest share `t` with `1 + t (W − 1)` inside the ball; 0 where the side is held."""
    if ball is None:
        return 0.0
    if isinstance(ball, CvarBall):
        above = float(np.max(weights)) - 1
        return 1.0 if above <= 0 else min(1.0, ball.share / (1 - ball.share) / above)
    spent, rho = divergence(weights, a, ball), float(ball.rho)  # type: ignore[attr-defined]
    if spent <= rho:
        return 1.0
    if isinstance(ball, ChiSquareBall):
        return (rho / spent) ** 0.5 * (1 - 1e-15)
    if isinstance(ball, TotalVariationBall):
        return rho / spent * (1 - 1e-15)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if divergence(1 + middle * (weights - 1), a, ball) <= rho:
            low = middle
        else:
            high = middle
    return low


def upper_bound(
    plan: np.ndarray,
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    ball_x: Ball | None,
    ball_y: Ball | None,
    *,
    free: bool = False,
) -> Upper:
    """A feasible plan near `plan`, which it overwrites, and its cost.

    The weights of its marginals are pulled towards 1 until they lie in their balls; the plan is rounded to these
    marginals (Altschuler, Weed & Rigollet 2017, algorithm 2).
    """
    rows, columns = plan.sum(axis=1), plan.sum(axis=0)
    if not free:
        rows /= rows.sum()
        columns /= columns.sum()
    w, v = rows / a, columns / b
    if free and ball_x is not None and ball_y is not None:
        # One share for both sides keeps their masses equal.
        share_x = share_y = min(inside(w, a, ball_x), inside(v, b, ball_y))
    else:
        share_x, share_y = inside(w, a, ball_x), inside(v, b, ball_y)
    w, v = 1 + share_x * (w - 1), 1 + share_y * (v - 1)
    return upper_at(plan, cost, a, b, w, v)


def upper_at(
    plan: np.ndarray, cost: np.ndarray, a: np.ndarray, b: np.ndarray, w: np.ndarray, v: np.ndarray
) -> Upper:
    """The bound at weights that are feasible; overwrites `plan`."""
    rounded(plan, a * w, b * v)
    return Upper(value=float(np.vdot(cost, plan)), plan=plan, weights_x=w, weights_y=v)


def upper_from_dual(
    plan: np.ndarray,
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    ball_x: Ball | None,
    ball_y: Ball | None,
    lower: Lower,
) -> Upper:
    """The bound at the weights that attain the dual objective; overwrites `plan`.

    They leave a far outlier no mass at all where the radius just allows it, while weights pulled towards 1 by a rounding
    error leave some, times its cost.
    """
    weights = []
    for attained, masses, ball in (
        (lower.support_x.weights, a, ball_x),
        (lower.support_y.weights, b, ball_y),
    ):
        even = attained / float(masses @ attained)
        weights.append(1 + inside(even, masses, ball) * (even - 1))
    return upper_at(plan, cost, a, b, *weights)


def rounded(plan: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> None:
    """Give `plan` these marginals, in place: scale rows and columns down to them, spread what is missing."""
    for axis, target in ((1, rows), (0, columns)):
        present = plan.sum(axis=axis)
        factors = np.minimum(1.0, target / np.where(present > 0, present, 1.0))
        plan *= factors[:, None] if axis == 1 else factors
    lacking_rows = np.maximum(rows - plan.sum(axis=1), 0.0)
    lacking_columns = np.maximum(columns - plan.sum(axis=0), 0.0)
    missing = lacking_rows.sum()
    if missing > 0:
        plan += np.outer(lacking_rows, lacking_columns / max(lacking_columns.sum(), 1e-300))
