"""The two-scalar form: its maximum is the robust mean, and on batches it has no bias where the robust mean has one."""

import numpy as np
import pytest
import torch
from pytest import approx

from saddle.errors import UserError
from saddle.transport import TwoScalarWeights, robust_mean, two_scalar_objective, weights

CHI2 = 0.5


def population(count: int = 20_000) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    scores = torch.randn(count, generator=draw, dtype=torch.float64)
    scores[: count // 20] += 5
    return scores


def optimum(f: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`t` and `log l` from the exact weights: W = (t − f)₊/E(t − f)₊ is affine in f, with slope −1/E(t − f)₊."""
    w = weights(f, chi2=CHI2)
    low, high = f.argmin(), torch.where(w > 0, f, -torch.inf).argmax()
    first = (f[high] - f[low]) / (w[low] - w[high])
    t = f[low] + w[low] * first
    return t, (t - f).clamp_min(0).square().mean().log() / 2


def test_its_maximum_is_the_robust_mean():
    f = population(500)
    t, log_l = (z.requires_grad_() for z in optimum(f))
    value = two_scalar_objective(f, t, log_l, chi2=CHI2)
    assert value.item() == approx(robust_mean(f, chi2=CHI2).item(), rel=1e-10)
    # Concave with gradient zero: the maximum.
    for gradient in torch.autograd.grad(value, (t, log_l)):
        assert gradient.item() == approx(0, abs=1e-9)
    draw = torch.Generator().manual_seed(1)
    near_t = t.detach() + torch.randn(200, generator=draw, dtype=torch.float64)
    near_l = log_l.detach() + torch.randn(200, generator=draw, dtype=torch.float64)
    assert (two_scalar_objective(f.expand(200, -1), near_t, near_l, chi2=CHI2) <= value.detach()).all()


def test_its_gradient_by_the_scores_is_the_weight():
    f = population(300)
    t, log_l = optimum(f)
    f.requires_grad_()
    two_scalar_objective(f, t, log_l, rho=CHI2 / 2).backward()
    assert f.grad is not None
    assert torch.allclose(f.grad, weights(f.detach(), chi2=CHI2) / 300, atol=1e-12)


def test_batches_estimate_it_without_bias_while_their_own_robust_mean_is_too_high():
    f = population()
    s = robust_mean(f, chi2=CHI2).item()
    t, log_l = optimum(f)
    draw = torch.Generator().manual_seed(2)
    batches = f[torch.randint(len(f), (20_000, 16), generator=draw)]
    fixed = two_scalar_objective(batches, t.expand(20_000), log_l.expand(20_000), chi2=CHI2)
    own = robust_mean(batches, chi2=CHI2)
    error = fixed.std().item() / 20_000**0.5
    assert abs(fixed.mean().item() - s) <= 4 * error
    assert own.mean().item() - s > 10 * own.std().item() / 20_000**0.5


def test_the_tracker_finds_the_scalars_of_the_population():
    f = population()
    t, log_l = optimum(f)
    draw = torch.Generator().manual_seed(3)
    tracker = TwoScalarWeights(chi2=CHI2, decay=0.995)
    values = []
    for index in range(600):
        batch = f[torch.randint(len(f), (50, 32), generator=draw)]
        w = tracker(batch)
        if index >= 200:
            values.append((w * batch).mean(-1))
    # Fifty streams: their mean is off by the standard error, and each by the noise of some 200 batches of 32.
    spread = tracker.t.std().item()
    assert tracker.t.mean().item() == approx(t.item(), abs=4 * spread / 50**0.5 + 0.02)
    assert tracker.log_l.mean().item() == approx(log_l.item(), abs=0.02)
    means = torch.stack(values).mean(0)
    assert abs(means.mean().item() - robust_mean(f, chi2=CHI2).item()) <= 4 * means.std().item() / 50**0.5


def test_the_first_batch_chooses_its_own_weights():
    f = population(64)
    assert torch.allclose(TwoScalarWeights(chi2=CHI2)(f), weights(f, chi2=CHI2), atol=1e-9)


def test_the_tracker_follows_a_shift():
    draw = torch.Generator().manual_seed(4)
    tracker, w = TwoScalarWeights(chi2=CHI2, decay=0.9), torch.empty(0)
    for offset in [0.0] * 60 + [100.0] * 200 + [-100.0] * 200:
        w = tracker(offset + torch.randn(64, generator=draw, dtype=torch.float64))
    # Root for a normal distribution: shifted with it.
    normal = torch.randn(100_000, generator=draw, dtype=torch.float64)
    assert tracker.t.item() == approx(optimum(normal)[0].item() - 100, abs=0.4)
    assert w.mean().item() == approx(1, abs=0.3)


def test_what_is_refused():
    with pytest.raises(UserError, match="exactly one of rho"):
        TwoScalarWeights()
    with pytest.raises(UserError, match="decay"):
        TwoScalarWeights(rho=0.1, decay=1.0)
    with pytest.raises(UserError, match="exactly one of rho"):
        two_scalar_objective(torch.zeros(3), torch.tensor(0.0), torch.tensor(0.0))
    assert np.isfinite(TwoScalarWeights(rho=0.1)(torch.zeros(5)).numpy()).all()
