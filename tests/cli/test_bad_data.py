"""Every bad set of images is refused in a sentence before anything is written."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Make = Callable[[], str]


def pixels(n: int = 40, size: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header is whole and whose pixels are not there."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk))


def missing() -> str:
    return "phtos"


def empty_folder() -> str:
    Path("empty").mkdir()
    return "empty"


def mixed_sizes() -> str:
    Image.fromarray(pixels(1, 16)[0]).save("photos/odd.png")
    return "photos"


def not_square() -> str:
    Path("wide").mkdir()
    for index in range(20):
        Image.fromarray(np.zeros((8, 12, 3), np.uint8)).save(f"wide/{index}.png")
    return "wide"


def corrupt() -> str:
    Path("photos/bad.png").write_bytes(b"no image at all")
    return "photos"


def truncated() -> str:
    whole = next(Path("photos").rglob("*.png"))
    whole.write_bytes(whole.read_bytes()[:-40])
    return "photos"


def png_bomb() -> str:
    Path("photos/bomb.png").write_bytes(png_claiming(100_000, 100_000))
    return "photos"


def packed(*extra: tuple[str, bytes]) -> str:
    with zipfile.ZipFile("set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in Path("photos").rglob("*.png"):
            archive.write(file)
        for name, data in extra:
            archive.writestr(name, data)
    return "set.zip"


def zip_that_climbs() -> str:
    return packed(("../../evil.png", next(Path("photos").rglob("*.png")).read_bytes()))


def zip_with_absolute_member() -> str:
    return packed(("/evil.png", next(Path("photos").rglob("*.png")).read_bytes()))


def zip_bomb() -> str:
    return packed(("bomb.png", bytes(300 << 20)))


def no_zip() -> str:
    Path("set.zip").write_bytes(b"PK\x03\x04 and nothing else")
    return "set.zip"


def out_of_range() -> str:
    np.save("a.npy", np.linspace(-3, 3, 40 * 8 * 8 * 3).reshape(40, 8, 8, 3))
    return "a.npy"


def not_a_number() -> str:
    values = pixels() / 255
    values[7, 0, 0, 0] = np.nan
    np.save("a.npy", values)
    return "a.npy"


def labels_of_wrong_length() -> str:
    np.savez("a.npz", x=pixels(), y=np.zeros(39, int))
    return "a.npz"


def pickled_array() -> str:
    np.save("a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return "a.npy"


def fewer_than_a_batch() -> str:
    np.save("a.npy", pixels(12))
    return "a.npy"


def one_image() -> str:
    np.save("a.npy", pixels(1))
    return "a.npy"


def odd_size() -> str:
    np.save("a.npy", pixels(40, 20))
    return "a.npy"


def not_an_image_file() -> str:
    Path("notes.txt").write_text("hello")
    return "notes.txt"


CASES = [
    (missing, "phtos does not exist", "Give a folder or zip"),
    (empty_folder, "empty/ holds no PNG", "Give a folder or zip"),
    (mixed_sizes, "images of 2 sizes", "--resize 8"),
    (not_square, "12x8", "--resize 8"),
    (corrupt, "photos/bad.png", "--skip-bad"),
    (truncated, "photos/", "--skip-bad"),
    (png_bomb, "photos/bomb.png", "--skip-bad"),
    (zip_that_climbs, "has .. in its path", "remove them"),
    (zip_with_absolute_member, "has an absolute path", "remove them"),
    (zip_bomb, "zip bomb", "without bomb.png"),
    (no_zip, "set.zip", ""),
    (out_of_range, "-3", ""),
    (not_a_number, "NaN", ""),
    (labels_of_wrong_length, "39 labels for 40 images", "as many labels"),
    (pickled_array, "a.npy", ""),
    (fewer_than_a_batch, "fewer than a batch of 16", "--batch"),
    (one_image, "one image", "--test"),
    (odd_size, "20x20", "--resize 32"),
    (not_an_image_file, "notes.txt", "Give a folder or zip"),
]


@pytest.mark.parametrize(("make", "what", "remedy"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_sweep_refuses_bad_images_and_writes_nothing(make: Make, what, remedy, photos, refused):
    source = make()
    text = refused(
        "sweep", "--data", source, "--batch", 16, "--steps", 2, "--features", "random", "--out", "out"
    )
    assert what in text and remedy in text


@pytest.mark.parametrize("make", [corrupt, mixed_sizes, zip_that_climbs, not_a_number])
def test_the_other_commands_refuse_them_in_the_same_words(make: Make, photos, refused):
    source = make()
    text = refused("sweep", "--data", source)
    assert refused("train", "--data", source) == text
    assert refused("evaluate", "--real", source, "--fake", "digits") == text
    assert refused("evaluate", "--real", "digits", "--fake", source) == text


def test_bad_test_images_are_refused_as_well(photos, refused):
    words = ("sweep", "--data", "photos", "--batch", 16, "--features", "random", "--test")
    np.save("large.npy", pixels(20, 16))
    assert "--resize 8" in refused(*words, "large.npy")
    assert "does not exist" in refused(*words, "nowhere")
    assert refused(*words, not_a_number())


def test_a_name_cannot_steer_the_terminal(photos, refused):
    Path("photos/a/\x1b[31mred\n.png").write_bytes(b"no image")
    text = refused("sweep", "--data", "photos")
    assert "\x1b" not in text and "\\x1b[31mred\\n.png" in text


def test_skip_bad_goes_on_and_says_how_many(photos, saddle, tmp_path):
    corrupt()
    mixed_sizes()
    words = ("--skip-bad", "--batch", 16, "--steps", 1, "--features", "pixels", "--neighbours", 1)
    ended = saddle("train", "--data", "photos", *words, "--width", 1, "--out", "out")
    assert ended.code == 0, ended.err
    assert "2 files left out: " in ended.err and "odd.png" in ended.err
