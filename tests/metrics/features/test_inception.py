import json

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from saddle.errors import UserError
from saddle.metrics.features import InceptionFeatures
from saddle.metrics.features.inception_layers import Pool, convolutions, plan_for

_NAMES = "inception2015_to_mixed8_fp16.safetensors"


@pytest.fixture(scope="module")
def state_dict() -> dict[str, torch.Tensor]:
    """A network of random weights under the names of pytorch-fid."""
    generator, tensors = torch.Generator().manual_seed(0), {}
    for _, layer in convolutions(plan_for(2048)):
        fan_in = layer.shape[1] * layer.shape[2] * layer.shape[3]
        name, size = layer.torch_name, (layer.outputs,)
        tensors[f"{name}.conv.weight"] = torch.randn(layer.shape, generator=generator) * (2 / fan_in) ** 0.5
        tensors[f"{name}.bn.weight"] = 1 + 0.1 * torch.randn(size, generator=generator)
        tensors[f"{name}.bn.bias"] = 0.1 * torch.randn(size, generator=generator)
        tensors[f"{name}.bn.running_mean"] = 0.1 * torch.randn(size, generator=generator)
        tensors[f"{name}.bn.running_var"] = 0.5 + torch.rand(size, generator=generator)
    return tensors


@pytest.fixture(scope="module")
def torch_file(state_dict, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(state_dict | {"fc.weight": torch.zeros(1008, 2048)}, path)
    return path


def test_it_has_the_size_of_the_published_network():
    # Inception-v3 without its head has 21,802,784 numbers in Keras (three a channel beside the kernels) and
    # 21,785,568 in torchvision (two a channel): 17,216 channels, 21,751,136 kernel entries, 94 layers.
    layers = [layer for _, layer in convolutions(plan_for(2048))]
    assert len(layers) == 94 == len({layer.name for layer in layers}) == len({x.torch_name for x in layers})
    assert sum(layer.outputs for layer in layers) == 17_216
    assert sum(torch.Size(layer.shape).numel() for layer in layers) == 21_751_136


def test_it_is_fids_last_block_that_pools_by_maximum():
    pools = {block.name: block.branches[-1][0] for block in plan_for(2048) if block.name.startswith("mixed")}
    assert pools["mixed_9"] == Pool(average=True, stride=1)
    assert pools["mixed_10"] == Pool(average=False, stride=1)


def test_the_last_block_is_that_of_pytorch_fid(state_dict, torch_file):
    x = torch.rand(2, 2048, 8, 8, generator=torch.Generator().manual_seed(1))

    def conv(name, y, padding=(0, 0)):
        name = f"Mixed_7c.{name}"
        y = F.conv2d(y, state_dict[f"{name}.conv.weight"], padding=padding)
        parts = [state_dict[f"{name}.bn.{p}"] for p in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(y, *parts, eps=0.001).relu()

    y, z = conv("branch3x3_1", x), conv("branch3x3dbl_2", conv("branch3x3dbl_1", x), (1, 1))
    expected = torch.cat(
        [
            conv("branch1x1", x),
            conv("branch3x3_2a", y, (0, 1)),
            conv("branch3x3_2b", y, (1, 0)),
            conv("branch3x3dbl_3a", z, (0, 1)),
            conv("branch3x3dbl_3b", z, (1, 0)),
            conv("branch_pool", F.max_pool2d(x, 3, 1, 1)),
        ],
        1,
    )
    extractor = InceptionFeatures(2048, torch_file)
    actual = extractor._block(plan_for(2048)[-1], x)
    assert torch.allclose(actual, expected, atol=1e-4)


@pytest.mark.parametrize("dim", [64, 192, 768, 1280, 2048])
def test_features_have_the_length_asked_for(torch_file, colour, dim):
    extractor = InceptionFeatures(dim, torch_file)
    extractor.batch = 1
    assert extractor(colour[:1]).shape == (1, dim)
    # These weights are random: their numbers must not be called FID.
    assert not extractor.standard and extractor.name == f"other-inception-{dim}"


def test_both_names_of_a_layer_give_the_same_network(torch_file, tmp_path, colour):
    # pytorch-fid feeds 2x/255 - 1, the TensorFlow graph (x - 128)/128: at x = 0 both are -1.
    from_torch = InceptionFeatures(192, torch_file)
    folded = {}
    for name, (weight, bias) in from_torch._layers.items():
        folded |= {f"{name}.weight": weight.contiguous(), f"{name}.bias": bias}
    save_file(folded, tmp_path / "folded.safetensors")
    from_graph = InceptionFeatures(192, tmp_path / "folded.safetensors")
    from_torch.batch = from_graph.batch = 1
    black = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    assert torch.equal(from_torch(black), from_graph(black))
    assert not torch.equal(from_torch(colour[:1]), from_graph(colour[:1]))
    assert "2x/255-1" in from_torch.identity and "(x-128)/128" in from_graph.identity


def test_without_a_file_the_error_says_which():
    with pytest.raises(UserError, match=r"pt_inception-2015-12-05-6726825d\.pth.*--weights FILE"):
        InceptionFeatures(2048, None)
    with pytest.raises(UserError, match="64, 192, 768, 1280 and 2048, not 100"):
        InceptionFeatures(100, None)


def test_the_network_of_torchvision_is_refused(state_dict, tmp_path):
    torch.save(state_dict | {"fc.weight": torch.zeros(1000, 2048)}, tmp_path / "v3.pth")
    with pytest.raises(UserError, match="torchvision's own Inception-v3"):
        InceptionFeatures(2048, tmp_path / "v3.pth")


def test_a_file_that_ends_early_is_told_what_it_can_do(state_dict, tmp_path):
    short = {name: t for name, t in state_dict.items() if not name.startswith(("Mixed_7b", "Mixed_7c"))}
    path = tmp_path / "short.pth"
    torch.save(short, path)
    with pytest.raises(UserError) as error:
        InceptionFeatures(2048, path)
    assert str(error.value) == (
        f"{path} holds the layers up to mixed_8 only: inception-2048 needs mixed_9 and mixed_10; "
        "use inception-1280 or another file."
    )
    assert InceptionFeatures(1280, path).dim == 1280


def test_a_file_of_another_network_is_refused(tmp_path):
    save_file({"layer.weight": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="holds no layer of the FID Inception network"):
        InceptionFeatures(64, tmp_path / "x.safetensors")


def test_the_real_network_is_read_and_known_as_the_standard_one(shared_data):
    described = json.loads((shared_data / "inception2015_layers.json").read_text())["layers"]
    for _, layer in convolutions(plan_for(2048)):
        other = described[layer.name]
        assert (other["cin"], other["cout"], other["kernel"], other["stride"], other["padding"]) == (
            layer.inputs, layer.outputs, list(layer.kernel), layer.stride, list(layer.padding)
        )  # fmt: skip
    names = {layer.name for _, layer in convolutions(plan_for(1280))}
    assert {name.split(".")[0] for name in load_file(shared_data / _NAMES)} == names
    assert InceptionFeatures(768, shared_data / _NAMES).name == "inception-768"
    with pytest.raises(UserError, match=r"up to mixed_8 only: inception-2048 needs mixed_9 and mixed_10"):
        InceptionFeatures(2048, shared_data / _NAMES)


@pytest.mark.parametrize(
    ("dim", "mean", "norm"),
    [
        (64, 1.490526, 13.65477),
        (192, 1.822660, 29.10392),
        (768, 0.0390550, 2.806279),
        (1280, 0.1377033, 10.67898),
    ],
)
def test_its_features_are_those_that_the_linear_probe_found_right(shared_data, dim, mean, norm):
    # Taken from the code with which a linear model on 450 CIFAR-10 labels reached 83 % (768) and 85 % (1280).
    image = (torch.arange(3 * 32 * 32) % 251).to(torch.uint8).reshape(1, 3, 32, 32)
    extractor = InceptionFeatures(dim, shared_data / _NAMES)
    extractor.batch = 1
    features = extractor(image)
    assert float(features.mean()) == pytest.approx(mean, rel=1e-4)
    assert float(features.norm()) == pytest.approx(norm, rel=1e-4)
