"""Every architecture, size and channel count keeps what `check_network` asks of a network."""

from dataclasses import dataclass

import pytest
import torch

from saddle.networks import ARCHITECTURES, SIZES, Layer, Linear, Network, discriminator, generator
from saddle.testing.network import check_network

SMALL = [size for size in SIZES if size <= 64]


@pytest.mark.parametrize("spectral", [False, True], ids=["plain", "spectral"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SMALL)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_networks_conform(architecture, size, channels, spectral):
    width = 8 if architecture == "mlp" else 2 if size >= 28 else 3
    make = {"width": width, "size": size, "channels": channels, "spectral_norm": spectral}
    g = generator(architecture, **make, latent=6)
    d = discriminator(architecture, **make)
    assert (g.input_shape, g.output_shape) == ((6,), (channels, size, size))
    assert (d.input_shape, d.output_shape) == ((channels, size, size), ())
    check_network(g, fleet=2, batch=3)
    check_network(d, fleet=2, batch=3)
    state = g.init([torch.Generator().manual_seed(0)])
    images = g(state, 100 * torch.randn(1, 3, 6))
    assert images.abs().max() <= 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_discriminator_can_have_batch_norm_or_none(architecture):
    normed = discriminator(architecture, width=4, size=16, channels=1, norm="batch")
    plain = discriminator(architecture, width=4, size=16, channels=1, norm="none")
    check_network(normed)
    check_network(plain)
    assert normed.statistic_names
    assert not plain.statistic_names


@pytest.mark.parametrize("architecture", ["dcgan", "resnet"])
def test_the_adjoint_kernel_is_used_and_conforms(architecture):
    # 8 < inputs ≤ 16 a member in a fleet: `adjoint_pays`.
    check_network(generator(architecture, width=12, size=8, channels=1, latent=5), fleet=2, batch=3)


@dataclass(frozen=True, kw_only=True)
class _Mean(Layer):
    """A layer in which members mix."""

    inner: Linear

    @property
    def parameter_shapes(self):
        return self.inner.parameter_shapes

    def init(self, generator):
        return self.inner.init(generator)

    def output_shape(self, shape):
        return self.inner.output_shape(shape)

    def apply(self, state, x):
        y = self.inner.apply(state, x)
        return y + 1e-3 * y.mean(0, keepdim=True)


def test_members_that_mix_are_caught():
    network = Network(layers=(_Mean(inner=Linear(name="a", inputs=3, outputs=2, std=1.0)),), input_shape=(3,))
    with pytest.raises(AssertionError, match=r"off by|depends on another member"):
        check_network(network)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_128_pixels_have_shapes_and_counts(architecture):
    make = {"width": 1, "size": 128, "channels": 3}
    g, d = generator(architecture, **make, latent=4), discriminator(architecture, **make)
    state = g.init([torch.Generator()]) | d.init([torch.Generator()])
    images = g(state, torch.zeros(1, 2, 4))
    assert images.shape == (1, 2, 3, 128, 128)
    assert d(state, images).shape == (1, 2)
    assert sum(state[key].numel() for key in g.parameters) == g.parameter_count
