import pytest
import torch

from saddle.metrics.features import CallableFeatures, FeatureExtractor, cached_features


class _Counting(FeatureExtractor):
    def __init__(self, identity="counting v1"):
        super().__init__("counting", dim=2, batch=4, device="cpu")
        self.calls, self._identity = 0, identity

    @property
    def identity(self):
        return self._identity

    def features(self, images):
        self.calls += 1
        return images.float().mean((2, 3))[:, :2]


def test_features_are_computed_once(colour, tmp_path):
    extractor, folder = _Counting(), tmp_path / "a" / "cache"
    first = cached_features(extractor, colour[:4], "digest", folder)
    assert torch.equal(cached_features(extractor, colour[:4], "digest", folder), first)
    assert extractor.calls == 1
    assert [path.suffix for path in folder.iterdir()] == [".safetensors"]


def test_other_images_or_another_network_are_other_entries(colour, tmp_path):
    extractor, other = _Counting(), _Counting("counting v2")
    cached_features(extractor, colour[:4], "digest", tmp_path)
    cached_features(extractor, colour[:4], "other digest", tmp_path)
    cached_features(extractor, colour[:3], "digest", tmp_path)
    cached_features(other, colour[:4], "digest", tmp_path)
    assert (extractor.calls, other.calls) == (3, 1)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_computed_again(colour, tmp_path, damage):
    extractor = _Counting()
    first = cached_features(extractor, colour[:4], "digest", tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    file.write_bytes({"cut": whole[:-3], "flipped": flipped, "empty": b""}[damage])
    assert torch.equal(cached_features(extractor, colour[:4], "digest", tmp_path), first)
    assert extractor.calls == 2 and file.read_bytes() == whole


def test_nothing_is_written_without_a_folder_or_for_a_users_function(colour, tmp_path):
    extractor = _Counting()
    assert cached_features(extractor, colour[:4], "digest", None).shape == (4, 2)
    cached_features(CallableFeatures(lambda x: x.float().mean((2, 3)), "mine"), colour, "digest", tmp_path)
    assert list(tmp_path.iterdir()) == []
