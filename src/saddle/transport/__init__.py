"""Optimal transport and its robust relaxations, with certified values, sample weights and gradients."""

from typing import TYPE_CHECKING

from saddle import _lazy

if TYPE_CHECKING:
    from saddle.transport.balanced_transport import balanced as balanced
    from saddle.transport.balls import Ball as Ball
    from saddle.transport.balls import ChiSquareBall as ChiSquareBall
    from saddle.transport.balls import CvarBall as CvarBall
    from saddle.transport.balls import KullbackLeiblerBall as KullbackLeiblerBall
    from saddle.transport.balls import TotalVariationBall as TotalVariationBall
    from saddle.transport.balls import rho_for as rho_for
    from saddle.transport.contamination import contamination_bound as contamination_bound
    from saddle.transport.contamination import contamination_factor as contamination_factor
    from saddle.transport.contamination import residual_share as residual_share
    from saddle.transport.differentiable import robust_loss as robust_loss
    from saddle.transport.entropic_solver import entropic as entropic
    from saddle.transport.problem import TransportProblem as TransportProblem
    from saddle.transport.problem import transport_problem as transport_problem
    from saddle.transport.solution import NotCertifiedError as NotCertifiedError
    from saddle.transport.solution import RobustTransport as RobustTransport
    from saddle.transport.solution import TransportStatus as TransportStatus
    from saddle.transport.solve import robust as robust
    from saddle.transport.stochastic import TwoScalarWeights as TwoScalarWeights
    from saddle.transport.stochastic import two_scalar_objective as two_scalar_objective
    from saddle.transport.weighting import robust_mean as robust_mean
    from saddle.transport.weighting import weights as weights

_HOMES = {
    "balanced_transport": ("balanced",),
    "balls": (
        "Ball",
        "ChiSquareBall",
        "CvarBall",
        "KullbackLeiblerBall",
        "TotalVariationBall",
        "rho_for",
    ),
    "contamination": ("contamination_bound", "contamination_factor", "residual_share"),
    "entropic_solver": ("entropic",),
    "differentiable": ("robust_loss",),
    "problem": ("TransportProblem", "transport_problem"),
    "solution": ("NotCertifiedError", "RobustTransport", "TransportStatus"),
    "solve": ("robust",),
    "stochastic": ("TwoScalarWeights", "two_scalar_objective"),
    "weighting": ("robust_mean", "weights"),
}

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__, {name: home for home, names in _HOMES.items() for name in names}
)
