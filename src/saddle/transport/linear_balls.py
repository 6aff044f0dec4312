"""Balls with flat sides as transport on a larger graph: total variation and CVaR, exactly.

Every side of the problem adds nodes to the transportation graph:

    held     sources a_i
    CVaR     sources a_i/(1 − g), and a sink of capacity g/(1 − g) that takes what is trimmed, at cost 0
    TV       sources a_i, a sink of capacity rho that takes what leaves its sample, at cost 0, and a source of mass rho
             that serves y_j from the nearest x_i at cost min_i c_ij; new mass that is not needed goes from this source
             to this sink at cost 0

and the same mirrored for y. What y trims is served by a source at cost 0. With costs ≥ 0 (the shipped mass is 1, so a
constant shifts the value only) sending from that source to the sink of x never pays: it would ship more than 1.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from saddle.transport.balanced_solvers import Flow, least_cost_flow
from saddle.transport.balls import Ball, CvarBall, TotalVariationBall

__all__ = ["is_linear", "linear_flow"]


def is_linear(ball: Ball | None) -> bool:
    """Whether the ball is a polytope (or the side is held)."""
    return ball is None or isinstance(ball, CvarBall | TotalVariationBall)


@final
@dataclass(frozen=True, kw_only=True)
class Nodes:
    """What one side adds: the factor of its masses, the mass of its dump, and the mass that may appear anew."""

    factor: float = 1.0
    dump: float = 0.0
    new: float = 0.0


def nodes_of(ball: Ball | None) -> Nodes:
    if isinstance(ball, CvarBall):
        kept = 1 - float(ball.share)
        return Nodes(factor=1 / kept, dump=float(ball.share) / kept)
    if isinstance(ball, TotalVariationBall):
        moved = min(float(ball.rho), 1.0)
        return Nodes(dump=moved, new=moved)
    assert ball is None
    return Nodes()


def linear_flow(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray, ball_x: Ball | None, ball_y: Ball | None
) -> Flow:
    """Solve for positive masses and balls that are polytopes; the plan is between the samples, not the added nodes."""
    x, y = nodes_of(ball_x), nodes_of(ball_y)
    if not (x.dump or y.dump):
        return least_cost_flow(cost, a, b)
    n, m = cost.shape
    costs = cost - cost.min()
    # Rows: samples, new mass of x, what serves the trimmed mass of y. Columns: samples, new mass of y, dump of x.
    wide = np.zeros((n + 2, m + 2))
    wide[:n, :m] = costs
    wide[n, :m] = costs.min(axis=0)
    wide[:n, m] = costs.min(axis=1)
    wide[n + 1, m + 1] = 1 + costs.max()
    sources = np.concatenate([a * x.factor, [x.new, y.dump]])
    sinks = np.concatenate([b * y.factor, [y.new, x.dump]])
    rows, columns = np.flatnonzero(sources), np.flatnonzero(sinks)
    found = least_cost_flow(np.ascontiguousarray(wide[np.ix_(rows, columns)]), sources[rows], sinks[columns])
    flow = np.zeros_like(wide)
    flow[np.ix_(rows, columns)] = found.plan
    # New mass of x sits on the sample nearest to what it serves, new mass of y on the one nearest to what it takes.
    plan = flow[:n, :m].copy()
    np.add.at(plan, (costs.argmin(axis=0), np.arange(m)), flow[n, :m])
    np.add.at(plan, (np.arange(n), costs.argmin(axis=1)), flow[:n, m])
    plan[np.unravel_index(costs.argmin(), costs.shape)] += flow[n, m]
    return Flow(
        plan=plan,
        potential=found.potential[:n],
        finished=found.finished,
        solver=found.solver,
        iterations=found.iterations,
    )
