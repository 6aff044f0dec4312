"""Losses at their analytic values and gradients."""

import math

import pytest
import torch
from pytest import approx

from saddle.gan.losses import make_loss

LOSSES = ("non-saturating", "least-squares", "hinge", "wasserstein", "relativistic")


def zeros() -> torch.Tensor:
    return torch.zeros(2, 5, dtype=torch.float64)


# At r = f = 0 softplus is log 2: by hand from each formula.
AT_ZERO = {
    "non-saturating": (2 * math.log(2), math.log(2)),
    "least-squares": (0.5, 0.5),
    "hinge": (2.0, 0.0),
    "wasserstein": (0.0, 0.0),
    "relativistic": (math.log(2), math.log(2)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_values_at_zero_logits(name):
    loss = make_loss(name)
    discriminator, generator = AT_ZERO[name]
    assert loss.discriminator(zeros(), zeros()).tolist() == approx([discriminator] * 2)
    assert loss.generator(zeros(), zeros()).tolist() == approx([generator] * 2)


@pytest.mark.parametrize("name", LOSSES)
def test_each_player_wants_what_a_gan_wants(name):
    # The discriminator wants real logits up and fake logits down; the generator wants fake logits up.
    real, fake = zeros().requires_grad_(), zeros().requires_grad_()
    loss = make_loss(name)
    up, down = torch.autograd.grad(loss.discriminator(real, fake).sum(), (real, fake), allow_unused=True)
    assert (up < 0).all()
    if name != "least-squares":  # its fake term has its minimum at 0
        assert (down > 0).all()
    (wanted,) = torch.autograd.grad(loss.generator(fake, real.detach()).sum(), fake)
    assert (wanted < 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_members_do_not_mix(name):
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 3, 7, generator=generator, dtype=torch.float64)
    loss = make_loss(name)
    both = loss.discriminator(real, fake), loss.generator(fake, real)
    for i in range(3):
        assert both[0][i] == loss.discriminator(real[i : i + 1], fake[i : i + 1])[0]
        assert both[1][i] == loss.generator(fake[i : i + 1], real[i : i + 1])[0]


def test_relativistic_needs_real_logits_and_says_so():
    assert make_loss("relativistic").paired
    assert not make_loss("hinge").paired
