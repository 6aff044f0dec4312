"""Parameter and multiply-add counts against polynomials in the width k, derived by hand."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from saddle.networks import ARCHITECTURES, SIZES, discriminator, generator


# fmt: off
@pytest.mark.parametrize(("architecture", "size", "channels", "parameters", "products"), [
    # 128→k, k→k, k→k, k→CSS with biases: 129k + 2(k² + k) + CSS·k + CSS, with CSS = 192.
    ("mlp", 8, 3, lambda k: 2*k**2 + 323*k + 192, lambda k: 2*k**2 + 320*k),
    # base 128·8k·16; up 8k·4k·16 + 4k·2k·16 + 2k·k·16 = 672k², each 8192k² products (at 4², 8², 16²);
    # norms 2(8 + 4 + 2 + 1)k; image 27k + 3 at 32².
    ("dcgan", 32, 3, lambda k: 672*k**2 + 16441*k + 3, lambda k: 24576*k**2 + 44032*k),
    # base 128·4k·49; up 4k·2k·16 at 7², 2k·k·16 at 14²; norms 2(4 + 2 + 1)k; image 9k + 1 at 28².
    ("dcgan", 28, 1, lambda k: 160*k**2 + 25111*k + 1, lambda k: 12544*k**2 + 32144*k),
    # base 128·16k + 16k; three blocks of 9k² + 9k² + k² and norms 4k; norm 2k; image 27k + 3. With h = 4, 8, 16 the
    # side before the block: 16k²h² (fused up) + 9k²(2h)² + k²h² = 53k²h², Σh² = 336; image 27k·32².
    ("resnet", 32, 3, lambda k: 57*k**2 + 2105*k + 3, lambda k: 17808*k**2 + 29696*k),
])
def test_generator_counts(architecture, size, channels, parameters, products):
    for k in (1, 2, 7, 64):
        network = generator(architecture, width=k, size=size, channels=channels)
        assert (network.parameter_count, network.multiply_adds) == (parameters(k), products(k))


@pytest.mark.parametrize(("architecture", "size", "channels", "norm", "parameters", "products"), [
    # CSS→k, k→k, k→k, k→1 with biases.
    ("mlp", 8, 3, "none", lambda k: 2*k**2 + 196*k + 1, lambda k: 2*k**2 + 193*k),
    # image 27k + k at 32²; down k·2k·16 + 2k·4k·16 + 4k·8k·16, each 8192k² products (at 16², 8², 4²);
    # norms 2(2 + 4 + 8)k, or biases (2 + 4 + 8)k; score 8k·16 + 1.
    ("dcgan", 32, 3, "batch", lambda k: 672*k**2 + 184*k + 1, lambda k: 24576*k**2 + 27776*k),
    ("dcgan", 32, 3, "none", lambda k: 672*k**2 + 170*k + 1, lambda k: 24576*k**2 + 27776*k),
    # image 9k + k at 28²; down k·2k·16 at 14², 2k·4k·16 at 7²; norms 2(2 + 4)k; score 4k·49 + 1.
    ("dcgan", 28, 1, "batch", lambda k: 160*k**2 + 218*k + 1, lambda k: 12544*k**2 + 7252*k),
    # down1: 27k + k at 32², 9k² + k as 4x4 at 16² (16k²), shortcut 3k at 16²; down2: 9k² + k at 16², 9k² + k as 4x4
    # at 8², k² at 8²; two plain blocks of 2(9k² + k) at 8²; score k + 1.
    ("resnet", 32, 3, "none", lambda k: 64*k**2 + 39*k + 1, lambda k: 9792*k**2 + 28417*k),
])
def test_discriminator_counts(architecture, size, channels, norm, parameters, products):
    for k in (1, 2, 7, 64):
        network = discriminator(architecture, width=k, size=size, channels=channels, norm=norm)
        assert (network.parameter_count, network.multiply_adds) == (parameters(k), products(k))
# fmt: on


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_multiply_adds_are_those_that_run(architecture, size):
    # torch's counter sees every convolution and matrix product as it is dispatched; a FLOP count is twice ours.
    make = {"width": 2, "size": size, "channels": 3}
    for network in (generator(architecture, **make), discriminator(architecture, **make)):
        state = network.init([torch.Generator()])
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(state, torch.zeros(1, 2, *network.input_shape))
        assert counter.get_total_flops() == 2 * 2 * network.multiply_adds


def test_spectral_norm_adds_buffers_but_no_parameters():
    for make in (generator, discriminator):
        plain = make("resnet", width=4, size=32, channels=3)
        spectral = make("resnet", width=4, size=32, channels=3, spectral_norm=True)
        assert spectral.parameters == plain.parameters
        assert spectral.parameter_count == plain.parameter_count
        weights = [key for key in plain.parameters if key.endswith(".weight") and "norm" not in key]
        assert len(spectral.buffers) == 2 * len(weights)
        assert not plain.buffers
