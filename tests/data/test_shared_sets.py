"""The developers' real data sets, and known facts about them; skipped where they are not there."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saddle.data import DataConfig, ImageSet, Split, load_split, read_images
from saddle.data.options import order


def sha256(images: ImageSet) -> str:
    """Of the pixels as everybody else stores them: (n, h, w, c), or (n, h, w) for grey."""
    pixels = images.images.permute(0, 2, 3, 1).contiguous().numpy()
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def numbers(images: ImageSet) -> list[int]:
    assert images.labels is not None
    return images.labels.tolist()


@pytest.fixture(scope="module")
def cifar10(shared_data: Path) -> Split:
    return load_split(DataConfig(data=str(shared_data / "cifar10.npz")))


def test_cifar10(cifar10):
    train, test = cifar10.train, cifar10.test
    assert train.images.shape == (50_000, 3, 32, 32) and test.images.shape == (10_000, 3, 32, 32)
    assert (
        np.bincount(numbers(train)).tolist() == [5000] * 10
        and np.bincount(numbers(test)).tolist() == [1000] * 10
    )
    assert train.classes[0] == "airplane" and train.classes[9] == "truck"
    # The means that everybody normalises with.
    means = train.images.flatten(2).double().mean((0, 2)) / 255
    assert torch.allclose(
        means, torch.tensor([0.49139968, 0.48215841, 0.44653091], dtype=torch.float64), atol=1e-7
    )
    assert sha256(train) == "bfe9360aa03618ca529b48054ea9129b72bc95afe75286c8c7e81b00bdae3e7f"
    assert sha256(test) == "22bad43c389f56cb3008ee715964ff02eb51c5e3bea167889bd284b2b4859090"


def test_cifar10_in_its_other_forms(cifar10, tmp_path, encoded):
    some = cifar10.test.subset(range(300))
    pixels, labels = some.images.numpy(), some.labels.numpy().astype(np.uint8)
    records = np.concatenate([labels[:, None], pixels.reshape(300, -1)], axis=1)
    (tmp_path / "binary").mkdir()
    for i in (1, 2, 3):
        records[100 * i - 100 : 100 * i].tofile(tmp_path / "binary" / f"data_batch_{i}.bin")
    assert read_images(tmp_path / "binary").digest == some.digest
    np.savez(tmp_path / "x.npz", x_train=pixels.transpose(0, 2, 3, 1), y_train=labels)
    assert read_images(tmp_path / "x.npz").digest == some.digest
    for i, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = tmp_path / "folder" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{i:03d}.png")
    by_class = some.subset(np.argsort(labels, kind="stable").tolist())
    assert read_images(tmp_path / "folder").digest == by_class.digest


def test_mnist(shared_data):
    split = load_split(DataConfig(data=str(shared_data / "mnist.npz")))
    assert split.train.images.shape == (60_000, 1, 28, 28) and split.test.images.shape == (10_000, 1, 28, 28)
    assert numbers(split.train)[:5] == [5, 0, 4, 1, 9]
    assert np.bincount(numbers(split.train)).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert sha256(split.train) == "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"


def test_usps(shared_data):
    path = shared_data / "usps.npz"
    split = load_split(DataConfig(data=str(path)))
    assert split.train.images.shape == (7291, 1, 16, 16) and split.test.images.shape == (2007, 1, 16, 16)
    with np.load(path, allow_pickle=False) as file:
        exact = (file["x_train"].astype(np.float64) / 1000 + 1) * 127.5
    got = split.train.images[:, 0].double().numpy()
    # Half a grey level, and a rounding of 32-bit floats.
    assert np.abs(got - exact).max() <= 0.5 + 1e-4
    assert split.train.images.min() == 0 and split.train.images.max() == 255


def test_mnist_m(shared_data):
    split = load_split(DataConfig(data=str(shared_data / "mnist_m_19k.npz")))
    assert split.train.images.shape == (10_000, 3, 32, 32) and split.test.images.shape == (9001, 3, 32, 32)
    assert numbers(split.train)[:5] == [5, 0, 4, 1, 9]
    assert split.train.classes == tuple("0123456789")


def test_celeba(shared_data):
    path = shared_data / "celeba10k.npz"
    split = load_split(DataConfig(data=str(path), limit=200, test_fraction=0.1))
    assert len(split.train) == 180 and len(split.test) == 20 and split.train.labels is None
    faces = read_images(path, limit=200)
    assert faces.images.shape == (200, 3, 64, 64)
    # Its own recipe: decode, crop to 89 x 89, scale to 64 x 64 bicubic.
    with np.load(path, allow_pickle=False) as file:
        data, cuts = file["jpeg"].tobytes(), file["offsets"]
    drawn = order(10_000, 0, 1)[:200]
    for image, i in list(zip(faces.images, sorted(drawn), strict=True))[:20]:
        with Image.open(io.BytesIO(data[cuts[i] : cuts[i + 1]])) as jpeg:
            expected = np.asarray(jpeg.crop((0, 10, 89, 99)).resize((64, 64), Image.Resampling.BICUBIC))
        assert (image.permute(1, 2, 0).numpy() == expected).all()
