"""The robust mean of scores and the sample weights that attain it, exact for every ball, in closed form or one root."""

from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from saddle.errors import UserError
from saddle.transport.balls import (
    Ball,
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
)
from saddle.transport.weighting_chi_square import chi_square_weights
from saddle.transport.weighting_kullback_leibler import kullback_leibler_weights
from saddle.transport.weighting_trim import cvar_weights, total_variation_weights

__all__ = ["ball_from", "robust_mean", "weights"]

Scores = TypeVar("Scores", Tensor, np.ndarray)
"What came in comes out: a tensor or an array."


def weights(
    scores: Scores,
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
    base: Tensor | np.ndarray | None = None,
) -> Scores:
    """The sample weights under which the mean score is least: a high score is a light weight.

        W = argmin { E[W f] : W ≥ 0, E W = 1, W in the ball },    E = Σ base_i …

    exact for all four balls: chi-square (`rho` or `chi2` is short for it) by one sort, `W = (t − f)₊ / E(t − f)₊`;
    Kullback-Leibler by one root, `W = exp(−θf) / E exp(−θf)`; total variation and CVaR by one sort. Where several `W`
    attain the minimum, equal scores get equal weights.

    Args:
        scores: `(…, n)`; the last axis holds the samples, axes before it a fleet of separate problems. Computed in
            float64 whatever the type (float32 where the device has no float64).
        rho: bound on `E (W − 1)²/2`; give exactly one of rho, chi2 and ball.
        chi2: bound on `E (W − 1)²`, twice rho.
        ball: any ball of `saddle.transport`.
        base: masses of the samples, `(n,)` or `(…, n)`, not negative, of sum 1; equal when left out. A sample without
            mass gets the weight of its score and counts for nothing.

    Returns:
        `W` with the shape, type and device of the scores. Tensors are differentiable by the scores and by base, with
        exact first derivatives (the weights of the total-variation and CVaR balls are constant in the small, so their
        derivative by the scores is zero).

    Raises:
        UserError: a radius that is missing, given twice or negative; no samples; an array with NaN or infinite scores;
            masses that are negative or do not sum to 1. A *tensor* of scores is a step of a training loop: its values
            are not checked, as this would wait for the accelerator, and a row with NaN or infinity gets weights NaN
            while the other rows keep theirs. Masses on an accelerator are not checked either.

    Source: the dual of Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, solved in closed form.
    """
    chosen = ball_from(rho=rho, chi2=chi2, ball=ball)
    f, p = _prepared(scores, base)
    return _like(scores, _solve(f, p, chosen))


def robust_mean(
    scores: Scores,
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
    base: Tensor | np.ndarray | None = None,
) -> Scores:
    """The least mean score over the ball, `s(f) = min { E[W f] : W ≥ 0, E W = 1, W in the ball }`.

    For the chi-square ball `s(f) = max_t t − sqrt((1 + chi2) E(t − f)₊²)`, which is `E f − sqrt(chi2 Var f)` while no
    weight is clipped. For the CVaR ball it is the mean of the lowest `1 − share` of the scores.

    Arguments, types and errors are those of `weights`. Returns `(…,)`, one mean a row. The gradient by the scores is
    `base · W` (the envelope theorem: the weights need no derivative).
    """
    chosen = ball_from(rho=rho, chi2=chi2, ball=ball)
    f, p = _prepared(scores, base)
    w = _solve(f.detach(), p, chosen)
    value = (p * w * f.detach()).sum(-1)
    if f.requires_grad:
        value = value + ((p * w).detach() * (f - f.detach())).sum(-1)
    return _like(scores, value)


def ball_from(
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
    side: str = "",
) -> Ball:
    """The one ball that was named: `ball` itself, or the chi-square ball of radius `rho` or `chi2`.

    Raises:
        UserError: none or more than one was given; `side` ends the arguments' names in the message (`"_y"`).
    """
    given = {"rho": rho, "chi2": chi2, "ball": ball}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise UserError(
            f"A radius must be given by exactly one of rho{side}, chi2{side} (= 2 rho{side}) and ball{side}, but "
            f"{' and '.join(name + side for name in named) or 'none'} came; rho_for(share) gives the radius that removes "
            "a share of outliers."
        )
    if ball is not None:
        return ball
    return (
        ChiSquareBall(rho=rho) if rho is not None else ChiSquareBall(chi2=chi2 if chi2 is not None else 0.0)
    )


def _solve(f: Tensor, p: Tensor, ball: Ball) -> Tensor:
    match ball:
        case ChiSquareBall():
            w = chi_square_weights(f, p, ball.chi2)
        case KullbackLeiblerBall():
            w = kullback_leibler_weights(f, p, ball.rho)
        case TotalVariationBall():
            w = total_variation_weights(f, p, ball.rho)
        case CvarBall():
            w = cvar_weights(f, p, ball.share)
        case _:
            raise UserError(
                f"Weights are known for the four balls of saddle.transport, not for {type(ball).__name__}; use "
                "ChiSquareBall, KullbackLeiblerBall, TotalVariationBall or CvarBall."
            )
    # Adds 0, or NaN to a whole row that holds a NaN or an infinity.
    return w + (0.0 * f).sum(-1, keepdim=True)


def _prepared(scores: Tensor | np.ndarray, base: Tensor | np.ndarray | None) -> tuple[Tensor, Tensor]:
    """Scores and masses in float64, the masses of sum 1."""
    if not isinstance(scores, Tensor | np.ndarray):
        raise UserError(
            f"The scores are of the type {type(scores).__name__}; give a NumPy array or a tensor, as np.asarray(scores)."
        )
    if isinstance(scores, np.ndarray) and scores.dtype.kind not in "fiub":
        raise UserError(f"The scores have the type {scores.dtype}; they must be real numbers.")
    if isinstance(scores, np.ndarray) and not np.isfinite(scores).all():
        raise UserError(
            f"{np.count_nonzero(~np.isfinite(scores))} of {scores.size} scores are NaN or infinite, and no weight follows "
            "from those; remove these samples or mend their scores."
        )
    f = (
        scores
        if isinstance(scores, Tensor)
        else torch.from_numpy(np.ascontiguousarray(scores, dtype=np.float64))
    )
    if f.ndim == 0 or f.shape[-1] == 0:
        raise UserError(
            f"The scores have the shape {tuple(f.shape)}; the last axis must hold one or more samples."
        )
    # Apple's accelerator has no float64.
    f = f.to(torch.float32 if f.device.type == "mps" else torch.float64)
    if base is None:
        return f, torch.full((f.shape[-1],), 1 / f.shape[-1], dtype=f.dtype, device=f.device)
    p = base if isinstance(base, Tensor) else torch.from_numpy(np.ascontiguousarray(base, dtype=np.float64))
    p = p.to(device=f.device, dtype=f.dtype)
    if p.shape not in (f.shape[-1:], f.shape):
        raise UserError(
            f"The masses have the shape {tuple(p.shape)} and the scores {tuple(f.shape)}; give one mass a sample."
        )
    total = p.sum(-1, keepdim=True)
    if p.device.type == "cpu":
        if not bool((p >= 0).all()):
            raise UserError(
                "A mass in base is negative or NaN; masses are shares of the samples, 0 or larger."
            )
        if not bool(((total - 1).abs() <= 1e-5).all()):
            worst = float(total.flatten()[(total - 1).abs().flatten().argmax()])
            raise UserError(
                f"The masses in base sum to {worst:.8g}; they must sum to 1: divide them by their sum."
            )
    return f, p / total


def _like(scores: Tensor | np.ndarray, result: Tensor) -> Any:
    if isinstance(scores, Tensor):
        return result.to(scores.dtype) if scores.dtype.is_floating_point else result
    array = result.detach().cpu().numpy()
    return array.astype(scores.dtype, copy=False) if scores.dtype.kind == "f" else array
