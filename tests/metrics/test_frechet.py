"""Facts of the Fréchet distance and of the moments it is made of."""

import math

import mpmath
import numpy as np
import pytest
import scipy.linalg
import torch

from saddle.errors import UserError
from saddle.metrics import Moments, frechet, frechet_distance
from saddle.metrics.frechet import Gaussian, frechet_between
from saddle.testing.metric import check_metric


def normal(n, d, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def decaying(n, d, power, seed=0):
    """Features whose standard deviations fall as i^-power, in axes of no special direction."""
    axes = torch.linalg.qr(normal(d, d, 99)).Q
    return normal(n, d, seed) * torch.arange(1, d + 1, dtype=torch.float64) ** -power @ axes


def by_sqrtm(x, y):
    """The common package's way."""
    a, b = np.cov(x.numpy(), rowvar=False), np.cov(y.numpy(), rowvar=False)
    root = scipy.linalg.sqrtm(a @ b)
    offset = x.numpy().mean(0) - y.numpy().mean(0)
    return float(offset @ offset + np.trace(a) + np.trace(b) - 2 * np.trace(root).real)


def test_frechet_keeps_the_promises_of_a_metric():
    check_metric(frechet_distance, better="lower", symmetric=True, identical=0.0)


def test_frechet_below_full_rank_keeps_them_too():
    check_metric(frechet_distance, better="lower", symmetric=True, identical=0.0, count=20, dim=40)


@pytest.mark.parametrize(("n", "m"), [(400, 300), (20, 400), (400, 20), (20, 15), (64, 64), (65, 65), (2, 2)])
def test_a_scaled_and_shifted_set_has_its_analytic_distance(n, m):
    # y = a x + b has μ_y = a μ + b and C_y = a² C, so d² = |(1-a) μ - b|² + (1-a)² tr C, for every rank of C.
    x, a, b = normal(n, 64), 1.7, 0.3
    y = a * x + b
    mean, trace = x.mean(0), x.var(0).sum()
    expected = float(((1 - a) * mean - b).square().sum() + (1 - a) ** 2 * trace)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)
    # The other sizes: repeating every row r times keeps the mean, and scales C by r (n - 1)/(r n - 1).
    repeats = max(m // n, 1) + 1
    scale = math.sqrt(repeats * (n - 1) / (repeats * n - 1))
    expected = (1 - scale) ** 2 * float(trace)
    assert frechet_distance(x, x.repeat(repeats, 1)) == pytest.approx(expected, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("n", [400, 64, 65, 20])
def test_a_linear_map_that_is_an_optimal_transport_has_its_cost(n):
    # y = A x with A symmetric positive is the gradient of a convex function, hence optimal (Brenier): the distance of
    # the Gaussians is the cost of moving, |mean(x - Ax)|² + tr Cov(x - Ax). A and C do not commute here.
    x, b = decaying(n, 64, 0.7) + 0.1, normal(64, 64, 3) / 8
    moved = x @ (0.5 * torch.eye(64, dtype=torch.float64) + b @ b.T)
    cost = x - moved
    expected = float(cost.mean(0).square().sum() + cost.var(0).sum())
    assert frechet_distance(x, moved) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(30, 25), (30, 6), (5, 30), (6, 4)])
def test_frechet_agrees_with_fifty_digits(n, m):
    # tr (C₁C₂)^½ as the sum of square roots of eigenvalues of C₁C₂ in 50-digit arithmetic.
    x, y = decaying(n, 8, 2.0, 1), decaying(m, 8, 2.0, 2)
    with mpmath.workdps(50):
        sides = []
        for z in (x, y):
            rows = mpmath.matrix(z.tolist())
            count = rows.rows
            mean = [mpmath.fsum(rows[:, j]) / count for j in range(8)]
            centred = mpmath.matrix(count, 8)
            for i in range(count):
                for j in range(8):
                    centred[i, j] = rows[i, j] - mean[j]
            sides.append((mean, centred.T * centred / (count - 1)))
        (mean, a), (other, b) = sides
        values, _ = mpmath.eig(a * b)
        # Of r positive eigenvalues the rest are zero; their 1e-50 roundings have roots of 1e-25.
        cross = mpmath.fsum(mpmath.sqrt(abs(mpmath.re(v))) for v in values)
        exact = mpmath.fsum((p - q) ** 2 for p, q in zip(mean, other, strict=True))
        exact += mpmath.fsum(a[i, i] + b[i, i] for i in range(8)) - 2 * cross
        exact = float(exact)
    assert frechet_distance(x, y) == pytest.approx(exact, rel=1e-12)


def test_frechet_agrees_with_the_matrix_root_at_full_rank():
    x, y = decaying(600, 64, 0.5, 1) + 0.1, decaying(500, 64, 0.6, 2)
    assert frechet_distance(x, y) == pytest.approx(by_sqrtm(x, y), rel=1e-9)


def test_frechet_agrees_with_torchmetrics():
    peer = pytest.importorskip("torchmetrics.image.fid")
    x, y = decaying(600, 32, 0.5, 1) + 0.1, decaying(500, 32, 0.6, 2)
    theirs = peer._compute_fid(x.mean(0), x.T.cov(), y.mean(0), y.T.cov())
    assert frechet_distance(x, y) == pytest.approx(float(theirs), rel=1e-9)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.0, 4.0, 6.0])
@pytest.mark.parametrize("rank", [96, 60])
def test_the_fast_route_is_taken_only_where_it_is_right(power, rank):
    # The route by singular values of root factors never squares a condition number: it is the measure here.
    mix = normal(rank, 96, 5) if rank < 96 else torch.eye(96, dtype=torch.float64)
    x = Gaussian(decaying(400, 96, power, 1)[:, :rank] @ mix)
    y = Gaussian(decaying(300, 96, power, 2)[:, :rank] @ mix)
    exact = np.linalg.svd(x.root.T @ y.root, compute_uv=False).sum()
    fast = frechet._cross_trace_fast(x, y)
    if power <= 1 and rank == 96:
        assert fast is not None
    if fast is not None:
        assert fast == pytest.approx(exact, abs=1e-10 * (x.trace + y.trace))


@pytest.mark.parametrize("dead", ["real", "fake", "both"])
def test_constant_features_count_by_their_means_only(dead):
    # A feature that is constant on one side adds (μ - μ')² and the other side's variance, nothing else.
    x, y = normal(200, 24, 1), 2 * normal(150, 24, 2)
    live = frechet_distance(x, y)
    p = torch.full((200, 1), 0.1, dtype=torch.float64) if dead != "fake" else 3 * normal(200, 1, 3)
    q = torch.full((150, 1), 1.3, dtype=torch.float64) if dead != "real" else 3 * normal(150, 1, 4)
    added = float((p.mean() - q.mean()) ** 2)
    added += 0.0 if dead == "both" else float((q if dead == "real" else p).var())
    assert frechet_distance(torch.cat([x, p], 1), torch.cat([y, q], 1)) == pytest.approx(
        live + added, rel=1e-11
    )


def test_a_repeated_feature_is_singular_and_still_exact():
    # Both copies of a feature together act as one feature √2 times as long.
    x, y = normal(200, 12, 1), 1.5 * normal(300, 12, 2) + 0.2
    stretch = torch.ones(12, dtype=torch.float64)
    stretch[0] = 2**0.5
    expected = frechet_distance(x * stretch, y * stretch)
    assert frechet_distance(torch.cat([x, x[:, :1]], 1), torch.cat([y, y[:, :1]], 1)) == pytest.approx(
        expected, rel=1e-11
    )


def test_all_features_constant_leaves_the_means():
    x, y = torch.full((50, 4), 0.1), torch.full((9, 4), 0.7)
    assert frechet_distance(x, y) == pytest.approx(4 * (float(x[0, 0]) - float(y[0, 0])) ** 2, rel=1e-12)


def test_a_reused_real_side_gives_the_bits_of_a_fresh_one():
    real, fakes = normal(300, 40, 1), [normal(250, 40, 2), normal(10, 40, 3)]
    kept = Gaussian(real)
    assert [frechet_between(kept, Gaussian(y)) for y in fakes] == [frechet_distance(real, y) for y in fakes]


def test_float32_features_are_summed_in_float64():
    x, y = normal(500, 16, 1, torch.float32) + 1000, normal(400, 16, 2, torch.float32) + 1000
    assert frechet_distance(x, y) == frechet_distance(x.double(), y.double())


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (torch.zeros(5, 3), torch.zeros(5, 4), "3 features an image and the fake side 4"),
        (torch.zeros(1, 3), torch.zeros(5, 3), "real side has 1 image, but this metric needs at least 2"),
        (torch.zeros(5, 3), torch.full((4, 3), math.nan), "fake features hold NaN in 4 of 4 images"),
        (
            torch.full((4, 3), math.inf),
            torch.zeros(5, 3),
            "real features hold infinite values in 4 of 4 images",
        ),
    ],
)
def test_impossible_features_are_named(real, fake, message):
    with pytest.raises(UserError, match=message):
        frechet_distance(real, fake)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_streamed_moments_are_those_of_the_whole_matrix(offset):
    x = decaying(1000, 30, 0.5) + offset
    stream = Moments()
    for rows in x.split([1, 2, 500, 0, 90, 407]):
        stream.update(rows)
    assert stream.count == 1000
    np.testing.assert_allclose(stream.mean, x.numpy().mean(0), rtol=1e-12, atol=1e-15)
    # The peer centres by a mean rounded at the offset's own precision, hence its error of ε offset · σ.
    slack = 1e-12 if offset == 0 else 1e-9
    np.testing.assert_allclose(stream.covariance, np.cov(x.numpy(), rowvar=False), rtol=slack, atol=slack)


def test_moments_give_a_constant_feature_no_variance():
    x = torch.cat([torch.full((777, 1), 0.1), normal(777, 1, dtype=torch.float32)], 1)
    stream = Moments()
    for rows in x.split(100):
        stream.update(rows)
    assert stream.covariance[0].tolist() == [0.0, 0.0]
