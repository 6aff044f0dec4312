"""Outliers as what a robust transport to a clean reference leaves behind."""

import warnings
from typing import Any, final

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from saddle.errors import UserError
from saddle.sklearn.detector import TransportDetector
from saddle.transport import (
    Ball,
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    RobustTransport,
    TotalVariationBall,
    rho_for,
    robust,
    weights,
)

__all__ = ["TransportOutlierDetector"]

BALLS = ("chi-square", "kullback-leibler", "total-variation", "cvar")


@final
class TransportOutlierDetector(TransportDetector):
    """Ranks samples by what it costs to keep them while `X` is transported to a clean reference `Y`.

    Solves, one-sided,

        min_{W ≥ 0, mean W = 1, D(W) ≤ rho}  min_{P: P1 = W/n, P'1 = 1/m}  Σ P_ij c(x_i, y_j),

    whose dual has a potential `f(x) = min_j c(x, y_j) − g_j` that is defined everywhere. The best weights fall as the
    potential rises, `W_i ∝ (t − f(x_i))₊`, so **score = −f(x)**; it also ranks the samples whose weight is 0. An
    outlier is expensive because it is far from the reference, *or* because there are more samples around it than the
    reference can take: clumps inside the support, which nearest neighbours and density miss. Scattered outliers are
    found somewhat better by nearest neighbours; look at both, and at `BalancedRowCostDetector`.

    Without a reference, the `1 − 2 contamination` (at least half) of `X` with the nearest neighbour number
    `⌈contamination n⌉ + 1` serves as one. Then only what lies apart from the rest is found: far points and far clumps,
    never an excess inside the support; and a rare kind of good samples, as light as the contamination, is flagged.

    Args:
        contamination (float): the share of `X` that does not belong, in (0, 0.5]; sets `rho` and the threshold.
        cost (str): "euclidean" or "sqeuclidean". Features should be on one scale: distances add them up.
        ball (str): which divergence `D` bounds: "chi-square" (`mean (W−1)²/2`), "kullback-leibler",
            "total-variation" or "cvar" (`W ≤ 1/(1 − rho)`).
        rho (float | None): its radius; None takes `saddle.transport.rho_for(contamination)`, the least that can drop
            the share wholly.
        solver (str): see `saddle.transport.robust`.
        tol (float): likewise.
        max_iterations (int | None): likewise.
        max_size (int): a side with more samples is drawn down to so many (without replacement) for the problem that
            is solved; all samples are scored through the potential. The solver's memory grows with the product of
            both sides and its time with the third power.
        random_state (int | None): seed of that draw; the result is the same for the same seed.

    Attributes:
        potentials_: `f` at the samples of `fit`, up to the constant that makes `g` zero on average.
        weights_: `W` at the samples of `fit`, 1 on average: the best weights for these potentials.
        transport_: the solved problem with its certified gap; `sample_indices_` are its rows, `reference_` its `Y`.
        rho_: the radius used.
        offset_: scores below it are outliers: the quantile `contamination` of the scores of `fit`.

    Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862 (the problem).
    """

    # No annotations: scikit-learn wants whatever it is given kept as it is, and checked by `fit`.
    def __init__(
        self,
        contamination=0.1,
        *,
        cost="euclidean",
        ball="chi-square",
        rho=None,
        solver="auto",
        tol=1e-4,
        max_iterations=None,
        max_size=1000,
        random_state=0,
    ) -> None:
        self.contamination = contamination
        self.cost = cost
        self.ball: Any = ball
        self.rho = rho
        self.solver: Any = solver
        self.tol = tol
        self.max_iterations = max_iterations
        self.max_size = max_size
        self.random_state = random_state

    def _solve(self, x: np.ndarray, y: np.ndarray) -> RobustTransport:
        if self.ball not in BALLS:
            raise UserError(f"ball is {self.ball!r}; choose one of {', '.join(map(repr, BALLS))}.")
        self.rho_ = rho_for(self.contamination, ball=self.ball) if self.rho is None else float(self.rho)
        result = robust(
            x,
            y,
            ball=_ball(self.ball, self.rho_),
            cost=self.cost,
            solver=self.solver,
            tol=self.tol,
            max_iterations=self.max_iterations,
        )
        if not result.certified:
            warnings.warn(
                f"The transport cost is certified only to {result.gap:.2g} instead of {result.tol:.2g} "
                f"({result.status.value}); the ranking of nearly equal samples may be off. Ask for a larger tol.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return result

    def _scores(self, x: np.ndarray) -> np.ndarray:
        return -self._extended(x)[0]

    def _finish(self, x: np.ndarray) -> None:
        self.potentials_ = self._extended(x)[0]
        self.weights_ = np.asarray(weights(self.potentials_, ball=_ball(self.ball, self.rho_)))


def _ball(name: str, rho: float) -> Ball:
    if name == "chi-square":
        return ChiSquareBall(rho=rho)
    if name == "kullback-leibler":
        return KullbackLeiblerBall(rho=rho)
    if name == "total-variation":
        return TotalVariationBall(rho=rho)
    return CvarBall(share=rho)
