"""Train and test: disjoint, the same for ever, given or held out; and the set of images itself."""

from pathlib import Path

import numpy as np
import pytest
import torch

from saddle.data import DataConfig, ImageSet, Split, check_batch, load_split, read_images
from saddle.data.options import order
from saddle.errors import UserError


def rows(images: ImageSet) -> set[bytes]:
    return {image.numpy().tobytes() for image in images.images}


def numbers(images: ImageSet) -> list[int]:
    assert images.labels is not None
    return images.labels.tolist()


@pytest.fixture
def numbered(tmp_path, monkeypatch) -> str:
    """50 images that are all different, in an .npz."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 8, 8), dtype=np.uint8)
    np.savez("x.npz", images=pixels, labels=np.arange(50) // 10)
    return "x.npz"


def test_the_held_out_share_is_disjoint_and_nothing_is_lost(numbered):
    split = load_split(DataConfig(data=numbered, test_fraction=0.3))
    assert len(split.train) == 35 and len(split.test) == 15
    assert not rows(split.train) & rows(split.test)
    assert rows(split.train) | rows(split.test) == rows(read_images(numbered))
    assert split.train.classes == split.test.classes == tuple("01234")
    for part in (split.train, split.test):
        whole = read_images(numbered)
        at = [int((whole.images == image).flatten(1).all(1).nonzero().item()) for image in part.images]
        assert at == sorted(at)
        assert numbers(part) == [i // 10 for i in at]


def test_the_seed_alone_decides(numbered):
    def digests(seed: int) -> tuple[str, str]:
        split = load_split(DataConfig(data=numbered, split_seed=seed))
        return split.train.digest, split.test.digest

    assert digests(0) == digests(0) and digests(0) != digests(1)
    assert digests(2**64 - 1) != digests(0)


def test_the_order_never_changes():
    # Philox4x64-10 under the key (seed, stream), recorded once: a change would move images from train to test.
    assert order(10, 0, 2).tolist() == ORDER_0
    assert order(10, 1, 2).tolist() == ORDER_1
    assert order(10, 0, 1).tolist() != ORDER_0
    assert sorted(order(1000, 5, 2).tolist()) == list(range(1000))


ORDER_0 = [6, 7, 2, 9, 1, 3, 5, 0, 4, 8]
ORDER_1 = [4, 2, 0, 6, 1, 5, 9, 8, 7, 3]


def test_a_given_test_set_is_used_whole(numbered, photos):
    split = load_split(DataConfig(data="digits", test=numbered, channels=1))
    assert len(split.train) == 1797 and len(split.test) == 50
    colour = load_split(DataConfig(data="photos", test=numbered))
    assert colour.test.channels == colour.train.channels == 3


def test_the_test_part_of_a_given_test_source_is_used(numbered):
    pixels = np.zeros((9, 8, 8), np.uint8)
    np.savez("parts.npz", x_train=pixels, x_test=pixels[:4] + 255)
    split = load_split(DataConfig(data=numbered, test="parts.npz"))
    assert len(split.test) == 4 and (split.test.images == 255).all()
    assert len(load_split(DataConfig(data="parts.npz")).train) == 9


def test_classes_of_a_given_test_set_are_matched_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    np.savez("train.npz", images=pixels, labels=["ant", "bee", "cat", "ant"])
    np.savez("test.npz", images=pixels, labels=["cat", "cat", "dog", "ant"])
    split = load_split(DataConfig(data="train.npz", test="test.npz"))
    assert split.train.classes == split.test.classes == ("ant", "bee", "cat", "dog")
    assert numbers(split.train) == [0, 1, 2, 0] and numbers(split.test) == [2, 2, 3, 0]


def test_sizes_must_agree(numbered):
    np.savez("big.npz", images=np.zeros((3, 9, 9), np.uint8))
    with pytest.raises(UserError) as caught:
        load_split(DataConfig(data=numbered, test="big.npz"))
    assert str(caught.value) == (
        "The test images are 9x9 pixels and the training images 8x8. Pass --resize 8 to bring both to one size."
    )
    assert load_split(DataConfig(data=numbered, test="big.npz", resize=8)).test.size == 8


def test_the_limit_comes_before_the_split(numbered):
    split = load_split(DataConfig(data=numbered, limit=20, test_fraction=0.25))
    assert len(split.train) == 15 and len(split.test) == 5
    assert rows(split.train) | rows(split.test) == rows(read_images(numbered, limit=20))


@pytest.mark.parametrize(("fraction", "held"), [(0.001, 1), (0.999, 49)])
def test_neither_part_is_ever_empty(numbered, fraction, held):
    assert len(load_split(DataConfig(data=numbered, test_fraction=fraction)).test) == held


def test_one_image_cannot_be_split(photos):
    with pytest.raises(UserError) as caught:
        load_split(DataConfig(data="photos", limit=1))
    assert str(caught.value) == (
        "photos holds one image, and testing needs another one held out. Give more images, or pass --test."
    )


def test_fewer_images_than_a_batch(photos):
    split = load_split(DataConfig(data="photos", test_fraction=0.25))
    check_batch(split, 3)
    with pytest.raises(UserError) as caught:
        check_batch(split, 64)
    assert str(caught.value) == (
        "photos has 3 training images, fewer than a batch of 64. Pass --batch 3 or less, or give more images."
    )


def images_of(pixels: torch.Tensor, labels: torch.Tensor | None = None, name: str = "x") -> ImageSet:
    return ImageSet(name=name, images=pixels, labels=labels, classes=() if labels is None else ("a", "b"))


def test_the_digest_is_of_shape_pixels_and_labels():
    pixels = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    labels = torch.tensor([0, 1])
    same = [images_of(pixels).digest, images_of(pixels.clone(), name="y").digest]
    changed = pixels.clone()
    changed[1, 0, 3, 3] = 1
    different = [
        images_of(changed).digest,
        images_of(pixels, labels).digest,
        images_of(pixels, labels.flip(0)).digest,
        images_of(torch.zeros(8, 1, 2, 2, dtype=torch.uint8)).digest,
    ]
    assert len(set(same)) == 1 and len({*same, *different}) == 5
    # printf '(2, 1, 4, 4) uint8\n' and 32 zero bytes, through sha256sum.
    assert same[0] == DIGEST


DIGEST = "d9a321272a08a95db1e7a3658ece0de64e5c172cb54482f89ec1c0badb0f282e"


def test_subset_and_device():
    pixels = torch.arange(4, dtype=torch.uint8).reshape(4, 1, 1, 1).expand(4, 1, 2, 2).contiguous()
    images = images_of(pixels, torch.tensor([0, 1, 0, 1]))
    assert images.subset([2, 0]).images[:, 0, 0, 0].tolist() == [2, 0]
    assert numbers(images.subset(torch.tensor([3]))) == [1]
    assert images.to("cpu").digest == images.digest
    assert len(images) == 4 and images.size == 2 and images.channels == 1
    assert repr(images) == "ImageSet('x', 4 x 1 x 2 x 2, 2 classes, 0 skipped, cpu)"
    assert len(Split(train=images, test=images).train) == 4


def test_a_config_and_its_room_import_no_torch():
    import subprocess
    import sys

    code = (
        "import sys, saddle.data, saddle.data.config; "
        "assert not {'torch', 'numpy', 'PIL', 'sklearn'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == 0


def test_every_option_has_its_help():
    import ast

    from saddle.data import config

    tree = ast.parse(Path(config.__file__).read_text())
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body[1:]
    fields, texts = body[::2], body[1::2]
    assert len(fields) == len(texts) == 10
    assert all(isinstance(field, ast.AnnAssign) for field in fields)
    assert all(isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) for text in texts)
