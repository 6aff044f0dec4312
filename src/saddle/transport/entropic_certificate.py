"""Bounds of the transport cost from any pair of potentials: what an inexact solver knows for certain."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float64
from torch import Tensor

from saddle.transport.balls import Ball
from saddle.transport.entropic_costs import CostBlocks
from saddle.transport.weighting import robust_mean

__all__ = ["Lower", "Upper", "lower_bound", "upper_bound"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Lower:
    """A dual objective with the feasible potentials that attain it."""

    value: float
    f: Float64[Tensor, " n"]
    g: Float64[Tensor, " m"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Upper:
    """The cost of a feasible plan

    P_ij = exp(left_i + right_j − c_ij/ε) + rest_i rest_j'.
    """

    value: float
    rounding: float
    "What the product of the rests costs of it."
    eps: float
    left: Float64[Tensor, " n"]
    right: Float64[Tensor, " m"]
    rest_x: Float64[Tensor, " n"]
    rest_y: Float64[Tensor, " m"]
    weights_x: Float64[Tensor, " n"]
    weights_y: Float64[Tensor, " m"]

    def plan(self, costs: CostBlocks) -> Float64[Tensor, "n m"]:
        """The plan as one matrix."""
        plan = torch.outer(self.rest_x, self.rest_y)
        for rows, part, _ in costs.plan_rows(self.left, self.right, self.eps):
            plan[rows] += part
        return plan


def lower_bound(
    costs: CostBlocks,
    f: Float64[Tensor, " n"],
    a: Float64[Tensor, " n"],
    b: Float64[Tensor, " m"],
    ball_x: Ball | None,
    ball_y: Ball | None,
) -> Lower:
    """`s_a(f) + s_b(g)` for the potentials `g = f^c`, `f = g^c`: feasible (`f_i + g_j ≤ c_ij`) whatever `f` came.

    `s` is the robust mean over the side's ball, or the mean where the side is held. The second transform only raises
    `f`, and the robust mean is monotone.
    """
    # A sample without mass must not press the others' potentials down.
    g = costs.hard_columns(torch.where(a > 0, f, -torch.inf))
    f = costs.hard_rows(torch.where(b > 0, g, -torch.inf))
    g = torch.minimum(g, costs.hard_columns(f)) if bool((a == 0).any()) else g
    return Lower(value=_mean(f, a, ball_x) + _mean(g, b, ball_y), f=f, g=g)


def upper_bound(
    costs: CostBlocks,
    f: Float64[Tensor, " n"],
    g: Float64[Tensor, " m"],
    eps: float,
    a: Float64[Tensor, " n"],
    b: Float64[Tensor, " m"],
    log_w: Float64[Tensor, " n"],
    log_v: Float64[Tensor, " m"],
) -> Upper:
    """The cost of the plan `a_i b_j exp((f_i + g_j − c_ij)/ε)` rounded to the marginals `a W` and `b V` exactly.

    Rows, then columns, that ship too much are scaled down; what is missing then goes out as a product of the two rests.

    Source: Altschuler, Weed & Rigollet 2017, arXiv 1705.09634, algorithm 2.
    """
    w, v, log_a, log_b = log_w.exp(), log_v.exp(), a.log(), b.log()
    row, column = a * w, b * v
    # Row sums are a exp((f − h)/ε) with the soft transform h of g; columns likewise, after the rows are scaled.
    shipped = (f - costs.soft_rows(g, log_b, eps, exact=True)) / eps
    f = f - eps * (shipped - log_w).clamp_min(0)
    shipped = (g - costs.soft_columns(f, log_a, eps, exact=True)) / eps
    g = g - eps * (shipped - log_v).clamp_min(0)
    rest_y = (column - b * torch.minimum(shipped.exp(), v)).clamp_min(0)
    rest_y = rest_y if float(rest_y.sum()) > 0 else column
    rest_y = rest_y / rest_y.sum()

    left, right = f / eps + log_a, g / eps + log_b
    sums, cross, cost = torch.empty_like(row), torch.empty_like(row), torch.zeros_like(row[0])
    for rows, part, c in costs.plan_rows(left, right, eps):
        sums[rows], cross[rows] = part.sum(1), c @ rest_y
        cost += (part * c).sum()
    rest_x = (row - sums).clamp_min(0)
    return Upper(
        value=float(cost + rest_x @ cross),
        rounding=float(rest_x @ cross),
        eps=eps,
        left=left,
        right=right,
        rest_x=rest_x,
        rest_y=rest_y,
        weights_x=w,
        weights_y=v,
    )


def _mean(scores: Tensor, masses: Tensor, ball: Ball | None) -> float:
    if ball is None:
        return float(masses @ scores)
    return float(robust_mean(scores, base=masses, ball=ball))
