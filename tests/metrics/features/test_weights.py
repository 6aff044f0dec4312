import hashlib

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from saddle.errors import UserError
from saddle.metrics.features.weights import fold_batch_norm, folded_layers, read_weights


def test_folding_equals_convolution_then_batch_norm():
    g = torch.Generator().manual_seed(0)
    weight, x = torch.randn(4, 3, 3, 3, generator=g), torch.randn(2, 3, 8, 8, generator=g)
    scale, shift, mean = (torch.randn(4, generator=g) for _ in range(3))
    variance = torch.rand(4, generator=g)
    expected = F.batch_norm(F.conv2d(x, weight), mean, variance, scale, shift, eps=0.001)
    folded, bias = fold_batch_norm(weight, scale, shift, mean, variance, eps=0.001)
    assert torch.allclose(F.conv2d(x, folded, bias), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["safetensors", "state dict", "wrapped"])
def test_both_kinds_of_file_are_read_whatever_their_name(tmp_path, kind):
    path, tensors = tmp_path / "weights.bin", {"a": torch.arange(3.0)}
    if kind == "safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors, "epoch": 3} if kind == "wrapped" else tensors, path)
    read = read_weights(path)
    assert torch.equal(read.tensors["a"], tensors["a"])
    assert read.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04 broken", b"\x80\x02broken", b"\x09\0\0\0\0\0\0\0{}"]
)
def test_a_file_of_nonsense_is_one_sentence(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"weights\.pth"):
        read_weights(path)


def test_a_truncated_file_is_one_sentence(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UserError, match=r"weights\.pth"):
        read_weights(path)


class _Runs:
    def __reduce__(self):
        return (print, ("code from a weights file ran",))


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    torch.save({"a": _Runs()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="without running code"):
        read_weights(tmp_path / "evil.pth")
    assert "ran" not in capsys.readouterr().out


def test_a_missing_file_and_a_folder_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.pth cannot be read: No such file"):
        read_weights(tmp_path / "nowhere.pth")
    with pytest.raises(UserError, match="cannot be read"):
        read_weights(tmp_path)


def test_a_list_of_tensors_is_no_state_dict(tmp_path):
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(UserError, match="holds a list"):
        read_weights(tmp_path / "list.pth")


def test_wrong_shapes_and_nan_are_named(tmp_path):
    shapes, norms = {"conv": (2, 1, 3, 3)}, {"conv": ("c", "b")}

    def layers(**tensors):
        save_file({name.replace("_", "."): t for name, t in tensors.items()}, tmp_path / "w")
        return folded_layers(read_weights(tmp_path / "w"), shapes, norms, eps=0.001)

    with pytest.raises(
        UserError, match=r"'conv.weight' has shape \(2, 1, 5, 5\) where this one needs \(2, 1, 3, 3\)"
    ):
        layers(conv_weight=torch.zeros(2, 1, 5, 5), conv_bias=torch.zeros(2))
    with pytest.raises(UserError, match=r"'conv.weight' holds values that are not finite"):
        layers(conv_weight=torch.full((2, 1, 3, 3), torch.nan), conv_bias=torch.zeros(2))
    with pytest.raises(UserError, match=r"holds no 'conv.bias'"):
        layers(conv_weight=torch.zeros(2, 1, 3, 3))
    assert layers(other_weight=torch.zeros(1)) == {}
