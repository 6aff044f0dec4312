"""The weights of least mean: optimality conditions on random scores, known answers, gradients, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from saddle.transport import (
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
    robust_mean,
    weights,
)

BALLS = [
    ChiSquareBall(chi2=0.1),
    ChiSquareBall(chi2=2.5),
    KullbackLeiblerBall(rho=0.03),
    KullbackLeiblerBall(rho=1.0),
    TotalVariationBall(rho=0.07),
    CvarBall(share=0.13),
]
NAMES = [f"{ball.name}-{getattr(ball, 'rho', getattr(ball, 'share', 0)):g}" for ball in BALLS]
every_ball = pytest.mark.parametrize("ball", BALLS, ids=NAMES)


def divergence(w, p, ball) -> float:
    """How far the weights are from 1 in the ball's own measure, less the radius: feasible at 0 and below."""
    match ball:
        case ChiSquareBall():
            return float((p * (w - 1) ** 2).sum() - ball.chi2)
        case KullbackLeiblerBall():
            positive = w > 0
            return float((p[positive] * w[positive] * np.log(w[positive])).sum() - ball.rho)
        case TotalVariationBall():
            return float((p * np.abs(w - 1)).sum() / 2 - ball.rho)
        case CvarBall():
            return float((w[p > 0]).max() - 1 / (1 - ball.share))


def dual(f, p, ball) -> float:
    """A lower bound of `min E[W f]` that is attained: the dual of each ball, maximised on a grid that holds its optimum.

    By Lagrange: for total variation `max_η η + E min over w ≥ 0 of (w (f − η) + λ|w − 1|/2) − λ rho`; for CVaR
    `max_t t − E(t − f)₊/(1 − share)`, whose maximum lies at a score.
    """
    f, p = f[p > 0], p[p > 0]
    match ball:
        case ChiSquareBall():
            # Concave in t: golden section between where it must lie.
            def value(t):
                return t - np.sqrt((1 + ball.chi2) * (p * np.maximum(t - f, 0) ** 2).sum())

            return _peak(value, f.min(), f.max() + np.ptp(f) / np.sqrt(min(ball.chi2, 1)) * 3 + 1e-9)
        case KullbackLeiblerBall():

            def value(log_lam):
                lam = np.exp(log_lam)
                return f.min() - lam * np.log((p * np.exp(-(f - f.min()) / lam)).sum()) - lam * ball.rho

            # At λ = 0 the dual is the least score.
            return max(f.min(), _peak(value, np.log(np.ptp(f) + 1e-30) - 12, np.log(np.ptp(f) + 1e-30) + 12))
        case TotalVariationBall():
            # λ = f_max − f_min is forced from below by W ≥ 0 and clipping: min(f, top) with the top at a score.
            low = f.min()
            return max((p * np.minimum(f, top)).sum() - (top - low) * ball.rho for top in f)
        case CvarBall():
            return max(t - (p * np.maximum(t - f, 0)).sum() / (1 - ball.share) for t in f)


def _peak(value, low, high) -> float:
    ratio = (np.sqrt(5) - 1) / 2
    best = -np.inf
    for _ in range(200):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if value(a) < value(b):
            low = a
        else:
            high = b
        best = max(best, value(a), value(b))
    return best


def problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random scores and masses: ties, outliers, tiny spreads on large offsets, masses of zero."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    f = [
        rng.normal(size=n),
        rng.integers(0, 4, size=n).astype(float),
        rng.standard_cauchy(size=n) * 100,
        1e6 + rng.normal(size=n),
        np.full(n, 3.0),
        np.concatenate([rng.normal(size=n - 1) * 1e-3, [-50.0]]),
    ][rng.integers(6)]
    p = np.full(n, 1 / n) if rng.random() < 0.4 else rng.dirichlet(np.full(n, 0.7))
    if n > 3 and rng.random() < 0.4:
        p[rng.integers(n)] = 0.0
    return f, p / p.sum()


@every_ball
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31))
def test_weights_are_feasible_and_attain_the_dual(ball, seed):
    f, p = problem(seed)
    w = weights(f, ball=ball, base=p)
    assert (w >= 0).all()
    assert (p * w).sum() == approx(1, abs=1e-12)
    assert divergence(w, p, ball) <= 1e-10
    value = robust_mean(f, ball=ball, base=p)
    assert value == approx((p * w * f).sum(), rel=1e-12)
    scale = np.ptp(f) + abs(f).max() * 1e-6 + 1e-12
    assert abs(value - dual(f, p, ball)) <= 1e-8 * scale


@every_ball
def test_equal_scores_have_equal_weights_and_weights_fall_with_the_score(ball):
    f = np.repeat(np.random.default_rng(0).normal(size=30), 3)
    w = weights(f, ball=ball)
    assert w[::3] == approx(w[1::3], abs=0) and w[::3] == approx(w[2::3], abs=0)
    assert (np.diff(w[np.argsort(f)]) <= 0).all()
