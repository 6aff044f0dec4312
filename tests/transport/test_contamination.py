"""The contamination theorem against convex programs of two atoms, where its bound is the optimum."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pytest import approx

from saddle.errors import UserError
from saddle.transport import (
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
    contamination_bound,
    contamination_factor,
    residual_share,
    rho_for,
)

SHARES = (0.02, 0.1, 0.35, 0.7)
PARTS = (0.1, 0.5, 0.9, 1.0, 1.5)
"Of the critical radius; at 0 the program has no interior, and its answer is known."


def ball_of(name: str, radius: float) -> Any:
    return {
        "chi-square": lambda: ChiSquareBall(rho=radius),
        "kullback-leibler": lambda: KullbackLeiblerBall(rho=radius),
        "total-variation": lambda: TotalVariationBall(rho=radius),
        "cvar": lambda: CvarBall(share=min(radius, 0.99)),
    }[name]()


def least_outlier_mass(ball: Any, g: float) -> float:
    """The convex program itself: masses `q` of two atoms with masses (1 − g, g), the second one's as small as can be."""
    cp = pytest.importorskip("cvxpy")
    a = np.array([1 - g, g])
    q = cp.Variable(2, nonneg=True)
    inside = {
        ChiSquareBall: lambda: cp.sum(cp.square(q - a) / a) / 2 <= ball.rho,
        KullbackLeiblerBall: lambda: cp.sum(cp.rel_entr(q, a)) <= ball.rho,
        TotalVariationBall: lambda: cp.norm1(q - a) / 2 <= ball.rho,
        CvarBall: lambda: q / a <= 1 / (1 - ball.share),
    }[type(ball)]()
    problem = cp.Problem(cp.Minimize(q[1]), [cp.sum(q) == 1, inside])
    return float(problem.solve(solver="CLARABEL"))


@pytest.mark.parametrize("name", ["chi-square", "kullback-leibler", "total-variation", "cvar"])
def test_the_residual_share_is_the_optimum_of_two_atoms(name):
    # Clean atom at the target (cost 0), outlier at distance 1: the robust cost is the outlier's least mass, and the
    # theorem's bound (1 − g')·0 + g'·1.
    for g in SHARES:
        for part in PARTS:
            ball = ball_of(name, part * rho_for(g, ball=name))
            found = least_outlier_mass(ball, g)
            assert residual_share(g, ball=ball) == approx(found, abs=2e-5)
            assert contamination_bound(g, clean=0, outliers=1, ball=ball) == residual_share(g, ball=ball)


@pytest.mark.parametrize("name", ["chi-square", "kullback-leibler", "total-variation", "cvar"])
def test_nothing_is_left_exactly_from_the_critical_radius_on(name):
    for g in SHARES:
        critical = rho_for(g, ball=name)
        assert residual_share(g, ball=ball_of(name, critical)) == 0
        assert residual_share(g, ball=ball_of(name, critical * (1 - 1e-6))) > 0
        assert residual_share(g, ball=ball_of(name, 0.0)) == approx(g, rel=1e-12)
        left = [residual_share(g, ball=ball_of(name, part * critical)) for part in np.linspace(0, 1, 21)]
        assert all(more > less for more, less in pairwise(left))


def test_weights_of_the_residual_share_lie_on_the_boundary_of_their_ball():
    # W = (1 − g')/(1 − g) on the clean part and g'/g on the outliers uses up the whole radius.
    for g in SHARES:
        for part in (0.1, 0.5, 0.9):
            balls = {
                name: ball_of(name, part * rho_for(g, ball=name))
                for name in ("chi-square", "kullback-leibler")
            }
            for name, ball in balls.items():
                left = residual_share(g, ball=ball)
                weights, masses = np.array([(1 - left) / (1 - g), left / g]), np.array([1 - g, g])
                used = {
                    "chi-square": masses @ (weights - 1) ** 2 / 2,
                    "kullback-leibler": masses @ (weights * np.log(weights)),
                }[name]
                assert used == approx(ball.rho, rel=1e-9)


def test_the_two_conventions_differ_by_two():
    # E (W − 1)²/2 ≤ rho is Σ (ã − a)²/a ≤ 2 rho.
    for g in SHARES:
        assert residual_share(g, rho=0.004) == residual_share(g, chi2=0.008)
        assert residual_share(g, rho=0.004) == residual_share(g, ball=ChiSquareBall(rho=0.004))
        assert residual_share(g, rho=0.004) == approx(max(0, g - math.sqrt(0.008 * g * (1 - g))))
    assert residual_share(0.2, chi2=0.25 * (1 - 1e-9)) > 0 == residual_share(0.2, chi2=0.25)


def test_the_factor_is_the_papers_form():
    # max(1, 1 + k g − k sqrt(2 rho g (1 − g)))
    for g in SHARES:
        for rho in (0.0, 0.01, 0.1, 5.0):
            for k in (0, 1.0, 30.0):
                form = max(1.0, 1 + k * g - k * math.sqrt(2 * rho * g * (1 - g)))
                assert contamination_factor(g, ratio=k, rho=rho) == approx(form)


def test_without_contamination_nothing_is_added():
    assert residual_share(0, rho=0.0) == 0
    assert contamination_bound(0, clean=3.5, outliers=1e9, rho=0) == 3.5
    assert contamination_factor(0, ratio=7, ball=CvarBall(share=0)) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"contamination": 1.0, "rho": 0.1}, "at least 0 and below 1"),
        ({"contamination": 0.1}, "given by nothing; give exactly one of rho, chi2 and ball"),
        ({"contamination": 0.1, "rho": 0.1, "chi2": 0.2}, "given by rho and chi2"),
        ({"contamination": 0.1, "rho": -0.1}, "0 or larger"),
    ],
)
def test_what_has_no_residual_share_is_refused(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        residual_share(arguments.pop("contamination"), **arguments)


def test_costs_that_are_no_numbers_are_refused():
    with pytest.raises(UserError, match="outliers is inf"):
        contamination_bound(0.1, clean=1.0, outliers=math.inf, rho=0.1)
    with pytest.raises(UserError, match="at least 0"):
        contamination_factor(0.1, ratio=-1.0, rho=0.1)
