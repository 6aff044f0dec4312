"""Spectral norm against torch's own, and against singular values."""

import pytest
import torch
from torch import nn
from torch.nn.utils import spectral_norm

from saddle.networks import Conv, Linear, Network, TransposedConv, discriminator
from saddle.networks.conv import DownConv, UpConv

LAYERS = {
    "linear": (Linear(name="a", inputs=12, outputs=5, std=1.0, spectral=True), nn.Linear(12, 5)),
    "conv": (Conv(name="a", inputs=3, outputs=5, std=1.0, spectral=True), nn.Conv2d(3, 5, 3, padding=1)),
    "transposed": (
        TransposedConv(name="a", inputs=3, outputs=5, std=1.0, spectral=True),
        nn.ConvTranspose2d(3, 5, 4, 2, 1),
    ),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.filterwarnings("ignore:.*spectral_norm.*:FutureWarning")
def test_a_layer_is_torchs_spectral_norm(kind):
    layer, module = LAYERS[kind]
    state = {
        key: value.double().unsqueeze(0)
        for key, value in layer.init(torch.Generator().manual_seed(1)).items()
    }
    state["a.weight"].requires_grad_()
    twin = spectral_norm(module.double())
    held = dict(twin.named_parameters()) | dict(twin.named_buffers())
    with torch.no_grad():
        for ours, theirs in {
            "weight": "weight_orig",
            "bias": "bias",
            "u": "weight_u",
            "v": "weight_v",
        }.items():
            held[theirs].copy_(state[f"a.{ours}"][0])
    shape = (2, 12) if kind == "linear" else (2, 3, 6, 6)
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for _ in range(3):
        twin.eval()  # its evaluation mode uses u and v as they are, as our objective does
        expected = twin(x)
        y = layer.apply(state, x.unsqueeze(0) if kind == "linear" else x)
        torch.testing.assert_close(y.view_as(expected), expected, rtol=1e-12, atol=1e-12)
        (gradient,) = torch.autograd.grad(y.cos().sum(), state["a.weight"])
        torch.testing.assert_close(
            gradient[0], torch.autograd.grad(expected.cos().sum(), held["weight_orig"])[0]
        )
        twin.train()
        twin(x)  # its training mode makes one power iteration first
        state |= layer.refresh(state)
        torch.testing.assert_close(state["a.u"][0], twin.get_buffer("weight_u"), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(state["a.v"][0], twin.get_buffer("weight_v"), rtol=1e-12, atol=1e-12)


def test_power_iterations_find_every_members_largest_singular_value():
    network = discriminator("resnet", width=6, size=16, channels=3, spectral_norm=True)
    state = {
        k: v.double() for k, v in network.init([torch.Generator().manual_seed(i) for i in range(3)]).items()
    }

    def ratios():
        for layer in _weighted(network):
            matrix = layer.matrix(state[layer.name + ".weight"])
            u, v = state[layer.name + ".u"], state[layer.name + ".v"]
            sigma = torch.einsum("fo,foi,fi->f", u, matrix, v)
            yield from sigma / torch.linalg.svdvals(matrix)[:, 0]

    # uᵀWv never exceeds the largest singular value; 15 iterations at the start bring it near.
    fresh = torch.stack(list(ratios()))
    assert fresh.max() <= 1 + 1e-6
    assert fresh.min() > 0.9
    for _ in range(1000):
        state |= network.refresh(state)
    assert torch.stack(list(ratios())).min() > 1 - 1e-5


def _weighted(network: Network):
    def walk(layer):
        if hasattr(layer, "matrix"):
            yield layer
        for part in getattr(layer, "parts", ()):
            yield from walk(part)

    for layer in network.layers:
        yield from walk(layer)


@pytest.mark.parametrize("layer", [UpConv, DownConv])
def test_resampling_convolutions_normalise_their_3x3_kernel(layer):
    plain = layer(name="a", inputs=3, outputs=4, std=1.0)
    spectral = layer(name="a", inputs=3, outputs=4, std=1.0, spectral=True)
    state = {
        key: value.unsqueeze(0) for key, value in spectral.init(torch.Generator().manual_seed(0)).items()
    }
    matrix = state["a.weight"].flatten(2)
    sigma = state["a.u"] @ matrix[0] @ state["a.v"][0]
    x = torch.randn(2, 3, 4, 4)
    divided = state | {"a.weight": state["a.weight"] / sigma}
    torch.testing.assert_close(spectral.apply(state, x), plain.apply(divided, x))
