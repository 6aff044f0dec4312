"""Facts of the neural network divergence."""

from dataclasses import replace
from math import sqrt

import pytest
import torch
from torch import nn

from saddle.errors import UserError
from saddle.metrics import NndConfig, NndStopped, draw_from, frechet_distance, neural_divergence
from saddle.metrics.divergence.batches import PairBatches, stream
from saddle.metrics.divergence.cost import gain
from saddle.metrics.divergence.critic import Critic

TINY = NndConfig(width=4, iterations=5, batch=8, evaluation_batches=6)


def uniform(low, high, *shape):
    return lambda n, generator: torch.randint(low, high, (n, *shape), generator=generator).to(torch.uint8)


def images(draw, n, seed):
    return draw(n, torch.Generator().manual_seed(seed))


def values(draws, real, config, seeds):
    return [each.value for each in neural_divergence(draws, real, config=config, seeds=seeds)]


def test_the_published_toy_check_at_half_its_size():
    # Uniform integers [0, 246) against [10, 256), batch 64, 100 iterations, EMA 0.9: the published code accepts
    # [4, 7] at 32x32x3 and width 64 (`benchmarks/measure_nnd_bias.py --toy` does just that, in a minute). What a
    # linear critic sees is the shift of the mean, d = 10/128 √(pixels) = 4.33, worth d + d²/40 = 4.80 by the bound in
    # `gain`. At half the side d is half, and so is the interval; at half the width the step is doubled.
    config = NndConfig(width=32, lr=4e-4, iterations=100, batch=64, ema=0.9, evaluation_batches=10)
    real = images(uniform(0, 246, 3, 16, 16), 8192, 1)
    (found,) = neural_divergence([uniform(10, 256, 3, 16, 16)], real, config=config, seeds=[0])
    assert 4 / 2 <= found.value <= 7 / 2
    assert found.standard_error < 0.05


@pytest.mark.parametrize("gap", [24, 60])
def test_two_point_masses_are_apart_by_what_the_bound_says(gap):
    # One image each, every pixel apart by gap/128: r = gap/128 · 8, and no critic exceeds r + r²/40 (up to the
    # dequantisation noise, whose variance 1/(12·128²) a pixel moves r² by 64/(6·128²) = 6.5e-4).
    config = NndConfig(width=8, iterations=150, batch=16, lr=2e-3, ema=0.9, evaluation_batches=20)
    real = torch.full((1, 1, 8, 8), 100, dtype=torch.uint8)
    (found,) = values([draw_from(real + gap)], real, config, [0])
    r = gap / 128 * 8
    assert 0.97 * (r + r**2 / 40) < found < r + r**2 / 40 + 0.01


def test_equal_distributions_have_no_positive_divergence():
    # For x, y of one distribution E D(x) - E D(y) = 0 whatever D, so the value is minus a penalty, in expectation
    # over the fresh evaluation batches; a critic with slope 1 everywhere would reach 0.
    real = images(uniform(0, 256, 1, 8, 8), 200, 3)
    config = NndConfig(width=8, iterations=80, batch=32, lr=1e-3, ema=0.9, evaluation_batches=60)
    (found,) = neural_divergence([draw_from(real)], real, config=config, seeds=[1])
    assert -0.5 < found.value < 4 * found.standard_error


def test_a_memorised_training_set_loses_to_the_distribution_and_fd_is_fooled():
    # Images of a fixed pattern times a random amplitude, plus pixel noise. The memoriser owns 8 of them: on those
    # its Fréchet distance is that of 8 points to themselves, far below that of the true distribution; the held-out
    # side, and the critic, see eight points in the place of a continuum.
    def truth(n, generator):
        pattern = torch.linspace(-1, 1, 64).view(1, 8, 8)
        amplitude = torch.randn(n, 1, 1, 1, generator=generator)
        noise = torch.randn(n, 1, 8, 8, generator=generator)
        return (128 + 30 * amplitude * pattern + 20 * noise).clamp(0, 255).to(torch.uint8)

    train, held_out = images(truth, 8, 0), images(truth, 2000, 1)
    config = NndConfig(width=8, iterations=150, batch=32, lr=1e-3, ema=0.95, evaluation_batches=30)
    memorised, generalised = neural_divergence(
        [draw_from(train), truth], held_out, config=config, seeds=[0, 0]
    )
    error = sqrt(memorised.standard_error**2 + generalised.standard_error**2)
    assert memorised.value > generalised.value + 5 * error

    def pixels(x):
        return x.flatten(1).double()

    copied, fresh = images(draw_from(train), 64, 2), images(truth, 64, 2)
    assert frechet_distance(pixels(train), pixels(copied)) < 0.5 * frechet_distance(
        pixels(train), pixels(fresh)
    )


def test_a_fleet_is_its_members():
    real = images(uniform(0, 200, 3, 10, 10), 30, 0)
    draws = [uniform(50, 256, 3, 10, 10), uniform(0, 256, 3, 10, 10), draw_from(real)]
    together = neural_divergence(draws, real, config=TINY, seeds=[5, 6, 7])
    for draw, seed, member in zip(draws, [5, 6, 7], together, strict=True):
        (alone,) = neural_divergence([draw], real, config=TINY, seeds=[seed])
        assert member.value == pytest.approx(alone.value, rel=1e-4, abs=1e-5)
        assert member.standard_error == pytest.approx(alone.standard_error, rel=1e-3)
    again = neural_divergence(draws, real, config=TINY, seeds=[5, 6, 7])
    assert again == together
    assert len({each.value for each in together}) == 3


class Same(nn.Module):
    """TensorFlow's SAME padding of an even side, 5x5 and stride 2: one pixel before, two after."""

    def forward(self, x):
        return nn.functional.pad(x, (1, 2, 1, 2))


def test_three_steps_are_those_of_torch():
    # The same critic as modules with torch's Adam, a LambdaLR and an average by hand. The second moments differ in
    # where epsilon = 1e-8 stands, far below the tolerance.
    config = replace(TINY, iterations=3, evaluation_batches=2, width=3, ema=0.5, lr=0.01)
    real = images(uniform(0, 256, 2, 8, 8), 20, 0)
    draw = uniform(40, 256, 2, 8, 8)
    (found,) = neural_divergence([draw], real, config=config, seeds=[3])

    parameters = Critic(width=3, channels=2, size=8).init([stream(3, 0)])
    layers: list[nn.Module] = []
    for inputs, outputs in ((2, 3), (3, 6), (6, 12)):
        layers += [Same(), nn.Conv2d(inputs, outputs, 5, 2), nn.SiLU()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(12, 1))
    for own, fresh in zip(model.parameters(), parameters, strict=True):
        own.data = fresh[0].reshape(own.shape).clone()
    average = [each.detach().clone() for each in model.parameters()]
    adam = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.0, 0.9))
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / 3)
    batches = PairBatches([draw], real, seeds=[3], batch=8, device="cpu")

    def cost():
        x, y, mix = batches.next()
        between = (x + mix[:, :, None, None] * (y - x)).requires_grad_()
        (gradient,) = torch.autograd.grad(model(between).sum(), between, create_graph=True)
        penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        return model(y).mean() - model(x).mean() + 10 * penalty

    for _ in range(3):
        adam.zero_grad()
        cost().backward()
        adam.step()
        falling.step()
        average = [(a + b.detach()) / 2 for a, b in zip(average, model.parameters(), strict=True)]
    for own, mean in zip(model.parameters(), average, strict=True):
        own.data = mean
    expected = -(cost() + cost()).detach() / 2
    assert found.value == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("size", "features"), [(8, 1), (28, 16), (32, 16), (33, 25)])
def test_the_critic_has_the_published_shape_and_scale(size, features):
    # "SAME" padding: the side goes n → ⌈n/2⌉ three times. He: E w² = 2/fan_in.
    critic = Critic(width=64, channels=3, size=size)
    parameters = critic.init([torch.Generator().manual_seed(0)])
    assert [tuple(each.shape[1:]) for each in parameters] == [
        (64, 3, 5, 5), (64,), (128, 64, 5, 5), (128,), (256, 128, 5, 5), (256,), (256 * features,), (1,)
    ]  # fmt: skip
    for weight, fan_in in ((parameters[2], 64 * 25), (parameters[4], 128 * 25)):
        assert float(weight.square().mean() * fan_in) == pytest.approx(2, rel=0.02)
        assert float(weight.abs().max()) < 2.3 * sqrt(2 / fan_in)
    assert all(not each.any() for each in parameters[1::2])
    with torch.no_grad():
        assert critic(parameters, torch.zeros(2, 3, size, size)).shape == (2, 1)


def test_the_gain_of_a_linear_critic_is_its_closed_form():
    # D(x) = a·x has ∇D = a: gain = a·(mean x - mean y) - λ (|a| - 1)².
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(6, 2, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    a = torch.randn(2, 4, 4, generator=generator, dtype=torch.float64)
    mix = torch.rand(6, 1, generator=generator, dtype=torch.float64)
    found = gain(lambda z: (z * a).sum((1, 2, 3))[:, None], x, y, mix, penalty=7.0, trains=False)
    expected = (a * (x - y).mean(0)).sum() - 7 * (a.norm() - 1) ** 2
    assert float(found) == pytest.approx(float(expected), rel=1e-7)


def test_progress_counts_and_stopping_stops():
    real = images(uniform(0, 256, 1, 8, 8), 20, 0)
    seen: list[tuple[int, int]] = []
    neural_divergence(
        [draw_from(real)],
        real,
        config=TINY,
        seeds=[0],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(i, 11) for i in range(1, 12)]
    with pytest.raises(NndStopped, match="stopped after 3 of 11"):
        neural_divergence(
            [draw_from(real)], real, config=TINY, seeds=[0],
            progress=lambda done, total: seen.append((done, total)), stopping=lambda: len(seen) >= 14,
        )  # fmt: skip


def test_a_sampler_may_run_in_inference_mode():
    real = images(uniform(0, 256, 1, 8, 8), 20, 0)
    draw = draw_from(real)
    assert values([torch.inference_mode()(draw)], real, TINY, [0]) == values([draw], real, TINY, [0])


def test_the_curve_covers_the_training():
    real = images(uniform(0, 256, 1, 8, 8), 20, 0)
    config = replace(TINY, iterations=101)
    (found,) = neural_divergence([draw_from(real)], real, config=config, seeds=[0])
    assert [at for at, _ in found.curve] == [*range(3, 100, 3), 101]
    assert found.config == config


def test_what_a_user_can_get_wrong_is_said():
    real = images(uniform(0, 256, 1, 8, 8), 20, 0)
    with pytest.raises(UserError, match="1 generators were given with 2 seeds"):
        neural_divergence([draw_from(real)], real, config=TINY, seeds=[0, 1])
    with pytest.raises(UserError, match="no real images"):
        neural_divergence([draw_from(real)], real[:0], config=TINY, seeds=[0])
    with pytest.raises(UserError, match=r"Generator 0 drew a torch.uint8 tensor of shape \(8, 1, 9, 9\)"):
        neural_divergence([uniform(0, 9, 1, 9, 9)], real, config=TINY, seeds=[0])
    with pytest.raises(UserError, match="8x6 pixels"):
        neural_divergence([draw_from(real)], real[..., :6].contiguous(), config=TINY, seeds=[0])
    with pytest.raises(UserError, match="iterations is 0"):
        NndConfig(iterations=0)
    with pytest.raises(UserError, match="a decay lies in"):
        NndConfig(ema=1.0)
    with pytest.raises(UserError, match="penalty is 0"):
        NndConfig(penalty=0.0)


def test_exact_is_the_published_protocol():
    assert NndConfig.exact() == NndConfig(
        width=64, iterations=100_000, batch=256, lr=2e-4, penalty=10.0, ema=0.999, evaluation_batches=10_000
    )
