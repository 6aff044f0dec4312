"""CIFAR-10's binary batches, MNIST's idx files, packed .npz files and scikit-learn's digits."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from saddle.data import DataConfig, ImageSet, load_split, memory, read_images
from saddle.errors import UserError

RNG = np.random.default_rng(0)
CIFAR = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
DIGITS = RNG.integers(0, 256, (12, 8, 8), dtype=np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 10
AGAIN = "Copy or download it again."


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(images: ImageSet) -> list[int]:
    assert images.labels is not None
    return images.labels.tolist()


def message(*args, **options) -> str:
    with pytest.raises(UserError) as caught:
        read_images(*args, **options)
    return str(caught.value)


def batch(rows: slice) -> bytes:
    return np.concatenate([LABELS[rows, None], CIFAR[rows].reshape(-1, 3072)], axis=1).tobytes()


@pytest.fixture
def cifar() -> Path:
    folder = Path("cifar-10-batches-bin")
    folder.mkdir()
    for i in (1, 2):
        (folder / f"data_batch_{i}.bin").write_bytes(batch(slice(5 * i - 5, 5 * i)))
    (folder / "test_batch.bin").write_bytes(batch(slice(10, 12)))
    return folder


def test_cifar_batches(cifar):
    split = load_split(DataConfig(data=str(cifar)))
    assert (split.train.images.numpy() == CIFAR[:10]).all() and (
        split.test.images.numpy() == CIFAR[10:]
    ).all()
    assert numbers(split.train) == list(range(10)) and numbers(split.test) == [0, 1]
    assert split.train.classes[3] == "cat" and len(split.test.classes) == 10
    one = read_images(cifar / "data_batch_2.bin")
    assert (one.images.numpy() == CIFAR[5:10]).all()
    assert len(read_images(cifar, limit=4)) == 4


def test_cifar_batches_that_are_damaged(cifar):
    file = cifar / "data_batch_1.bin"
    file.write_bytes(batch(slice(0, 5))[:-1])
    assert message(cifar) == (
        f"{file} has 15,364 bytes, which is no whole number of CIFAR-10 records of 3,073. {AGAIN}"
    )
    assert message(file) == message(cifar)
    file.write_bytes(bytes([77]) + batch(slice(0, 1))[1:])
    assert message(cifar) == (
        f"{file} holds the label 77, and CIFAR-10's go from 0 to 9, so it is damaged or another kind of file. {AGAIN}"
    )


def test_cifars_pickles_are_refused():
    Path("cifar-10-batches-py").mkdir()
    Path("cifar-10-batches-py/data_batch_1").write_bytes(b"pickle")
    assert message("cifar-10-batches-py") == (
        "cifar-10-batches-py holds CIFAR-10 as pickles, which can run code; Saddle never reads them. Download the "
        "binary version (cifar-10-binary.tar.gz) instead."
    )


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(params=["", ".gz"])
def mnist(request) -> Path:
    folder = Path("MNIST")
    folder.mkdir()
    pack = gzip.compress if request.param else bytes
    for name, rows in {"train": slice(0, 9), "t10k": slice(9, 12)}.items():
        (folder / f"{name}-images-idx3-ubyte{request.param}").write_bytes(pack(idx(DIGITS[rows])))
        (folder / f"{name}-labels-idx1-ubyte{request.param}").write_bytes(pack(idx(LABELS[rows])))
    return folder


def test_idx_files(mnist):
    split = load_split(DataConfig(data=str(mnist)))
    assert (split.train.images.numpy()[:, 0] == DIGITS[:9]).all()
    assert (split.test.images.numpy()[:, 0] == DIGITS[9:]).all()
    assert numbers(split.train) == list(range(9)) and numbers(split.test) == [9, 0, 1]
    assert split.train.classes == split.test.classes == tuple("0123456789")
    file = next(mnist.glob("t10k-images*"))
    alone = read_images(file)
    assert (alone.images == split.test.images).all() and alone.classes == ("0", "1", "9")
    next(mnist.glob("t10k-labels*")).unlink()
    assert read_images(file).labels is None


def test_the_same_idx_file_unpacked_and_gzipped_is_one(mnist):
    for file in list(mnist.iterdir()):
        data = file.read_bytes()
        if file.suffix == ".gz":
            file.with_suffix("").write_bytes(gzip.decompress(data))
        else:
            Path(f"{file}.gz").write_bytes(gzip.compress(data))
    assert len(read_images(mnist)) == 9


def test_idx_folders_with_several_sets(mnist):
    file = next(mnist.glob("train-images*"))
    file.with_name(f"emnist-{file.name}").write_bytes(file.read_bytes())
    text = message(mnist)
    assert text.startswith(f"MNIST holds emnist-{file.name}, ")
    assert text.endswith(
        ", and Saddle needs one training and at most one test file. Pass the one you mean as --data, and the other as "
        "--test."
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            idx(DIGITS)[1:],
            "begins with 00 08 03 00, and an idx file of images begins with 00 00 08 03 (bytes, 3 axes).",
        ),
        (
            b"\0\0\x0d\x03" + idx(DIGITS)[4:],
            "begins with 00 00 0d 03, and an idx file of images begins with 00 00 08 03 (bytes, 3 axes).",
        ),
        (idx(DIGITS)[:9], "is cut short in its header."),
        (idx(DIGITS)[:-1], "claims 12x8x8 bytes in its header and holds less."),
        (idx(DIGITS) + b"!", "claims 12x8x8 bytes in its header and holds more."),
        (
            struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31) + bytes(99),
            "claims 2147483648x2147483648x2147483648 bytes in its header and holds less.",
        ),
        (idx(DIGITS[:0]), "claims 0x8x8 bytes: it is empty."),
    ],
)
def test_idx_files_that_are_damaged(data, expected, pack):
    Path("train-images-idx3-ubyte").write_bytes(pack(data))
    assert message("train-images-idx3-ubyte") == f"train-images-idx3-ubyte {expected} {AGAIN}"


def test_gzip_files_that_are_damaged():
    whole = gzip.compress(idx(DIGITS))
    file = Path("train-images-idx3-ubyte.gz")
    file.write_bytes(whole[:-100])
    assert message(file) == (
        "train-images-idx3-ubyte.gz is a damaged gzip file: Compressed file ended before the end-of-stream marker was "
        f"reached. {AGAIN}"
    )
    file.write_bytes(whole[:-8] + b"\0" * 8)
    assert "train-images-idx3-ubyte.gz cannot be read: CRC check failed" in message(file)


def test_a_gzip_bomb_takes_no_more_than_its_header_claims(monkeypatch):
    file = Path("train-images-idx3-ubyte.gz")
    file.write_bytes(gzip.compress(idx(DIGITS) + bytes(2**26)))
    assert message(file) == f"{file} claims 12x8x8 bytes in its header and holds more. {AGAIN}"
    file.write_bytes(gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**14, 64, 64) + bytes(2**26)))
    monkeypatch.setattr(memory, "available_memory", lambda: 2**26)
    assert message(file).startswith(
        f"{file} needs 64.0 MiB of memory for its bytes, and only 64.0 MiB are free"
    )


def test_idx_labels_of_the_wrong_length(mnist):
    labels = next(mnist.glob("train-labels*"))
    labels.write_bytes(idx(LABELS[:8]))
    assert message(mnist) == (
        f"{labels} has 8 labels for 9 images, and every image needs one. Save as many labels as images, or none."
    )


def strips(images: np.ndarray, encoded, per_strip: int = 5) -> dict[str, np.ndarray]:
    files = [
        encoded(images[i : i + per_strip].reshape(-1, images.shape[2], 3), "WebP", lossless=True)
        for i in range(0, len(images), per_strip)
    ]
    offsets = np.cumsum([0, *map(len, files)])
    return {"webp": np.frombuffer(b"".join(files), np.uint8), "offsets": offsets}


def save_strips(encoded, **changes) -> None:
    train, test = (strips(CIFAR[rows].transpose(0, 2, 3, 1), encoded) for rows in (slice(0, 9), slice(9, 12)))
    arrays = {f"x_train_{key}": value for key, value in train.items()}
    arrays |= {f"x_test_{key}": value for key, value in test.items()}
    arrays |= {"y_train": LABELS[:9], "y_test": LABELS[9:], **changes}
    np.savez("set.npz", allow_pickle=False, **arrays)


def test_webp_strips(encoded):
    save_strips(encoded)
    split = load_split(DataConfig(data="set.npz"))
    assert (split.train.images.numpy() == CIFAR[:9]).all() and (split.test.images.numpy() == CIFAR[9:]).all()
    assert numbers(split.train) == list(range(9)) and numbers(split.test) == [9, 0, 1]
    assert len(read_images("set.npz", limit=3)) == 3


def test_webp_strips_that_are_damaged(encoded):
    save_strips(encoded, y_train=LABELS[:8])
    assert message("set.npz").startswith(
        "set.npz[y_train] has 8 labels for 9 images, and every image needs one."
    )
    save_strips(encoded, x_train_offsets=np.array([0, 10]))
    assert message("set.npz") == (
        "set.npz holds x_train_offsets that do not cut x_train_webp into files: they must rise from 0 to its length. "
        "Copy or download the file again."
    )
    data = strips(CIFAR[:9].transpose(0, 2, 3, 1), encoded)["webp"].copy()
    data[40:4000] = 0
    save_strips(encoded, x_train_webp=data)
    assert message("set.npz").startswith("set.npz[x_train_webp] strip 0 is corrupt or cut short")
    wide = strips(CIFAR[:9, :, :30].transpose(0, 2, 3, 1), encoded)
    save_strips(encoded, x_train_webp=wide["webp"], x_train_offsets=wide["offsets"])
    assert message("set.npz") == (
        "set.npz[x_train_webp] strip 0 is 32x150, which is not a stack of 32x32 images. Copy or download the file "
        "again."
    )


def test_packed_jpegs_are_cropped_and_scaled_to_64(encoded, picture):
    images = [Image.fromarray(picture(i, (89, 109))) for i in range(3)]
    files = [encoded(image, "JPEG", quality=95) for image in images]
    np.savez(
        "faces.npz", jpeg=np.frombuffer(b"".join(files), np.uint8), offsets=np.cumsum([0, *map(len, files)])
    )
    faces = read_images("faces.npz")
    assert faces.size == 64 and faces.labels is None
    Path("first.jpg").write_bytes(files[0])
    first = Image.open("first.jpg").crop((0, 10, 89, 99)).resize((64, 64), Image.Resampling.BICUBIC)
    assert (faces.images[0].permute(1, 2, 0).numpy() == np.asarray(first)).all()
    assert read_images("faces.npz", resize=32).size == 32
    first.close()


def test_digits_are_scikit_learns():
    digits = read_images("digits")
    assert digits.images.shape == (1797, 1, 8, 8) and digits.name == "digits"
    assert digits.classes == tuple("0123456789")
    # UCI's table of the test part: how many there are of each digit.
    assert np.bincount(numbers(digits)).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # 255 x / 16 to the nearest, and 127.5 to 128: 16 levels of 15.94.
    levels = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    assert digits.images.unique().tolist() == levels
    original = load_digits(return_X_y=True)[0].reshape(-1, 8, 8)
    assert (np.searchsorted(levels, digits.images.numpy()[:, 0]) == original).all()
    assert read_images("digits", resize=16, channels=3).images.shape == (1797, 3, 16, 16)


def test_a_folder_called_digits_is_not_overlooked(picture, encoded):
    Path("digits").mkdir()
    Path("digits/a.png").write_bytes(encoded(picture(0)))
    assert message("digits") == (
        "digits is both a built-in data set and a file or folder here. Write ./digits for the one here, or "
        "sklearn:digits for the built-in one."
    )
    assert len(read_images("./digits")) == len(read_images(Path("digits"))) == 1
    assert len(read_images("sklearn:digits")) == 1797
