"""What cannot be built is refused in whole sentences; what is built starts at the right scale."""

import subprocess
import sys
from typing import Any

import pytest
import torch

from saddle.errors import UserError
from saddle.networks import discriminator, generator

GOOD: dict[str, Any] = {"width": 4, "size": 32, "channels": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 20}, r"do not make 20x20 images.* 8, 14, 16, 28, 32, 64, 128\. Pass --resize 32"),
        ({"size": 256}, r"do not make 256x256"),
        ({"size": 0}, r"0 pixels"),
        ({"width": 0}, r"width 0 has no channels\. Give a width of 1 or more"),
        ({"channels": 4}, r"4 channels are not supported"),
    ],
)
@pytest.mark.parametrize("make", [generator, discriminator])
def test_refusals(make, change, message):
    with pytest.raises(UserError, match=message):
        make("dcgan", **GOOD | change)


def test_unknown_names_are_refused():
    with pytest.raises(UserError, match=r"no architecture 'stylegan'\. Choose one of mlp, dcgan, resnet"):
        generator("stylegan", **GOOD)
    with pytest.raises(UserError, match=r"0 latent numbers"):
        generator("mlp", **GOOD, latent=0)


def test_an_mlp_makes_any_size():
    assert generator("mlp", width=4, size=20, channels=3).output_shape == (3, 20, 20)


def test_the_configuration_needs_no_torch():
    code = "import sys, saddle.networks.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("width", [2, 32])
@pytest.mark.parametrize("architecture", ["mlp", "dcgan"])
def test_fresh_discriminators_neither_starve_nor_explode(architecture, width):
    # Without a norm every layer keeps the second moment of its input, up to borders and the luck of a narrow draw.
    network = discriminator(architecture, width=width, size=16, channels=3, norm="none")
    state = network.init([torch.Generator().manual_seed(i) for i in range(20)])
    scores = network(state, torch.randn(20, 32, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    rms = scores.square().mean().sqrt()
    assert 0.3 < rms < 3


@pytest.mark.parametrize("width", [2, 32])
@pytest.mark.parametrize("architecture", ["mlp", "dcgan", "resnet"])
def test_fresh_generators_use_the_range(architecture, width):
    network = generator(architecture, width=width, size=16, channels=3)
    state = network.init([torch.Generator().manual_seed(i) for i in range(20)])
    images = network(state, torch.randn(20, 32, 128, generator=torch.Generator().manual_seed(0)))
    assert 0.2 < images.std() < 0.9
