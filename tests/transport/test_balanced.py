"""Balanced transport by either solver, certified."""

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist

from saddle.errors import UserError
from saddle.transport import TotalVariationBall, balanced, balanced_solvers, robust


@pytest.fixture(params=["POT", "HiGHS"])
def solver(request, monkeypatch):
    if request.param == "HiGHS":  # As on a machine without the extra.
        monkeypatch.setattr(balanced_solvers, "find_spec", lambda name: None)
    return request.param


def test_on_a_line_the_optimal_plan_is_sorted(solver):
    # W1 between equally many points of a line is the mean distance of the sorted points.
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 1)), rng.normal(size=(40, 1)) + 1
    found = balanced(x, y)
    assert found.value == pytest.approx(np.abs(np.sort(x, axis=0) - np.sort(y, axis=0)).mean(), rel=1e-12)
    assert found.certified and found.gap <= 1e-12 and solver in found.solver
    np.testing.assert_allclose(found.weights, 1, atol=1e-12)
    assert (cdist(x, y) - found.potential_x[:, None] - found.potential_y).min() >= -1e-12


def test_masses_and_shapes(solver):
    rng = np.random.default_rng(1)
    cost = rng.uniform(size=(30, 17)) - 0.5
    a, b = rng.dirichlet(np.ones(30)), rng.dirichlet(np.ones(17))
    a[3], b[5] = 0, 0
    a, b = a / a.sum(), b / b.sum()
    found = balanced(cost=cost, a=a, b=b)
    assert found.value == pytest.approx(ot.emd2(a, b, cost), rel=1e-10)
    assert found.plan is not None
    np.testing.assert_allclose(found.plan.sum(axis=1), a, atol=1e-15)
    np.testing.assert_allclose(found.plan.sum(axis=0), b, atol=1e-15)


def test_the_gradient_by_masses_is_the_potential(solver):
    # dV/da = f up to a constant (linear programming duality).
    rng = np.random.default_rng(2)
    cost, direction = rng.uniform(size=(9, 7)), rng.normal(size=9)
    direction -= direction.mean()
    a, step = rng.dirichlet(5 * np.ones(9)), 1e-6
    found = balanced(cost=cost, a=a)
    change = (
        balanced(cost=cost, a=a + step * direction).value - balanced(cost=cost, a=a - step * direction).value
    )
    assert found.gradient_a is not None
    assert change / (2 * step) == pytest.approx(float(found.gradient_a @ direction), rel=1e-6)


def test_without_pot_a_program_of_hours_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr(balanced_solvers, "find_spec", lambda name: None)
    points = np.zeros((800, 1))
    with pytest.raises(UserError, match=r"800 x 800 nodes .*\[transport\]"):
        balanced(points, points)
    with pytest.raises(UserError, match="install POT"):
        robust(points, points, ball=TotalVariationBall(rho=0.1))
