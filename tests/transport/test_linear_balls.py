"""Total-variation and CVaR balls: exact, by balanced transport on a larger graph."""

from typing import Any

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist
from tests.transport.oracle import conic

from saddle.errors import UserError
from saddle.transport import (
    ChiSquareBall,
    CvarBall,
    TotalVariationBall,
    balanced,
    balanced_solvers,
    robust,
    robust_mean,
)


def clouds(n, m, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5
    x[: n // 10] += 9
    return x, y


BALLS = {
    "TV": (TotalVariationBall(rho=0.13), None),
    "TV, both": (TotalVariationBall(rho=0.13), TotalVariationBall(rho=0.3)),
    "TV on y": (None, TotalVariationBall(rho=0.13)),
    "CVaR": (CvarBall(share=0.13), None),
    "CVaR, both": (CvarBall(share=0.13), CvarBall(share=0.3)),
    "mixed": (TotalVariationBall(rho=0.13), CvarBall(share=0.2)),
}


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("name", BALLS)
def test_the_value_is_that_of_a_conic_solver(name, uniform):
    ball_x, ball_y = BALLS[name]
    rng = np.random.default_rng(3)
    x, y = clouds(20, 13) if uniform else clouds(11, 18)
    cost = cdist(x, y) - (0.0 if uniform else 2.0)
    a = np.full(len(x), 1 / len(x)) if uniform else rng.dirichlet(np.ones(len(x)))
    b = np.full(len(y), 1 / len(y)) if uniform else rng.dirichlet(np.ones(len(y)))
    found = robust(cost=cost, a=a, b=b, ball=ball_x, ball_y=ball_y)
    assert found.gap <= 1e-11
    # A shift of all costs shifts the value: the oracle scales by the median and wants positive costs.
    shift = 0.0 if uniform else 2.0
    assert found.value + shift == pytest.approx(conic(cost + shift, a, b, ball_x, ball_y), rel=1e-6)
    plan = found.plan
    assert plan is not None and plan.min() >= 0 and plan.sum() == pytest.approx(1, abs=1e-13)
    for weights, masses, ball in ((found.weights_x, a, ball_x), (found.weights_y, b, ball_y)):
        if isinstance(ball, TotalVariationBall):
            assert masses @ abs(weights - 1) / 2 <= ball.rho + 1e-12
        elif isinstance(ball, CvarBall):
            assert weights.max() <= 1 / (1 - ball.share) + 1e-11


def test_highs_gives_the_same(monkeypatch):
    x, y = clouds(20, 13)
    ball = TotalVariationBall(rho=0.1)
    value = robust(x, y, ball=ball, ball_y=ball).value
    monkeypatch.setattr(balanced_solvers, "find_spec", lambda name: None)
    assert robust(x, y, ball=ball, ball_y=ball).value == pytest.approx(value, rel=1e-10)


def test_cvar_is_partial_transport():
    # Ship 1 − g of a/(1 − g)'s mass: POT's partial transport of a onto (1 − g) b, divided by 1 − g.
    x, y = clouds(20, 15)
    cost, share = cdist(x, y), 0.1
    a, b = np.full(20, 1 / 20), np.full(15, 1 / 15)
    plan: Any = ot.partial.partial_wasserstein(a, (1 - share) * b, cost, m=1 - share)
    expected = float(np.vdot(plan, cost)) / (1 - share)
    assert robust(x, y, ball=CvarBall(share=share)).value == pytest.approx(expected, rel=1e-9)


def test_all_mass_moved_leaves_the_smallest_cost():
    x, y = clouds(10, 8)
    value = robust(x, y, ball=TotalVariationBall(rho=2), ball_y=TotalVariationBall(rho=1)).value
    assert value == pytest.approx(cdist(x, y).min(), rel=1e-12)


def test_an_empty_ball_is_balanced_transport():
    x, y = clouds(10, 8)
    exact = balanced(x, y).value
    assert robust(x, y, ball=CvarBall(share=0)).value == pytest.approx(exact, rel=1e-12)
    assert robust(x, y, ball=TotalVariationBall(rho=0)).value == pytest.approx(exact, rel=1e-12)


def test_to_a_single_sample_it_is_the_robust_mean_of_the_costs():
    x, y = clouds(20, 1)
    for ball in (TotalVariationBall(rho=0.12), CvarBall(share=0.12)):
        expected = float(robust_mean(cdist(x, y)[:, 0], ball=ball))
        assert robust(x, y, ball=ball).value == pytest.approx(expected, rel=1e-12)


def test_a_flat_and_a_round_ball_are_refused_together():
    x, y = clouds(10, 8)
    with pytest.raises(UserError, match="cvar ball on one side and a chi-square"):
        robust(x, y, ball=CvarBall(share=0.1), ball_y=ChiSquareBall(rho=0.1))
