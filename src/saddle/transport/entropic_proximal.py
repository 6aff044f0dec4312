"""The half-step of the entropic solver: the weights in a ball nearest, in entropy, to what the other side asks for."""

import math
from collections.abc import Callable
from typing import Any, final

import torch
from jaxtyping import Float64
from scipy.optimize import brentq
from torch import Tensor

from saddle.transport.balls import (
    Ball,
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
)

__all__ = ["Proximal", "log_wright_omega"]


@final
class Proximal:
    """`log W` of `argmin { E[W h] + ε E[W log W] : E W = 1, W in the ball }`; zero without a ball.

    Without the ball's constraint active `W = exp(−h/ε)/E exp(−h/ε)`. Otherwise, by Lagrange,

        chi-square         W = ω((t − h)/ε) / E ω((t − h)/ε),    ω + log ω = z (Wright's function)
        kullback-leibler   W = exp(−θh) / E exp(−θh),            θ < 1/ε
        total variation    W = max(exp(u − h/ε), 1) + min(exp(v − h/ε), 1) − 1,   u < v
        cvar               W = min(exp(u − h/ε), 1/(1 − share))

    each with scalars that are the roots of monotone functions. As ε → 0 these are the weights of `weights`.
    """

    def __init__(self, masses: Float64[Tensor, " n"], ball: Ball | None) -> None:
        self._log_p, self._ball = masses.log(), ball
        self._last: float | None = None  # chi-square: the last t, where the next root is sought first

    def __call__(self, h: Float64[Tensor, " n"], eps: float) -> Float64[Tensor, " n"]:
        if self._ball is None:
            return torch.zeros_like(h)
        z, log_p = -h / eps, self._log_p
        free = z - torch.logsumexp(z + log_p, 0)
        match self._ball:
            case ChiSquareBall():
                guess = None if self._last is None else self._last / eps
                log, t = _chi_square(z, free, log_p, self._ball.chi2, guess)
                self._last = None if t is None else t * eps
                return log
            case KullbackLeiblerBall():
                return _kullback_leibler(z, free, log_p, self._ball.rho)
            case TotalVariationBall():
                return _total_variation(z, free, log_p, self._ball.rho)
            case CvarBall():
                return _cvar(z, free, log_p, self._ball.share)
        raise AssertionError(f"unknown ball {self._ball}")


def log_wright_omega(z: Float64[Tensor, "*shape"]) -> Float64[Tensor, "*shape"]:
    """`ℓ` with `ℓ + exp(ℓ) = z`, the logarithm of Wright's omega function.

    Newton on a convex increasing function from a point above the root falls to it monotonically.

    Source: Corless & Jeffrey 2002; the starting points are the two asymptotes of the function.
    """
    log = torch.where(z < 1, z, z.clamp_min(1.0).log())
    for _ in range(6):
        w = log.exp()
        log = log - (log + w - z) / (1 + w)
    return log


def _chi_square(
    z: Tensor, free: Tensor, log_p: Tensor, chi2: float | int, guess: float | None
) -> tuple[Tensor, float | None]:
    """`log W` and `t/ε`, None where the constraint is not active."""
    if chi2 == 0:
        return torch.zeros_like(z), None
    bound = math.log1p(chi2)
    if torch.logsumexp(2 * free + log_p, 0) <= bound:
        return free, None

    p, live = log_p.exp(), log_p > -math.inf
    mean = float((p * z).sum())
    deviation = float((p * (z - mean).square()).sum().sqrt())
    # ω is convex with slope below 1, so its relative deviation is at most deviation/ω(t + mean).
    top = deviation / math.sqrt(chi2)
    low, high = -float(z[live].max()) - 40.0, -mean + top + math.log(top) + 1.0
    t = top - mean if guess is None else guess
    for _ in range(100):
        t = t if low < t < high else (low + high) / 2
        log = log_wright_omega(t + z)
        first, second = log + log_p, 2 * log + log_p
        excess = float(torch.logsumexp(second, 0) - 2 * torch.logsumexp(first, 0)) - bound
        if abs(excess) < 1e-13:
            break
        low, high = (t, high) if excess > 0 else (low, t)
        if high - low <= 1e-14 * max(abs(t), 1.0):
            break
        # ω' = ω/(1 + ω): the slope of log E ω² − 2 log E ω is the difference of two means of 1/(1 + ω).
        flat = torch.sigmoid(-log)
        slope = 2 * float(torch.softmax(second, 0) @ flat - torch.softmax(first, 0) @ flat)
        t = t - excess / slope if slope < 0 else (low + high) / 2
    log = log_wright_omega(t + z)
    return log - torch.logsumexp(log + log_p, 0), t


def _kullback_leibler(z: Tensor, free: Tensor, log_p: Tensor, rho: float | int) -> Tensor:
    p = log_p.exp()

    def tilt(s: float) -> Tensor:
        return s * z - torch.logsumexp(s * z + log_p, 0)

    def divergence(log: Tensor) -> float:
        return float((p * (log.exp() * log - torch.expm1(log))).sum())

    if divergence(free) <= rho:
        return free
    if rho == 0:
        return torch.zeros_like(z)
    return tilt(math.exp(-_root(lambda u: divergence(tilt(math.exp(-u))) - rho, 0.0, 60.0)))


def _total_variation(z: Tensor, free: Tensor, log_p: Tensor, rho: float | int) -> Tensor:
    p = log_p.exp()
    if float((p * free.expm1().clamp_min(0)).sum()) <= rho:
        return free
    if rho == 0:
        return torch.zeros_like(z)
    live = z[log_p > -math.inf]
    low, high = float(live.min()), float(live.max())
    gained = _root(
        lambda u: rho - float((p * (z + u).clamp_max(700).expm1().clamp_min(0)).sum()),
        -high,
        -low + math.log1p(rho) + 1,
    )
    lost = _root(
        lambda v: float((p * -(z + v).clamp_max(0).expm1()).sum()) - rho,
        -high + math.log1p(-min(rho, 1 - 1e-16)) - 1,
        -low,
    )
    return (z + gained).clamp_min(0) + (z + lost).clamp_max(0)


def _cvar(z: Tensor, free: Tensor, log_p: Tensor, share: float | int) -> Tensor:
    cap = -math.log1p(-share)
    if float(free.max()) <= cap:
        return free
    # With the k largest z at the cap, the others share the rest of the mass: exp(u) = (1 − cap S_k) / E rest exp(z).
    descending, order = z.sort(descending=True)
    filled = log_p[order].exp().cumsum(0) * math.exp(cap)
    rest = torch.logcumsumexp((descending + log_p[order]).flip(0), 0).flip(0)
    before = torch.cat([torch.zeros_like(filled[:1]), filled[:-1]])
    u = (1 - before).clamp_min(1e-300).log() - rest
    k = int((u + descending <= cap).int().argmax())
    log = torch.full_like(z, cap)
    log[order[k:]] = (descending[k:] + u[k]).clamp_max(cap)
    return log


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The root of a monotone function in `[low, high]`; the end nearer to it where rounding hides the change of sign."""
    at_low, at_high = function(low), function(high)
    if at_low * at_high >= 0:
        return low if abs(at_low) < abs(at_high) else high
    root: Any = brentq(function, low, high, xtol=1e-13, rtol=1e-15)
    return float(root)
