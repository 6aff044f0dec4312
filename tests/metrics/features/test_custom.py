import sys

import pytest
import torch

from saddle.errors import UserError
from saddle.metrics.features import CallableFeatures, make_extractor


def _mean(images):
    return images.float().mean((2, 3))


def test_a_function_gives_features(colour):
    extractor = CallableFeatures(_mean, "mean colour")
    with pytest.raises(UserError, match="seen no image yet"):
        _ = extractor.dim
    assert torch.equal(extractor(colour), _mean(colour))
    assert extractor.dim == 3


@pytest.mark.parametrize(("function", "message"), [
    (lambda x: x.float().numpy(), "returned a ndarray"),
    (lambda x: x.float(), r"of shape \(64, 3, 32, 32\)"),
    (lambda x: x.flatten(1), "returned torch.uint8"),
    (lambda x: _mean(x)[:3], r"of shape \(3, 3\)"),
    (lambda x: _mean(x)[:, :0], r"of shape \(64, 0\)"),
    (lambda x: _mean(x) * torch.nan, "not finite"),
    (lambda x: x @ 3, "failed on torch.uint8 images.*TypeError"),
])  # fmt: skip
def test_what_a_function_returns_is_checked(colour, function, message):
    with pytest.raises(UserError, match=message):
        CallableFeatures(function, "mine")(colour)


def test_the_length_may_not_change(colour):
    lengths = iter((3, 2))
    extractor = CallableFeatures(lambda x: _mean(x)[:, : next(lengths)], "mine")
    extractor(colour)
    with pytest.raises(UserError, match="returned 2 features after 3"):
        extractor(colour)


def test_module_and_function_on_the_command_line(tmp_path, monkeypatch, colour):
    (tmp_path / "own_features_a.py").write_text(
        "def embed(images):\n    return images.float().mean((2, 3))\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    extractor = make_extractor("own_features_a:embed", size=32, channels=3)
    assert sys.path == before
    assert extractor.dim == 3 and extractor.name == "own_features_a:embed"
    assert torch.equal(extractor(colour), _mean(colour))


@pytest.mark.parametrize(("name", "message"), [
    ("own_features_b:nothing", "has no function 'nothing'"),
    ("own_features_missing:embed", "cannot be imported .ModuleNotFoundError"),
    ("own_features_c:embed", "cannot be imported .SyntaxError"),
    ("own_features_b:value", "has no function 'value'"),
    (":embed", "cannot be imported"),
    ("own_features_b:wrong", "returned a NoneType"),
])  # fmt: skip
def test_a_wrong_reference_is_one_sentence(tmp_path, monkeypatch, name, message):
    (tmp_path / "own_features_b.py").write_text("value = 3\n\n\ndef wrong(images):\n    return None\n")
    (tmp_path / "own_features_c.py").write_text("def embed(:\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        make_extractor(name, size=8, channels=1)
