"""Narrow GANs in a fleet of wide ones train as they do alone, and their padding stays zero."""

import pytest
import torch
from tests.gan.helpers import blobs, small

from saddle.core.state import member, stack
from saddle.gan import make_dynamics, make_gan
from saddle.gan.acceleration.padding import cut, padded, padding_of
from saddle.gan.batches import GanBatches, member_generators

CONFIGS = {
    "mlp": small(arch="mlp"),
    "dcgan": small(),
    "wgan-gp-spectral": small(loss="wasserstein", gradient_penalty=10.0, spectral_norm="both"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_widths_train_together_as_apart_and_padding_stays_zero(name):
    config = CONFIGS[name]
    narrow, wide = (make_gan(config, width_g=k, width_d=k, size=8, channels=1) for k in (1, 3))
    own, other = narrow.init(member_generators([0], 0)), wide.init(member_generators([1], 0))
    inside = padded(own, narrow, wide)
    assert all(torch.equal(value, own[key]) for key, value in cut(inside, narrow, wide).items())
    dynamics = make_dynamics(config)

    def train(problem, state, seeds):
        source, memory = GanBatches(blobs(), seeds=seeds, batch=16, latent=8), dynamics.init(problem, state)
        for step in range(3):
            source.step = step
            state, memory = dynamics.step(problem, state, memory, source)
        return state, memory

    together, memory = train(wide, stack([inside, other]), [0, 1])
    alone, own_memory = train(narrow, own, [0])
    first = member(together, 0)
    assert float(padding_of(first, narrow, wide)) == 0.0
    found = cut(first, narrow, wide)
    for key, expected in alone.items():
        # As for any two kernels: gradients that are rounding may take Adam's step h = 2e-4 either way, three times.
        torch.testing.assert_close(found[key], expected, rtol=0, atol=2 * 3 * 2e-4)
    means = cut(
        {
            key: memory["adam.mean/" + key][:1] if "adam.mean/" + key in memory else first[key]
            for key in alone
        },
        narrow,
        wide,
    )
    expected = {key: own_memory["adam.mean/" + key] for player in narrow.players for key in player.keys}
    scale = max(float(value.abs().max()) for value in expected.values())
    for key, value in expected.items():
        torch.testing.assert_close(means[key], value, rtol=0, atol=1e-3 * scale)
