"""The contamination theorem: what of the outliers a ball of weights must leave, and what that costs."""

import math

from saddle.errors import UserError
from saddle.transport.balls import (
    Ball,
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
    rho_for,
)

__all__ = ["contamination_bound", "contamination_factor", "residual_share"]

BISECTIONS = 200


def residual_share(
    contamination: float | int,
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
) -> float:
    """The least share `g'` of outliers that weights in the ball can leave of the share `g` = contamination.

    With `P = (1 − g) Pc + g Po`, the weights that take `P` to `(1 − g') Pc + g' Po` are `(1 − g')/(1 − g)` on the clean
    part and `g'/g` on the outliers. Their divergence is that of a coin `g'` from a coin `g` (where the supports overlap
    it is no larger, by the data-processing inequality), so that `g'` is the least solution in `[0, g]` of

        chi-square         (g − g')²/(2 g (1 − g)) ≤ rho                     g' = (g − sqrt(2 rho g (1 − g)))₊
        kullback-leibler   g' log(g'/g) + (1 − g') log((1 − g')/(1 − g)) ≤ rho
        total-variation    g − g' ≤ rho                                      g' = (g − rho)₊
        cvar               (1 − g')/(1 − g) ≤ 1/(1 − share)                  g' = ((g − share)/(1 − share))₊

    It is 0 exactly from `rho_for(g, ball=…)` on. `rho` and `chi2` are short for a `ChiSquareBall`.

    Raises:
        UserError: the contamination is not in [0, 1), or not exactly one of rho, chi2 and ball is given.

    Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, for chi-square (recalled); derived in
    docs/theory/robust_transport.md for all four.
    """
    g, chosen = contamination, _one_ball(rho, chi2, ball)
    radius = _radius(chosen)
    if radius >= rho_for(g, ball=chosen.name):
        return 0.0
    if radius == 0:
        return float(g)
    if isinstance(chosen, ChiSquareBall):
        return max(0.0, g - math.sqrt(2 * radius * g * (1 - g)))
    if isinstance(chosen, KullbackLeiblerBall):
        return _kullback_leibler(g, radius)
    if isinstance(chosen, TotalVariationBall):
        return max(0.0, g - radius)
    assert isinstance(chosen, CvarBall), "_radius knows no other"
    return max(0.0, (g - radius) / (1 - radius))


def contamination_bound(
    contamination: float | int,
    *,
    clean: float | int,
    outliers: float | int,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
) -> float:
    """Upper bound on the robust transport cost from a contaminated `P` to `Q`, for any cost.

        OT_rob(P, Q) ≤ (1 − g') OT(Pc, Q) + g' OT(Po, Q),      g' = residual_share(g, …)

    `clean` is `OT(Pc, Q)` and `outliers` is `OT(Po, Q)`; `Q` is held. From the radius `rho_for(g)` on the bound is
    `OT(Pc, Q)`: the outliers cost nothing.

    Raises:
        UserError: as `residual_share`, or a cost that is not finite.

    Source: derived in docs/theory/robust_transport.md, with the residual share of Balaji, Chellappa & Feizi 2020.
    """
    left = residual_share(contamination, rho=rho, chi2=chi2, ball=ball)
    _check_finite(clean=clean, outliers=outliers)
    return (1 - left) * clean + left * outliers


def contamination_factor(
    contamination: float | int,
    *,
    ratio: float | int,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
) -> float:
    """By how much outliers can enlarge the robust 1-Wasserstein distance, at most: `1 + k g'`.

    With a metric as cost and `k` = ratio = `W1(Po, Pc) / W1(Pc, Q)`,

        OT_rob(P, Q) ≤ (1 + k g') W1(Pc, Q) = max(1, 1 + k g − k sqrt(2 rho g (1 − g))) W1(Pc, Q),

    the last for chi-square.

    Raises:
        UserError: as `residual_share`, or a ratio that is negative or not finite.

    Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, the theorem on contaminated distributions (recalled);
    derived in docs/theory/robust_transport.md.
    """
    left = residual_share(contamination, rho=rho, chi2=chi2, ball=ball)
    _check_finite(ratio=ratio)
    if ratio < 0:
        raise UserError(f"The ratio W1(Po, Pc) / W1(Pc, Q) is {ratio:g}; a ratio of distances is at least 0.")
    return 1 + ratio * left


def _radius(ball: Ball) -> float:
    """The ball's radius by the convention of `rho_for`: `rho`, or of a CVaR ball its share."""
    if isinstance(ball, ChiSquareBall | KullbackLeiblerBall | TotalVariationBall):
        return float(ball.rho)
    if isinstance(ball, CvarBall):
        return float(ball.share)
    raise UserError(
        f"{type(ball).__name__} is no ball of which the residual share is known; give one of saddle.transport."
    )


def _one_ball(rho: float | int | None, chi2: float | int | None, ball: Ball | None) -> Ball:
    given = [name for name, value in (("rho", rho), ("chi2", chi2), ("ball", ball)) if value is not None]
    if len(given) != 1:
        raise UserError(
            f"The ball was given by {' and '.join(given) or 'nothing'}; give exactly one of rho, chi2 and ball."
        )
    if rho is not None:
        return ChiSquareBall(rho=rho)
    if chi2 is not None:
        return ChiSquareBall(chi2=chi2)
    assert ball is not None
    return ball


def _kullback_leibler(g: float, rho: float) -> float:
    """The root of the binary divergence, which falls from −log(1 − g) > rho at 0 to 0 at g; good to 1e-8."""
    low, high = 0.0, g
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        divergence = middle * math.log(middle / g) + (1 - middle) * (math.log1p(-middle) - math.log1p(-g))
        low, high = (middle, high) if divergence > rho else (low, middle)
    return high


def _check_finite(**values: float | int) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise UserError(f"{name} is {value}; it must be a finite number.")
