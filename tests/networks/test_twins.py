"""Networks against the plain modules that anyone would write, with the same weights."""

from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from saddle.core.state import State
from saddle.networks import discriminator, generator

B, K, LATENT = 5, 4, 6


def fresh(network, seed=0) -> State:
    state = network.init([torch.Generator().manual_seed(seed)])
    noise = torch.Generator().manual_seed(seed + 1)
    # Biases and shifts start at 0: move everything but the power iteration, so that each entry counts.
    for key in network.parameters:
        state[key] = state[key] + 0.1 * torch.randn(state[key].shape, generator=noise)
    return {key: entry.double().requires_grad_(key in network.parameters) for key, entry in state.items()}


def load(module: nn.Module, state: State, name: str) -> nn.Module:
    with torch.no_grad():
        for key, parameter in module.named_parameters():
            parameter.copy_(state[f"{name}.{key}"][0])
    return module


def assert_twins(network, state: State, x: Tensor, twin: Callable, gradients: dict[str, Tensor]):
    """The same outputs, and the same gradient of Σy² + Σy for the entries that `gradients` pairs with parameters."""
    y = network(state, x.unsqueeze(0))[0]
    expected = twin(x)
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=1e-11)
    ours = torch.autograd.grad((y.square() + y).sum(), [state[key] for key in gradients])
    theirs = torch.autograd.grad((expected.square() + expected).sum(), list(gradients.values()))
    for key, a, b in zip(gradients, ours, theirs, strict=True):
        torch.testing.assert_close(a[0], b, rtol=1e-8, atol=1e-9, msg=lambda m, key=key: f"{key}: {m}")


def pairs(modules: dict[str, nn.Module]) -> dict[str, Tensor]:
    """Entry name → parameter of the twin, for the modules that share our weight layout."""
    return {f"{name}.{key}": p for name, m in modules.items() for key, p in m.named_parameters()}


@pytest.mark.parametrize("size", [14, 16, 28])
def test_dcgan_generator_is_its_twin(size):
    network = generator("dcgan", width=K, size=size, channels=3, latent=LATENT, prefix="g.")
    state = fresh(network)
    base, ups = {14: (7, 1), 16: (2, 3), 28: (7, 2)}[size]
    wide = K * 2**ups
    modules: dict[str, nn.Module] = {}
    first = nn.ConvTranspose2d(LATENT, wide, base, bias=False).double()
    with torch.no_grad():
        # Our rows are (row, column, channel); a transposed convolution from 1x1 has (latent, channel, row, column).
        weight = state["g.base.weight"][0].view(base, base, wide, LATENT)
        first.weight.copy_(weight.permute(3, 2, 0, 1))
    chain: list[nn.Module] = [nn.Unflatten(1, (LATENT, 1, 1)), first]
    modules["g.base_norm"] = nn.BatchNorm2d(wide).double()
    chain += [modules["g.base_norm"], nn.ReLU()]
    for i in range(1, ups + 1):
        conv = nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=False).double()
        norm = nn.BatchNorm2d(wide // 2).double()
        modules |= {f"g.up{i}": conv, f"g.up{i}_norm": norm}
        chain += [conv, norm, nn.ReLU()]
        wide //= 2
    modules["g.image"] = nn.Conv2d(K, 3, 3, padding=1).double()
    chain += [modules["g.image"], nn.Tanh()]
    for name, module in modules.items():
        load(module, state, name)
    x = torch.randn(B, LATENT, dtype=torch.float64)
    assert_twins(network, state, x, nn.Sequential(*chain), pairs(modules))


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("size", [14, 16, 28])
def test_dcgan_discriminator_is_its_twin(size, norm):
    network = discriminator("dcgan", width=K, size=size, channels=3, norm=norm, prefix="d.")
    state = fresh(network)
    base, downs = {14: (7, 1), 16: (2, 3), 28: (7, 2)}[size]
    modules: dict[str, nn.Module] = {"d.image": nn.Conv2d(3, K, 3, padding=1).double()}
    chain: list[nn.Module] = [modules["d.image"], nn.LeakyReLU(0.2)]
    narrow = K
    for i in range(1, downs + 1):
        modules[f"d.down{i}"] = nn.Conv2d(narrow, 2 * narrow, 4, 2, 1, bias=norm == "none").double()
        chain.append(modules[f"d.down{i}"])
        narrow *= 2
        if norm == "batch":
            modules[f"d.down{i}_norm"] = nn.BatchNorm2d(narrow).double()
            chain.append(modules[f"d.down{i}_norm"])
        chain.append(nn.LeakyReLU(0.2))
    last = nn.Conv2d(narrow, 1, base).double()
    with torch.no_grad():
        last.weight.copy_(state["d.score.weight"][0].view(1, base, base, narrow).permute(0, 3, 1, 2))
        nn.init.constant_(cast(Tensor, last.bias), float(state["d.score.bias"]))
    for name, module in modules.items():
        load(module, state, name)
    twin = nn.Sequential(*chain, last, nn.Flatten(0))
    x = torch.randn(B, 3, size, size, dtype=torch.float64)
    assert_twins(network, state, x, twin, pairs(modules))


def test_mlps_are_their_twins():
    g = generator("mlp", width=K, size=5, channels=3, latent=LATENT, prefix="g.")
    d = discriminator("mlp", width=K, size=5, channels=3, prefix="d.")
    state = fresh(g) | fresh(d)
    sizes = {"g.": [LATENT, K, K, K, 75], "d.": [75, K, K, K, 1]}
    for network, prefix, slope, x, end in (
        (g, "g.", 0.0, torch.randn(B, LATENT).double(), [nn.Tanh(), nn.Unflatten(1, (3, 5, 5))]),
        (d, "d.", 0.2, torch.randn(B, 3, 5, 5).double(), [nn.Flatten(0)]),
    ):
        names = [f"{prefix}hidden{i}" for i in (1, 2, 3)] + [
            prefix + ("image" if prefix == "g." else "score")
        ]
        shapes = zip(names, sizes[prefix][:-1], sizes[prefix][1:], strict=True)
        modules = {name: load(nn.Linear(i, o).double(), state, name) for name, i, o in shapes}
        chain = [layer for name in names for layer in (modules[name], nn.LeakyReLU(slope))][:-1]
        assert_twins(network, state, x, nn.Sequential(nn.Flatten(), *chain, *end), pairs(modules))


class UpBlock(nn.Module):
    def __init__(self, k: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(k), nn.BatchNorm2d(k)
        self.conv1, self.conv2 = (nn.Conv2d(k, k, 3, padding=1, bias=False) for _ in range(2))
        self.shortcut = nn.Conv2d(k, k, 1, bias=False)

    def forward(self, x):
        h = functional.interpolate(torch.relu(self.norm1(x)), scale_factor=2)
        h = self.conv2(torch.relu(self.norm2(self.conv1(h))))
        return h + self.shortcut(functional.interpolate(x, scale_factor=2))


class DownBlock(nn.Module):
    def __init__(self, i: int, k: int, *, down: bool, first: bool) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(i, k, 3, padding=1), nn.Conv2d(k, k, 3, padding=1)
        self.shortcut = nn.Conv2d(i, k, 1, bias=False) if down else None
        self.first = first

    def forward(self, x):
        h = self.conv2(torch.relu(self.conv1(x if self.first else torch.relu(x))))
        return x + h if self.shortcut is None else functional.avg_pool2d(h + self.shortcut(x), 2)


@pytest.mark.parametrize(("size", "base", "ups"), [(8, 1, 3), (14, 7, 1), (16, 2, 3), (28, 7, 2)])
def test_resnet_generator_is_its_twin(size, base, ups):
    network = generator("resnet", width=K, size=size, channels=3, latent=LATENT, prefix="g.")
    state = fresh(network)
    modules: dict[str, nn.Module] = {f"g.up{i}": UpBlock(K).double() for i in range(1, ups + 1)}
    modules |= {"g.norm": nn.BatchNorm2d(K).double(), "g.image": nn.Conv2d(K, 3, 3, padding=1).double()}
    for name, module in modules.items():
        load(module, state, name)

    def forward(x):
        h = functional.linear(x, state["g.base.weight"][0], state["g.base.bias"][0])
        h = h.view(-1, base, base, K).permute(0, 3, 1, 2)
        for i in range(1, ups + 1):
            h = modules[f"g.up{i}"](h)
        return torch.tanh(modules["g.image"](torch.relu(modules["g.norm"](h))))

    assert_twins(network, state, torch.randn(B, LATENT).double(), forward, pairs(modules))


@pytest.mark.parametrize(("size", "downs"), [(8, 2), (14, 1), (16, 2), (28, 2), (32, 2), (64, 3)])
def test_resnet_discriminator_is_its_twin(size, downs):
    network = discriminator("resnet", width=K, size=size, channels=3, prefix="d.")
    state = fresh(network)
    blocks = {
        f"d.down{i}": DownBlock(3 if i == 1 else K, K, down=True, first=i == 1) for i in range(1, downs + 1)
    }
    blocks |= {f"d.plain{i}": DownBlock(K, K, down=False, first=False) for i in (1, 2)}
    modules: dict[str, nn.Module] = {**blocks, "d.score": nn.Linear(K, 1)}
    for name, module in modules.items():
        load(module.double(), state, name)

    def forward(x):
        h = nn.Sequential(*blocks.values())(x)
        return modules["d.score"](torch.relu(h).sum((2, 3))).flatten()

    assert_twins(network, state, torch.randn(3, 3, size, size).double(), forward, pairs(modules))
