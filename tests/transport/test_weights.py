"""The weights of least mean: optimality conditions on random scores, known answers, gradients, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from saddle.errors import UserError
from saddle.transport import (
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
    rho_for,
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
    raise AssertionError(ball)


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
    raise AssertionError(ball)


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
@settings(max_examples=40, deadline=None, derandomize=True)
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


def test_chi_square_weights_are_affine_while_none_is_clipped():
    # s(f) = E f − sqrt(R Var f) and W = 1 − sqrt(R/Var) (f − E f), as long as W ≥ 0: max standardised f ≤ 1/sqrt(R).
    f = np.random.default_rng(1).uniform(size=400)
    chi2 = 0.2
    assert (f.max() - f.mean()) / f.std() <= chi2**-0.5
    assert robust_mean(f, chi2=chi2) == approx(f.mean() - np.sqrt(chi2 * f.var()), rel=1e-12)
    assert weights(f, chi2=chi2) == approx(1 - np.sqrt(chi2 / f.var()) * (f - f.mean()), abs=1e-12)


def test_chi2_is_twice_rho():
    f = np.random.default_rng(2).normal(size=50)
    assert weights(f, rho=0.07) == approx(weights(f, chi2=0.14), abs=0)
    assert weights(f, rho=0.07) == approx(weights(f, ball=ChiSquareBall(rho=0.07)), abs=0)


@pytest.mark.parametrize("name", ["chi-square", "kullback-leibler", "total-variation", "cvar"])
def test_far_outliers_lose_all_weight_at_the_critical_radius(name):
    # With the clean scores equal, W = 1/(1 − g) on them and 0 on the rest is the one optimum at the radius rho_for(g).
    g, n = 0.1, 50
    f = np.where(np.arange(n) < g * n, 9.0, 1.0)
    radius = rho_for(g, ball=name)
    ball = {
        "chi-square": lambda: ChiSquareBall(rho=radius),
        "kullback-leibler": lambda: KullbackLeiblerBall(rho=radius),
        "total-variation": lambda: TotalVariationBall(rho=radius),
        "cvar": lambda: CvarBall(share=radius),
    }[name]()
    assert weights(f, ball=ball) == approx(np.where(f > 1, 0, 1 / (1 - g)), abs=1e-7)


@pytest.mark.parametrize(
    "ball", [ChiSquareBall(chi2=7.0), KullbackLeiblerBall(rho=3.0), TotalVariationBall(rho=1.0)]
)
def test_large_radii_leave_the_least_score_alone(ball):
    # n = 8: all mass on one of them has chi2 = n − 1 = 7, KL = log 8 = 2.08, total variation 7/8.
    f = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 3.5])
    assert weights(f, ball=ball) == approx(8.0 * (f == 1.0), abs=1e-7)
    assert robust_mean(f, ball=ball) == approx(1.0, abs=1e-7)


@pytest.mark.parametrize(
    "ball",
    [ChiSquareBall(rho=0), KullbackLeiblerBall(rho=0), TotalVariationBall(rho=0), CvarBall(share=0)],
    ids=lambda ball: ball.name,
)
def test_radius_zero_is_the_mean(ball):
    f = np.random.default_rng(3).normal(size=(4, 11))
    assert weights(f, ball=ball) == approx(np.ones((4, 11)), abs=1e-12)
    assert robust_mean(f, ball=ball) == approx(f.mean(-1), rel=1e-12)


@every_ball
def test_one_sample_equal_scores_and_affine_scores(ball):
    assert weights(np.array([7.0]), ball=ball) == approx(1.0)
    assert weights(np.full(9, -2.0), ball=ball) == approx(np.ones(9), abs=1e-12)
    f = np.random.default_rng(4).normal(size=23)
    # Scores have no unit and no origin: W(3 f + 5) = W(f).
    assert weights(3 * f + 5, ball=ball) == approx(weights(f, ball=ball), abs=1e-9)


@every_ball
def test_cvxpy_finds_no_better_weights(ball):
    cp = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(5)
    f, p = rng.normal(size=40), rng.dirichlet(np.ones(40))
    moved = cp.Variable(40)  # p·W
    constraints = [moved >= 0, cp.sum(moved) == 1]
    match ball:
        case ChiSquareBall():
            constraints.append(cp.sum_squares(cp.multiply(moved - p, p**-0.5)) <= ball.chi2)
        case KullbackLeiblerBall():
            constraints.append(cp.sum(cp.kl_div(moved, p)) <= ball.rho)
        case TotalVariationBall():
            constraints.append(cp.norm1(moved - p) <= 2 * ball.rho)
        case CvarBall():
            constraints.append(moved <= p / (1 - ball.share))
    problem = cp.Problem(cp.Minimize(f @ moved), constraints)
    # As tight as it can go without saying that it may be inaccurate.
    tol = 1e-9 if isinstance(ball, ChiSquareBall) else 1e-11
    tight = {f"tol_{name}": tol for name in ("gap_abs", "gap_rel", "feas")}
    problem.solve(solver=cp.CLARABEL, **tight)
    assert robust_mean(f, ball=ball, base=p) == approx(problem.value, abs=1e-8)


@every_ball
def test_a_fleet_is_many_of_one(ball):
    f = torch.randn(3, 2, 17, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    together = weights(f, ball=ball)
    for i in range(3):
        for j in range(2):
            assert torch.allclose(together[i, j], weights(f[i, j], ball=ball), atol=1e-13)
    assert torch.allclose(robust_mean(f, ball=ball), (together * f).mean(-1), atol=1e-13)


@every_ball
def test_gradients_are_those_of_finite_differences(ball):
    draw = torch.Generator().manual_seed(6)
    f = torch.randn(2, 9, generator=draw, dtype=torch.float64).requires_grad_()
    logits = torch.randn(9, generator=draw, dtype=torch.float64).requires_grad_()

    def of_masses(function):
        return lambda logits: function(f.detach(), ball=ball, base=torch.softmax(logits, -1))

    for function in (weights, robust_mean):
        assert torch.autograd.gradcheck(lambda f, function=function: function(f, ball=ball), (f,))
        assert torch.autograd.gradcheck(of_masses(function), (logits,))


@every_ball
def test_the_gradient_of_the_robust_mean_is_the_weight(ball):
    f = torch.randn(25, generator=torch.Generator().manual_seed(7), dtype=torch.float64).requires_grad_()
    robust_mean(f, ball=ball).backward()
    assert f.grad is not None
    assert torch.allclose(f.grad, weights(f.detach(), ball=ball) / 25, atol=1e-14)


@every_ball
def test_types_stay(ball):
    f = np.random.default_rng(8).normal(size=30)
    single = weights(torch.from_numpy(f).float(), ball=ball)
    assert single.dtype == torch.float32
    assert single.double().numpy() == approx(weights(f, ball=ball), abs=1e-5)
    assert weights(f.astype(np.float32), ball=ball).dtype == np.float32
    assert weights(np.array([1, 2, 3]), ball=ball).dtype == np.float64


def test_a_bad_row_of_a_tensor_spoils_only_itself():
    f = torch.zeros(3, 5)
    f[1, 2], f[2] = torch.inf, torch.arange(5.0)
    for ball in BALLS:
        w = weights(f, ball=ball)
        assert w[1].isnan().all()
        assert w[[0, 2]].isfinite().all()


def test_large_offsets_and_far_outliers_lose_no_digits():
    # Weights do not depend on the origin: 1e8 costs the digits that the scores themselves lose there, no more.
    rng = np.random.default_rng(9)
    f = rng.integers(0, 1000, size=200) / 1024
    assert weights(f + 2.0**26, chi2=0.3) == approx(weights(f, chi2=0.3), abs=1e-12)
    # One outlier far up takes R = 1/(n − 1) to remove; what is left then acts on the others as if it were not there.
    far = np.append(f, 1e9)
    n, chi2 = len(far), 0.3
    rest = (1 + chi2) * (
        n - 1
    ) / n - 1  # E W² = 1 + R over all is (1 + R)(n − 1)/n over the others with mean 1
    assert weights(far, chi2=chi2)[:-1] * (n - 1) / n == approx(weights(f, chi2=rest), abs=1e-9)


def test_what_is_refused():
    f = np.arange(4.0)
    refused: list[tuple[dict[str, Any], str]] = [
        ({}, "exactly one of rho"),
        ({"rho": 0.1, "chi2": 0.2}, "rho and chi2"),
        ({"rho": -0.1}, "0 or larger"),
        ({"rho": 0.1, "base": np.array([0.5, 0.5, -0.1, 0.1])}, "negative"),
        ({"rho": 0.1, "base": np.ones(4)}, "sum to 4"),
        ({"rho": 0.1, "base": np.full(3, 1 / 3)}, "one mass a sample"),
    ]
    for options, words in refused:
        with pytest.raises(UserError, match=words):
            weights(f, **options)
    with pytest.raises(UserError, match="NaN or infinite"):
        weights(np.array([1.0, np.nan]), rho=0.1)
    with pytest.raises(UserError, match="one or more samples"):
        robust_mean(np.empty((3, 0)), rho=0.1)


@pytest.mark.parametrize("scores", [np.array(["a", "b"]), np.array([1j, 2])])
def test_scores_that_are_no_real_numbers_are_refused(scores):
    with pytest.raises(UserError, match="must be real numbers"):
        weights(scores, rho=0.1)
