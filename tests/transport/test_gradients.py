"""The loss's gradients, the envelope theorem's, against finite differences."""

from typing import Any

import numpy as np
import pytest
import torch

from saddle.errors import UserError
from saddle.transport import (
    CvarBall,
    KullbackLeiblerBall,
    NotCertifiedError,
    TotalVariationBall,
    rho_for,
    robust,
    robust_loss,
)

BALLS: dict[str, dict[str, Any]] = {
    "chi-square, one side": {"rho": 0.1},
    "chi-square": {"rho": 0.1, "rho_y": 0.2},
    "chi-square on y": {"rho_y": 0.1},
    "mass-free": {"rho": 0.1, "rho_y": 0.1, "mass": "free"},
    "kullback-leibler": {"ball": KullbackLeiblerBall(rho=0.1), "ball_y": KullbackLeiblerBall(rho=0.05)},
    "total variation": {"ball": TotalVariationBall(rho=0.13)},
    "cvar": {"ball": CvarBall(share=0.13)},
    "balanced": {"rho": 0},
}


def inputs() -> list[Any]:
    rng = np.random.default_rng(0)
    made = (
        rng.normal(size=(12, 2)),
        rng.normal(size=(9, 2)),
        rng.dirichlet(3 * np.ones(12)),
        rng.dirichlet(3 * np.ones(9)),
    )
    return [torch.tensor(each, requires_grad=True) for each in made]


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
@pytest.mark.parametrize("name", BALLS)
def test_points_and_masses(name, cost):
    tensors = inputs()

    def loss(x, y, a, b):
        return robust_loss(x, y, a=a, b=b, cost=cost, tol=1e-10, **BALLS[name])

    loss(*tensors).backward()
    # Flat balls make the value piecewise smooth: a small step stays on the piece.
    step = 1e-6 if name in ("total variation", "cvar", "balanced") else 1e-4
    generator = torch.Generator().manual_seed(0)
    for index, tensor in enumerate(tensors):
        direction = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        if tensor.ndim == 1:  # Masses keep their sum.
            direction -= direction.mean()
        ends = []
        for sign in (1, -1):
            moved = [each.detach() for each in tensors]
            moved[index] = moved[index] + sign * step * direction
            ends.append(loss(*moved).item())
        slope = float((tensor.grad * direction).sum())
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=3.5e-6)


def test_the_gradient_by_the_cost_is_the_plan():
    rng = np.random.default_rng(1)
    cost: Any = torch.tensor(rng.uniform(1, 2, size=(8, 6)), requires_grad=True)
    (2 * robust_loss(cost=cost, rho=0.1, tol=1e-10)).backward()
    assert cost.grad.sum() == pytest.approx(2, abs=1e-12) and cost.grad.min() >= 0
    direction = torch.tensor(rng.normal(size=(8, 6)))
    ends = [
        robust_loss(cost=cost.detach() + sign * 1e-4 * direction, rho=0.1, tol=1e-10).item()
        for sign in (1, -1)
    ]
    slope = float((cost.grad * direction).sum()) / 2
    assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(slope, abs=3.5e-6)


def test_at_distance_zero_the_euclidean_gradient_is_zero():
    x: Any = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = robust_loss(x, x.detach().clone(), rho=0.1, rho_y=0.1)
    loss.backward()
    assert loss.dtype == torch.float32 and torch.isfinite(x.grad).all()
    assert x.grad.abs().max() < 1e-5


def test_only_what_asks_gets_a_gradient():
    x, y, a, _ = inputs()
    y.requires_grad_(False)
    robust_loss(x, y, a=a, rho=0.1).backward()
    assert x.grad is not None and a.grad is not None and y.grad is None


def test_a_descent_moves_a_cloud_onto_the_other_but_not_onto_its_outlier():
    generator = torch.Generator().manual_seed(0)
    data = torch.cat([torch.randn(19, 2, generator=generator), torch.full((1, 2), 20.0)])
    points = torch.randn(20, 2, generator=generator, requires_grad=True)
    for _ in range(8):
        loss = robust_loss(data, points, rho=1.1 * rho_for(1 / 20), cost="sqeuclidean")
        (gradient,) = torch.autograd.grad(loss, points)
        points = (points - 8 * gradient).detach().requires_grad_(True)
    assert loss.item() < 0.1 and points.abs().max() < 5


def test_what_is_not_certified_gives_no_loss():
    x, y, *_ = inputs()
    with pytest.raises(NotCertifiedError):
        robust_loss(x, y, rho=0.1, max_iterations=2)


def test_arrays_and_plans_that_are_not_held_are_refused():
    with pytest.raises(UserError, match=r"saddle\.transport\.robust"):
        robust_loss(cost=np.ones((2, 2)), rho=0.1)
    x, y, *_ = inputs()
    with pytest.raises(UserError, match="exact solver"):
        robust_loss(x, y, rho=0.1, solver="entropic")


def test_whole_numbers_do_not_cut_the_loss_off():
    x, y = torch.tensor([[0], [1]]), torch.tensor([[1], [2]])
    # Of one type with fractions, that one is taken.
    loss = robust_loss(x, 3 * y, a=torch.tensor([0.75, 0.25]), rho=0)
    # ¾ at 0 and ¼ at 1 to ½ at 3 and ½ at 6: means 0.25 and 4.5.
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(4.25)
    half = robust_loss(x, 3 * y, rho=0)
    assert half.dtype == torch.float64 and half.item() == pytest.approx(4)


def test_a_result_names_its_potentials_and_gradients_and_prints_on_one_line():
    rng = np.random.default_rng(0)
    result = robust(rng.normal(size=(30, 2)), rng.normal(size=(20, 2)), chi2=0.1)
    f, g = result.potentials
    assert f is result.potential_x and g is result.potential_y
    assert set(result.gradients) == {"cost", "a", "b"}
    assert result.gradients["cost"] is result.plan
    assert "\n" not in repr(result) and len(repr(result)) < 200
    assert "CERTIFIED" in repr(result)
