"""Robust transport in chi-square and Kullback-Leibler balls: exact, certified, and right in its limits."""

from typing import Any

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist
from tests.transport.oracle import conic

from saddle.transport import (
    ChiSquareBall,
    KullbackLeiblerBall,
    NotCertifiedError,
    RobustTransport,
    TransportStatus,
    balanced,
    rho_for,
    robust,
    robust_mean,
)


def clouds(n, m, seed=0, outliers=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5
    x[:outliers] += 9
    return x, y


def check_feasible(found: RobustTransport, a, b, ball_x, ball_y, *, free=False):
    """The plan is one, its cost is `upper`'s, and its marginals are the weights' and lie in their balls."""
    plan = found.plan
    assert plan is not None and plan.min() >= 0
    np.testing.assert_allclose(plan.sum(axis=1), a * found.weights_x, atol=1e-14)
    np.testing.assert_allclose(plan.sum(axis=0), b * found.weights_y, atol=1e-14)
    if not free:
        assert plan.sum() == pytest.approx(1, abs=1e-13)
    for weights, masses, ball in ((found.weights_x, a, ball_x), (found.weights_y, b, ball_y)):
        if ball is None:
            np.testing.assert_allclose(weights, 1, atol=1e-11)
        elif isinstance(ball, ChiSquareBall):
            assert masses @ (weights - 1) ** 2 <= ball.chi2 * (1 + 1e-12)
        else:
            spent = masses @ (weights * np.log(np.where(weights > 0, weights, 1)) - weights + 1)
            assert spent <= ball.rho * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(16))
def test_the_value_is_that_of_a_conic_solver(seed):
    # n ≠ m both ways, uniform and random masses, one- and two-sided, both costs, unit and free mass.
    rng = np.random.default_rng(seed)
    n, m = (int(each) for each in rng.integers(5, 30, size=2))
    x, y = clouds(n, m, seed, outliers=n // 8)
    cost = cdist(x, y, "euclidean" if seed % 2 else "sqeuclidean")
    a = rng.dirichlet(np.ones(n)) if seed % 3 else np.full(n, 1 / n)
    b = rng.dirichlet(np.ones(m)) if seed % 4 == 1 else np.full(m, 1 / m)
    kind = KullbackLeiblerBall if seed % 5 == 4 else ChiSquareBall
    ball_x = kind(rho=rng.uniform(0.005, 0.2))
    ball_y = None if seed % 3 == 0 else kind(rho=rng.uniform(0.005, 0.2))
    mass = "free" if kind is ChiSquareBall and ball_y is not None and seed % 2 else "unit"
    found = robust(cost=cost, a=a, b=b, ball=ball_x, ball_y=ball_y, mass=mass)
    assert found.certified and found.gap <= 1e-6
    assert found.value == pytest.approx(conic(cost, a, b, ball_x, ball_y, mass=mass), rel=1e-5)
    check_feasible(found, a, b, ball_x, ball_y, free=mass == "free")


def test_the_dual_certificate_is_the_robust_mean_of_feasible_potentials():
    # Spec: lower = s_a(f) + s_b(g) with f ⊕ g ≤ c; the robust mean is another implementation than the solver's own.
    x, y = clouds(40, 30, outliers=4)
    found = robust(x, y, rho=0.05, rho_y=0.02)
    f, g = found.potential_x, found.potential_y
    assert (cdist(x, y) - f[:, None] - g).min() >= -1e-12
    dual = float(robust_mean(f, rho=0.05)) + float(robust_mean(g, rho=0.02))
    assert found.lower == pytest.approx(dual, abs=1e-11)


def test_the_potential_falls_affinely_with_the_weight():
    # Optimality: f_i = η − λ (w_i − 1) wherever mass is shipped, so equal ranks by weight and by potential.
    x, y = clouds(40, 30, outliers=4)
    found = robust(x, y, rho=0.02, tol=1e-11)
    shipped = found.weights_x > 1e-3
    slope, level = np.polyfit(found.weights_x[shipped], found.potential_x[shipped], 1)
    assert slope < 0
    np.testing.assert_allclose(
        found.potential_x[shipped], level + slope * found.weights_x[shipped], atol=1e-5
    )


def test_five_hundred_and_fifty_samples_with_outliers():
    x, y = clouds(550, 550, outliers=50)
    found = robust(x, y, rho=rho_for(50 / 550), cost="sqeuclidean")
    assert found.certified and found.gap <= 1e-6


@pytest.mark.parametrize("sides", [(30, 50), (50, 30)])
def test_either_side_may_be_the_larger(sides):
    # The published solver fails for n > m and leaves atoms unconstrained for n < m; a transposed problem is the same.
    x, y = clouds(*sides, outliers=3)
    found, other = robust(x, y, chi2=0.1, chi2_y=0.05), robust(y, x, chi2=0.05, chi2_y=0.1)
    assert found.value == pytest.approx(other.value, rel=2e-6)
    np.testing.assert_allclose(found.weights_x, other.weights_y, atol=1e-3)
    check_feasible(
        found,
        np.full(len(x), 1 / len(x)),
        np.full(len(y), 1 / len(y)),
        ChiSquareBall(chi2=0.1),
        ChiSquareBall(chi2=0.05),
    )


def test_the_two_conventions_differ_by_two():
    x, y = clouds(20, 20)
    assert robust(x, y, rho=0.05).value == robust(x, y, chi2=0.1).value


def test_one_side_is_held_whichever_it_is():
    x, y = clouds(25, 20, outliers=2)
    assert robust(x, y, rho=0.05).value == pytest.approx(robust(y, x, rho_y=0.05).value, rel=1e-6)


def test_no_radius_is_balanced_transport():
    x, y = clouds(30, 40)
    exact = balanced(x, y).value
    assert robust(x, y, rho=0, rho_y=0).value == pytest.approx(exact, rel=1e-12)
    for chi2 in (1e-4, 1e-6, 1e-8, 1e-10):
        # V(R) = V(0) − O(√R): the weights' deviation is √R in the mean square.
        value = robust(x, y, chi2=chi2, chi2_y=chi2).value
        assert exact - 3 * np.sqrt(chi2) <= value <= exact * (1 + 1e-6)


def test_a_radius_that_lets_all_mass_sit_on_one_sample_leaves_the_smallest_cost():
    # R ≥ 1/a_i − 1 = n − 1 admits the distribution on sample i alone.
    x, y = clouds(12, 9)
    assert robust(x, y, chi2=11, chi2_y=8).value == pytest.approx(cdist(x, y).min(), rel=1e-6)
    assert robust(x, y, rho=400, rho_y=400).value == pytest.approx(cdist(x, y).min(), rel=1e-6)
    ball = KullbackLeiblerBall(rho=np.log(12) + 0.01)
    assert robust(x, y, ball=ball, ball_y=ball).value == pytest.approx(cdist(x, y).min(), rel=1e-6)


@pytest.mark.parametrize("chi2", [1, 2.5])
def test_without_unit_mass_a_radius_of_one_ships_nothing(chi2):
    # P = 0 has Σ (0 − a)²/a = 1.
    x, y = clouds(15, 12)
    found = robust(x, y, chi2=chi2, chi2_y=chi2, mass="free")
    assert found.certified and found.value == pytest.approx(0, abs=1e-10)


def test_without_unit_mass_the_value_is_at_most_the_scaled_plan():
    # (1 − √R) P is feasible: value ≤ (1 − √R) OT, and no larger than with unit mass.
    x, y = clouds(30, 30)
    free = robust(x, y, chi2=0.1, chi2_y=0.1, mass="free")
    assert free.plan is not None and free.plan.sum() < 0.9
    assert free.value <= (1 - 0.1**0.5) * balanced(x, y).value
    assert free.value < robust(x, y, chi2=0.1, chi2_y=0.1).value


def test_without_unit_mass_the_optimum_is_a_penalised_problem_that_pot_solves():
    # With the multipliers λ of both balls, the program is unbalanced transport with penalties λ/2 Σ (ã − a)²/a. For
    # uniform masses POT's reg_m Σ (ã − a)²/2·… is stated with div='l2' as reg_m/2 ‖ã − a‖², so reg_m = λ n.
    x, y = clouds(12, 12)
    cost = cdist(x, y)
    found = robust(x, y, chi2=0.2, chi2_y=0.2, mass="free", tol=1e-10)
    # f = −λ (w − 1) wherever mass is shipped.
    w, v = found.weights_x, found.weights_y
    slope_x = -np.polyfit(w[w > 1e-3], found.potential_x[w > 1e-3], 1)[0]
    slope_y = -np.polyfit(v[v > 1e-3], found.potential_y[v > 1e-3], 1)[0]
    uniform = np.full(12, 1 / 12)
    plan: Any = ot.unbalanced.mm_unbalanced(
        uniform, uniform, cost, reg_m=(12 * slope_x, 12 * slope_y), div="l2", numItermax=20_000, stopThr=1e-15
    )
    assert float(np.vdot(plan, cost)) == pytest.approx(found.value, rel=2e-3)
    np.testing.assert_allclose(plan.sum(axis=1) * 12, w, atol=2e-3)


def test_the_value_falls_and_is_convex_in_the_radius():
    x, y = clouds(25, 25, outliers=3)
    radii = np.linspace(0, 0.4, 9)
    values = np.array([robust(x, y, chi2=r, chi2_y=r).value for r in radii])
    assert (np.diff(values) < 0).all()
    assert (np.diff(values, 2) > -1e-6).all()


@pytest.mark.parametrize("scale", [1e-9, 1e8])
def test_values_scale_with_costs(scale):
    x, y = clouds(20, 20, outliers=2)
    one, other = robust(x, y, rho=0.05), robust(scale * x, scale * y, rho=0.05)
    assert other.value == pytest.approx(scale * one.value, rel=1e-6)
    np.testing.assert_allclose(other.weights, one.weights, atol=1e-9)


def test_a_constant_cost_shifts_the_value_also_below_zero():
    x, y = clouds(20, 15)
    cost = cdist(x, y)
    one, other = robust(cost=cost, rho=0.05, rho_y=0.05), robust(cost=cost - 7, rho=0.05, rho_y=0.05)
    assert other.certified and other.value == pytest.approx(one.value - 7, abs=1e-5)


def test_duplicates_with_split_mass_change_nothing():
    # A sample split into k copies with the mass shared may only be reweighted evenly at an optimum (convexity of φ).
    x, y = clouds(15, 12, outliers=2)
    once = robust(x, y, chi2=0.1, chi2_y=0.1)
    copies = robust(np.repeat(x, 3, axis=0), np.repeat(y, 2, axis=0), chi2=0.1, chi2_y=0.1)
    assert copies.certified and copies.value == pytest.approx(once.value, rel=2e-6)


def test_samples_without_mass_take_no_part():
    x, y = clouds(20, 15, outliers=2)
    a, b = np.full(20, 1 / 18), np.full(15, 1 / 14)
    a[[0, 7]], b[3] = 0, 0
    found = robust(x, y, a=a, b=b, rho=0.05, rho_y=0.05)
    rest = robust(np.delete(x, [0, 7], axis=0), np.delete(y, 3, axis=0), rho=0.05, rho_y=0.05)
    assert found.value == pytest.approx(rest.value, rel=1e-12)
    assert found.weights_x[0] == 1 and found.weights_y[3] == 1
    assert found.plan is not None and not found.plan[[0, 7]].any() and not found.plan[:, 3].any()
    assert (cdist(x, y) - found.potential_x[:, None] - found.potential_y).min() >= -1e-12
    np.testing.assert_allclose(np.delete(found.weights_x, [0, 7]), rest.weights_x, rtol=1e-9)


def test_equal_samples_cost_nothing():
    x, _ = clouds(20, 1)
    found = robust(x, x, rho=0.05, rho_y=0.05)
    assert found.certified and found.value == pytest.approx(0, abs=1e-11)
    assert robust(np.zeros((5, 2)), np.zeros((4, 2)), rho=0.1).value == pytest.approx(0, abs=1e-12)


def test_single_samples():
    x, y = clouds(6, 1)
    one = robust(y, y + 2.0, rho=0.05, rho_y=0.1)
    assert one.value == pytest.approx(8**0.5, rel=1e-12)
    # Everything goes to the one y: the value is the robust mean of the costs.
    cost = cdist(x, y)
    assert robust(x, y, rho=0.1).value == pytest.approx(float(robust_mean(cost[:, 0], rho=0.1)), rel=1e-6)


def test_a_sample_a_million_times_as_far_is_still_certified():
    x, y = clouds(20, 40)
    x[0] = 1e5
    found = robust(x, y, chi2=0.01, chi2_y=0.01, cost="sqeuclidean")
    # All the ball is spent on sample 0: (1/n)(w₀ − 1)²(1 + 1/(n − 1)) = 0.01.
    assert found.certified
    assert found.weights[0] == pytest.approx(1 - (0.01 * 20 / (1 + 1 / 19)) ** 0.5, abs=1e-5)


def test_what_floats_cannot_certify_is_said_and_never_passed_off():
    x, y = clouds(20, 40)
    found = robust(x, y, chi2=0.1, tol=1e-17)
    assert found.status is TransportStatus.STALLED and found.gap > 1e-17
    with pytest.raises(NotCertifiedError, match="relative gap"):
        _ = found.value
    assert found.lower <= found.upper * (1 + 1e-15)
    assert found.upper == pytest.approx(robust(x, y, chi2=0.1).value, rel=1e-6)


def test_too_few_iterations_leave_bounds_that_hold():
    x, y = clouds(20, 40)
    best = robust(x, y, chi2=0.1, tol=1e-10).value
    for count in range(1, 9):
        found = robust(x, y, chi2=0.1, max_iterations=count)
        assert found.status is TransportStatus.EXHAUSTED and found.iterations == count
        assert found.lower <= best <= found.upper
        with pytest.raises(NotCertifiedError):
            _ = found.value


@pytest.mark.parametrize("tol", [1e-16, 1e-300])
def test_bounds_that_meet_by_rounding_certify_no_tolerance_below_floats(tol):
    # One pair: both bounds are its cost, and 2 sqrt(2) has no float.
    found = robust(np.zeros((1, 2)), np.full((1, 2), 2.0), rho=0.1, tol=tol)
    assert found.gap == 0 and found.status is TransportStatus.STALLED


def test_a_large_constant_in_the_potentials_costs_the_certificate_no_digits():
    # f + k and g − k have the same dual value, but k = 1e9 beside costs of 1 leaves g only 7 digits behind the point.
    from saddle.transport.certificate import lower_bound

    rng = np.random.default_rng(0)
    cost, f = rng.random((9, 6)), rng.random(9) / 10
    a, b = np.full(9, 1 / 9), np.full(6, 1 / 6)
    ball = KullbackLeiblerBall(rho=1.0)
    near, far = (lower_bound(f + shift, cost, a, b, ball, ball) for shift in (0.0, 1e9))
    assert (far.f[:, None] + far.g - cost).max() <= 1e-14
    # What adding 1e9 rounds off f itself.
    assert far.value == pytest.approx(near.value, abs=2e-7)
