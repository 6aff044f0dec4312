"""Identities of single layers, memory order, derivatives of second order."""

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from saddle.networks import BatchNorm, Linear, TransposedConv, as_module, discriminator, generator
from saddle.networks.adjoint import ConvAdjoint
from saddle.networks.conv import DownConv, UpConv
from saddle.networks.layout import Fold, MapToVector, Unfold, VectorToMap

DOUBLE = {"dtype": torch.float64}


def fold(x):
    return Fold().apply({}, x)


@pytest.mark.parametrize("side", [1, 2, 5])
def test_up_conv_is_repeat_then_convolution(side):
    layer = UpConv(name="a", inputs=3, outputs=2, std=1.0)
    state = {"a.weight": torch.randn(2, 2, 3, 3, 3, **DOUBLE), "a.bias": torch.randn(2, 2, **DOUBLE)}
    x = torch.randn(2, 4, 3, side, side, **DOUBLE)
    y = Unfold(channels=2).apply({}, layer.apply(state, fold(x)))
    for i in range(2):
        repeated = functional.interpolate(x[i], scale_factor=2)
        expected = functional.conv2d(repeated, state["a.weight"][i], state["a.bias"][i], padding=1)
        torch.testing.assert_close(y[i], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", [2, 4, 6])
def test_down_conv_is_convolution_then_mean(side):
    layer = DownConv(name="a", inputs=3, outputs=2, std=1.0)
    state = {"a.weight": torch.randn(2, 2, 3, 3, 3, **DOUBLE), "a.bias": torch.randn(2, 2, **DOUBLE)}
    x = torch.randn(2, 4, 3, side, side, **DOUBLE)
    y = Unfold(channels=2).apply({}, layer.apply(state, fold(x)))
    for i in range(2):
        full = functional.conv2d(x[i], state["a.weight"][i], state["a.bias"][i], padding=1)
        torch.testing.assert_close(y[i], functional.avg_pool2d(full, 2), rtol=1e-12, atol=1e-12)


def test_the_adjoint_is_the_transposed_convolution_with_derivatives_of_second_order():
    x = torch.randn(2, 18, 2, 3, **DOUBLE, requires_grad=True)
    w = torch.randn(18, 2, 4, 4, **DOUBLE, requires_grad=True)
    expected = functional.conv_transpose2d(x, w, None, 2, 1, 0, 2)
    torch.testing.assert_close(ConvAdjoint.apply(x, w, 2), expected)
    assert torch.autograd.gradcheck(lambda x, w: ConvAdjoint.apply(x, w, 2), (x, w), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x, w: ConvAdjoint.apply(x, w, 2), (x, w), fast_mode=True)
    layer = TransposedConv(name="a", inputs=9, outputs=2, std=1.0)
    state = {"a.weight": w.view(2, 9, 2, 4, 4), "a.bias": torch.randn(2, 2, **DOUBLE)}
    shifted = expected + state["a.bias"].view(4, 1, 1)
    torch.testing.assert_close(layer.apply(state, x), shifted)


def test_layouts_are_undone_by_their_inverses():
    images = torch.randn(3, 4, 2, 5, 6)
    assert torch.equal(Unfold(channels=2).apply({}, fold(images)), images)
    assert fold(images).is_contiguous(memory_format=torch.channels_last)
    again = fold(Unfold(channels=2).apply({}, fold(images)))
    maps = fold(images)
    assert fold(Unfold(channels=2).apply({}, maps)).data_ptr() == maps.data_ptr(), (
        "an unfolded map was copied"
    )
    assert torch.equal(again, maps)
    vectors = MapToVector(channels=2).apply({}, maps)
    assert torch.equal(vectors[1, 2].view(5, 6, 2).permute(2, 0, 1), images[1, 2])
    assert torch.equal(VectorToMap(shape=(2, 5, 6)).apply({}, vectors), maps)


class _Layouts(TorchDispatchMode):
    """Records maps that reach a convolution or batch norm, forward or backward, in another order than channels last."""

    def __init__(self):
        super().__init__()
        self.seen, self.strays = 0, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        if "convolution" in name or "batch_norm" in name:
            # (x, weight, …) forward; (gradient, x, weight, …) backward, where x decides for both.
            maps = args[1:2] if "convolution_backward" in name else args[:1]
            for x in (x for x in maps if x.ndim == 4):
                self.seen += 1
                # A stride of 1 on the channels is what the kernels go by, for 1x1 maps too.
                if x.stride(1) != 1 or x.stride(3) != x.shape[1]:
                    self.strays.append((name, tuple(x.shape), x.stride()))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("fleet", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("architecture", "size"), [("dcgan", 8), ("dcgan", 32), ("resnet", 8), ("resnet", 16)]
)
def test_maps_stay_channels_last_through_forward_and_backward(architecture, size, channels, fleet):
    make = {"width": 4, "size": size, "channels": channels}
    g, d = generator(architecture, **make, latent=5), discriminator(architecture, **make)
    generators = [torch.Generator().manual_seed(i) for i in range(fleet)]
    state = g.init(generators) | d.init(generators)
    names = (*g.parameters, *d.parameters)
    live = state | {key: state[key].requires_grad_() for key in names}
    with _Layouts() as layouts:
        scores = d(live, g(live, torch.randn(fleet, 4, 5)))
        torch.autograd.grad(scores.square().sum(), [live[key] for key in names])
    assert layouts.seen > 20
    assert not layouts.strays


@pytest.mark.parametrize("architecture", ["mlp", "dcgan", "resnet"])
def test_second_derivatives_are_right(architecture):
    # The gradient penalty differentiates the input's gradient by the weights: finite differences of first derivatives.
    network = discriminator(architecture, width=2, size=8, channels=1, norm="batch", spectral_norm=True)
    state = {
        k: v.double() for k, v in network.init([torch.Generator().manual_seed(i) for i in (3, 4)]).items()
    }
    chosen = [key for key in network.parameters if key.endswith(".weight")][-5:]
    x = torch.randn(2, 3, 1, 8, 8, **DOUBLE, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def scores(x, *weights):
        return network(state | dict(zip(chosen, weights, strict=True)), x)

    inputs = (x, *(state[key].requires_grad_() for key in chosen))
    assert torch.autograd.gradcheck(scores, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(scores, inputs, fast_mode=True)


def test_standing_statistics_are_mean_and_biased_variance():
    norm = BatchNorm(name="a", channels=2)
    x = 1000 + torch.randn(2, 300, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    found = norm.statistics({}, fold(x))
    torch.testing.assert_close(found["a.mean"].double(), x.double().mean((1, 3, 4)), rtol=1e-7, atol=0)
    # A float32 sum of squares would lose the variance behind the mean of 1000 (error of order 0.1).
    torch.testing.assert_close(
        found["a.var"].double(), x.double().var((1, 3, 4), correction=0), rtol=1e-5, atol=0
    )


def test_standing_statistics_of_the_generator_come_from_its_own_latents():
    network = generator("dcgan", width=3, size=16, channels=1, latent=7)
    state = network.init([torch.Generator().manual_seed(i) for i in range(2)])
    latents = torch.randn(2, 400, 7, generator=torch.Generator().manual_seed(9))
    found = network.statistics(state, latents)
    weight = state["generator.base.weight"]
    maps = torch.bmm(latents, weight.transpose(1, 2)).view(2, 400, 4, 24)
    torch.testing.assert_close(found["generator.base_norm.mean"], maps.mean((1, 2)), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found["generator.base_norm.var"], maps.var((1, 2), correction=0))


def test_a_module_holds_one_member():
    network = generator("resnet", width=3, size=16, channels=3, latent=7, spectral_norm=True)
    state = network.init([torch.Generator().manual_seed(i) for i in range(2)])
    latents = torch.randn(2, 6, 7)
    state |= network.statistics(state, latents)
    module = as_module(network, state, member=1)
    torch.testing.assert_close(module(latents[1]), network(state, latents)[1])
    assert {key for key, _ in module.named_parameters()} == set(network.parameters)
    assert {key for key, _ in module.named_buffers()} == {*network.buffers, *network.statistic_names}
    assert set(module.state_dict()) == set(state)
    assert sum(p.numel() for p in module.parameters()) == network.parameter_count
    assert "resnet generator, width 3" in repr(module)
    module(latents[0]).sum().backward()
    assert all(p.grad is not None for p in module.parameters())


def test_linear_is_torchs():
    layer = Linear(name="a", inputs=3, outputs=4, std=1.0)
    state = {"a.weight": torch.randn(2, 4, 3), "a.bias": torch.randn(2, 4)}
    x = torch.randn(2, 5, 3)
    expected = torch.stack(
        [functional.linear(x[i], state["a.weight"][i], state["a.bias"][i]) for i in range(2)]
    )
    torch.testing.assert_close(layer.apply(state, x), expected)
