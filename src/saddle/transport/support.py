"""The least mean of a potential over a ball of weights, with its multipliers: what bounds and derivatives are made of.

    s(f) = min { Σ a_i W_i f_i : W ≥ 0, Σ a_i W_i = 1, Σ a_i φ(W_i) ≤ rho }
         = max over level and slope ≥ 0 of  level − slope·rho + Σ a_i min over W ≥ 0 of [W (f_i − level) + slope·φ(W)]

The second line is evaluated, so that a level and a slope that are off by rounding still give a lower bound.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.optimize import brentq

from saddle.transport.balls import Ball, ChiSquareBall, CvarBall, KullbackLeiblerBall, TotalVariationBall

__all__ = ["Support", "support"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Support:
    """`s(f)` with what attains it."""

    value: float
    "A lower bound on every reweighted mean of `f`."
    weights: np.ndarray
    by_mass: np.ndarray
    "Derivative of `s` by the masses: the inner minimum of every sample, the mean over `a` taken off."


def support(f: np.ndarray, a: np.ndarray, ball: Ball | None, *, free: bool = False) -> Support:
    """`s(f)`; the plain mean where the ball is None, and without the row `Σ a W = 1` where `free`."""
    if free and ball is not None:
        assert isinstance(ball, ChiSquareBall)
        return _free(f, a, float(ball.rho))
    if ball is None or _radius(ball) == 0 or len(f) == 1:
        return _pack(float(a @ f), np.ones_like(f), f, a)
    low = f.min()
    shifted = f - low
    if not shifted.any():
        return _pack(float(low), np.ones_like(f), shifted, a)
    if isinstance(ball, ChiSquareBall):
        found = _chi_square(shifted, a, float(ball.rho))
    elif isinstance(ball, KullbackLeiblerBall):
        found = _kullback_leibler(shifted, a, float(ball.rho))
    elif isinstance(ball, TotalVariationBall):
        found = _total_variation(shifted, a, float(ball.rho))
    else:
        assert isinstance(ball, CvarBall)
        found = _cvar(shifted, a, float(ball.share))
    return Support(value=found.value + float(low), weights=found.weights, by_mass=found.by_mass)


def _radius(ball: Ball) -> float:
    return float(ball.share if isinstance(ball, CvarBall) else ball.rho)  # type: ignore[attr-defined]


def _pack(value: float, weights: np.ndarray, inner: np.ndarray, a: np.ndarray) -> Support:
    return Support(value=value, weights=weights, by_mass=inner - float(a @ inner))


def _chi_square(f: np.ndarray, a: np.ndarray, rho: float) -> Support:
    """`W = (t − f)_+ / slope` with `slope = E (t − f)_+`: on the k lightest f, `(t − mean)² = var / ((1+R) mass − 1)`."""
    order = np.argsort(f, kind="stable")
    sorted_f, sorted_a = f[order], a[order]
    mass = np.cumsum(sorted_a)
    first, second = np.cumsum(sorted_a * sorted_f), np.cumsum(sorted_a * sorted_f**2)
    mean = first / mass
    variance = np.maximum(second / mass - mean**2, 0.0)
    room = (1 + 2 * rho) * mass - 1
    with np.errstate(over="ignore"):
        levels = np.where(room > 0, mean + np.sqrt(variance / np.maximum(room, 1e-300)), np.inf)
    # The k lightest are the support when t lies between the k-th and the next value; t grows past f_k until then.
    following = np.append(sorted_f[1:], np.inf)
    fits = np.flatnonzero(levels <= following)
    last = int(fits[0]) if len(fits) else len(f) - 1
    t = float(levels[last])
    if np.isfinite(t) and room[last] > 0:  # Once more without the cancellation of the running sums.
        centre = float(sorted_a[: last + 1] @ sorted_f[: last + 1]) / mass[last]
        spread = float(sorted_a[: last + 1] @ (sorted_f[: last + 1] - centre) ** 2) / mass[last]
        t = centre + float(np.sqrt(spread / room[last]))
    above = np.maximum(t - f, 0.0)
    slope = float(a @ above)
    if slope <= 0:  # The radius lets all mass sit on the smallest values.
        lightest = f <= 0
        return _pack(0.0, np.where(lightest, 1 / a[lightest].sum(), 0.0), np.zeros_like(f), a)
    value = t - float(np.sqrt((1 + 2 * rho) * (a @ above**2)))
    weights = above / slope
    level = t - slope
    return _pack(value, weights, weights * (f - level) + slope / 2 * (weights - 1) ** 2, a)


def _kullback_leibler(f: np.ndarray, a: np.ndarray, rho: float) -> Support:
    """`W ∝ exp(−f/slope)`, the slope where `E W log W = rho`."""
    lightest = float(a[f <= 0].sum())
    if rho >= -np.log(lightest):
        return _pack(0.0, np.where(f <= 0, 1 / lightest, 0.0), np.zeros_like(f), a)

    def weights_at(slope: float) -> np.ndarray:
        weights = np.exp(-f / slope)
        return weights / (a @ weights)

    def excess(log_slope: float) -> float:
        slope = float(np.exp(log_slope))
        weights = weights_at(slope)
        return float(a @ (weights * (-f / slope))) - float(np.log(a @ np.exp(-f / slope))) - rho

    # At slope s: E W log W ≤ (max f / s)²/8, and it tends to −log(lightest) as s → 0.
    high = float(np.log(f.max() / np.sqrt(8 * rho))) + 1e-3
    low = high - 1.0
    while excess(low) < 0 and low > high - 700:
        low -= 2.0
    slope = float(np.exp(brentq(excess, low, high, xtol=1e-13))) if excess(low) > 0 else float(np.exp(low))
    level = -slope * float(np.log(a @ np.exp(-f / slope)))
    weights = weights_at(slope)
    return _pack(level - slope * rho, weights, slope * (1 - weights), a)


def _total_variation(f: np.ndarray, a: np.ndarray, rho: float) -> Support:
    """The mass rho moves from the largest f to the smallest: `s = E min(f, h) − rho h`, h the value where rho is used."""
    order = np.argsort(-f, kind="stable")
    above = np.cumsum(a[order])
    taken = np.clip(rho - (above - a[order]), 0.0, a[order])
    used = min(rho, 1.0)
    h = float(f[order][min(int(np.searchsorted(above, used)), len(f) - 1)])
    weights = np.ones_like(f)
    weights[order] -= taken / a[order]
    lightest = f <= 0
    weights[lightest] = 1.0
    moved = 1 - float(a @ np.where(lightest, 0.0, weights)) - float(a[lightest].sum())
    weights[lightest] += moved / a[lightest].sum()
    level, slope = h / 2, h
    inner = np.where(f >= h, slope / 2, f - level)
    return _pack(float(a @ np.minimum(f, h)) - rho * h, weights, inner, a)


def _cvar(f: np.ndarray, a: np.ndarray, share: float) -> Support:
    """`s = max over h of h − E (h − f)_+ / (1 − share)`, attained at the quantile of `1 − share`."""
    order = np.argsort(f, kind="stable")
    below = np.cumsum(a[order])
    h = float(f[order][min(int(np.searchsorted(below, 1 - share)), len(f) - 1)])
    weights = np.empty_like(f)
    weights[order] = np.clip(1 - share - (below - a[order]), 0.0, a[order]) / (a[order] * (1 - share))
    inner = -np.maximum(h - f, 0.0) / (1 - share)
    return _pack(h + float(a @ inner), weights, inner, a)


def _free(f: np.ndarray, a: np.ndarray, rho: float) -> Support:
    """Without unit mass: `W = (1 − f/slope)_+` and `s = max over slope of slope/2 (1 − R − E (1 − f/slope)_+²)`."""

    def excess(inverse: float) -> float:
        return float(a @ (np.maximum(1 - f * inverse, 0.0) - 1) ** 2) - 2 * rho

    scale = float(np.abs(f).max())
    if scale == 0 or (f.min() >= 0 and float(a[f > 0].sum()) <= 2 * rho):
        return Support(value=0.0, weights=np.where(f > 0, 0.0, 1.0), by_mass=np.zeros_like(f))
    if rho == 0:
        return Support(value=float(a @ f), weights=np.ones_like(f), by_mass=f - float(a @ f))
    high = 1 / scale
    while excess(high) < 0 and high < 1e200:
        high *= 4
    inverse: Any = brentq(excess, 0.0, high, xtol=0.0 + 1e-300, rtol=1e-14)
    if inverse <= 0:
        return Support(value=float(a @ f), weights=np.ones_like(f), by_mass=f - float(a @ f))
    slope = 1 / inverse
    weights = np.maximum(1 - f * inverse, 0.0)
    inner = weights * f + slope / 2 * (weights - 1) ** 2
    return _pack(slope / 2 * (1 - 2 * rho - float(a @ weights**2)), weights, inner, a)
