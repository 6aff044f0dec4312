"""Gradient penalties of critics whose gradients are known."""

import torch
from pytest import approx

from saddle.gan.penalties import gradient_penalty, squared_gradient


def images(fleet: int = 2, batch: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(fleet, batch, 1, 4, 4, generator=generator, dtype=torch.float64)


def test_a_linear_critic_has_the_norm_of_its_weights():
    # D(x) = <w, x> has |∇D| = |w| everywhere, so the penalty is (|w| - 1)² whatever the mixture.
    weight = torch.full((1, 4, 4), 0.5, dtype=torch.float64)

    def critic(x: torch.Tensor) -> torch.Tensor:
        return (x * weight).sum((2, 3, 4))

    norm = 0.5 * 16**0.5
    mix = torch.rand(2, 3, dtype=torch.float64)
    assert gradient_penalty(critic, images(), -images(), mix).tolist() == approx([(norm - 1) ** 2] * 2)


def test_the_mixture_lies_between_fake_and_real():
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.square().sum((2, 3, 4))

    real, fake = images(), images() + 1
    mix = torch.tensor([[0.0, 0.25, 1.0]] * 2, dtype=torch.float64)
    gradient_penalty(critic, real, fake, mix)
    torch.testing.assert_close(seen[0][:, 0], fake[:, 0])
    torch.testing.assert_close(seen[0][:, 1], 0.25 * real[:, 1] + 0.75 * fake[:, 1])
    torch.testing.assert_close(seen[0][:, 2], real[:, 2])


def test_squared_gradient_of_a_quadratic_critic_and_its_own_gradient():
    # D(x) = a |x|²/2 has ∇D = a x, so E|∇D|² = a² E|x|², with derivative 2a E|x|² in a.
    x = images().requires_grad_()
    scale = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
    logits = scale[:, None] * x.square().sum((2, 3, 4)) / 2
    value = squared_gradient(logits, x)
    mean = x.detach().square().sum((2, 3, 4)).mean(1)
    assert value.tolist() == approx((scale.detach() ** 2 * mean).tolist())
    (slope,) = torch.autograd.grad(value.sum(), scale)
    assert slope.tolist() == approx((2 * scale.detach() * mean).tolist())
