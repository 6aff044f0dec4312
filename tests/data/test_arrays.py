"""Arrays in .npy and .npz files: layouts, values, labels, and everything that is refused."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from saddle.data import DataConfig, ImageSet, load_split, memory, read_images
from saddle.data.layout import SIGNED, UNIT, to_bytes
from saddle.errors import UserError

GREY = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
CHANNEL_FIRST = COLOUR.transpose(0, 3, 1, 2)


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(images: ImageSet) -> list[int]:
    assert images.labels is not None
    return images.labels.tolist()


def save(array, name="x.npy") -> str:
    np.save(name, array, allow_pickle=array.dtype.hasobject)
    return name


def message(*args, **options) -> str:
    with pytest.raises(UserError) as caught:
        read_images(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (GREY[:, None], GREY[:, None]),
        (COLOUR, CHANNEL_FIRST),
        (CHANNEL_FIRST, CHANNEL_FIRST),
        (np.asfortranarray(COLOUR), CHANNEL_FIRST),
        (COLOUR.astype(np.int64), CHANNEL_FIRST),
        (COLOUR.astype(">u2"), CHANNEL_FIRST),
        (GREY > 127, 255 * (GREY > 127)[:, None]),
        (COLOUR / 255, CHANNEL_FIRST),
        ((COLOUR / 255).astype(np.float32), CHANNEL_FIRST),
        ((COLOUR / 255).astype(">f4"), CHANNEL_FIRST),
        ((COLOUR / 127.5 - 1).astype(np.float32), CHANNEL_FIRST),
    ],
)
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_layouts_and_values_give_the_same_exact_pixels(array, expected, kind):
    if kind == "npz":
        np.savez_compressed("x.npz", images=array)
    images = read_images(save(array) if kind == "npy" else "x.npz")
    assert (images.images.numpy() == expected).all()
    assert images.labels is None


@given(st.integers(0, 255))
def test_every_level_survives_the_way_through_floats(level):
    # half precision has 11 bits: its spacing near 1 is 2^-11 < 1/255 / 2.
    for kind in (np.float64, np.float32, np.float16):
        unit = np.full((1, 1, 1, 1), level / 255, kind)
        signed = np.full((1, 1, 1, 1), level / 127.5 - 1, kind)
        assert to_bytes(unit, UNIT).item() == to_bytes(signed, SIGNED).item() == level


def test_both_parts_are_read_with_one_meaning():
    # The test part alone has no negative value and would be taken for [0, 1].
    train, test = COLOUR / 127.5 - 1, np.full((2, 8, 8, 3), 0.0)
    np.savez("x.npz", x_train=train, x_test=test)
    split = load_split(DataConfig(data="x.npz"))
    assert (split.train.images.numpy() == CHANNEL_FIRST).all()
    assert (split.test.images == 128).all()


@pytest.mark.parametrize(
    ("labels", "expected", "classes"),
    [
        (np.array([3, 1, 1, 3, 9, 9]), [1, 0, 0, 1, 2, 2], ("1", "3", "9")),
        (np.array([[0], [1], [0], [1], [0], [1]], np.uint8), [0, 1, 0, 1, 0, 1], ("0", "1")),
        (np.array(list("baabab")), [1, 0, 0, 1, 0, 1], ("a", "b")),
        (np.array(list("baabab"), "S1"), [1, 0, 0, 1, 0, 1], ("a", "b")),
        (np.array([True, False] * 3), [1, 0] * 3, ("0", "1")),
    ],
)
@pytest.mark.parametrize("key", ["y", "labels"])
def test_labels_are_numbered_in_sorted_order(labels, expected, classes, key):
    np.savez("x.npz", images=COLOUR, **{key: labels})
    images = read_images("x.npz")
    assert numbers(images) == expected and images.classes == classes


def test_class_names_come_from_the_meta_text():
    meta = json.dumps({"classes": ["ant", "bee", "cat"]})
    np.savez("x.npz", x=COLOUR, y=np.array([0, 2, 0, 2, 0, 2]), meta=meta)
    images = read_images("x.npz")
    assert images.classes == ("ant", "bee", "cat") and numbers(images) == [0, 2] * 3
    np.savez("x.npz", x=COLOUR, y=np.arange(6), meta=meta)
    assert message("x.npz") == (
        "x.npz names 3 classes, but x.npz[y] holds other labels than 0 to 2. Repair the labels or leave them out."
    )


def test_both_parts_number_their_labels_alike():
    np.savez("x.npz", x_train=COLOUR, y_train=[5, 5, 5, 7, 7, 7], x_test=COLOUR[:2], y_test=[7, 9])
    split = load_split(DataConfig(data="x.npz"))
    assert split.train.classes == split.test.classes == ("5", "7", "9")
    assert numbers(split.train) == [0, 0, 0, 1, 1, 1] and numbers(split.test) == [1, 2]


def test_a_lone_array_needs_no_name():
    np.savez("x.npz", COLOUR, np.arange(6))
    assert numbers(read_images("x.npz")) == [0, 1, 2, 3, 4, 5]
    np.savez("x.npz", faces=COLOUR, something=np.arange(3))
    assert len(read_images("x.npz")) == 6


def test_a_folder_of_arrays_and_an_array_beside_its_labels():
    Path("set").mkdir()
    for name, array in {"x_train": COLOUR, "y_train": np.arange(6), "x_test": COLOUR[:2]}.items():
        save(array, f"set/{name}.npy")
    split = load_split(DataConfig(data="set"))
    assert len(split.train) == 6 and len(split.test) == 2
    assert numbers(split.train) == [0, 1, 2, 3, 4, 5] and split.test.labels is None
    alone = read_images("set/x_train.npy")
    assert numbers(alone) == [0, 1, 2, 3, 4, 5] and alone.name == "x_train.npy"


def test_resize_and_channels_are_those_of_files():
    tall = np.random.default_rng(0).integers(0, 256, (3, 12, 7, 3), dtype=np.uint8)
    images = read_images(save(tall), resize=4, channels=1).images.numpy()
    for got, pixels in zip(images, tall, strict=True):
        image = Image.fromarray(pixels).crop((0, 2, 7, 9)).resize((4, 4), Image.Resampling.BICUBIC)
        assert (got[0] == np.asarray(image.convert("L"))).all()
    grey = read_images(save(COLOUR), channels=1).images.numpy()
    assert (grey[0, 0] == np.asarray(Image.fromarray(COLOUR[0]).convert("L"))).all()
    assert (read_images(save(GREY), channels=3).images.numpy() == GREY[:, None]).all()


ADVICE = "Save the images as (n, height, width, channels) with 1 or 3 channels"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((64,), f"x.npy has shape 64, which is not a list of images. {ADVICE}."),
        ((), f"x.npy has shape (), which is not a list of images. {ADVICE}."),
        ((6, 784), f"x.npy has shape 6x784, which is not a list of images. {ADVICE}."),
        ((64, 64, 3), f"x.npy has shape 64x64x3, which may be one image or many narrow ones. {ADVICE}."),
        (
            (6, 3, 8, 3),
            f"x.npy has shape 6x3x8x3, so its channels may come first or last. {ADVICE}, larger than 3x3.",
        ),
        (
            (6, 8, 8, 4),
            f"x.npy has shape 6x8x8x4, and neither axis 1 nor the last holds 1 or 3 channels. {ADVICE}.",
        ),
        ((0, 8, 8, 3), "x.npy has shape 0x8x8x3: there is no image in it. Save at least a few images."),
        ((2, 0, 0, 3), "x.npy has shape 2x0x0x3: there is no image in it. Save at least a few images."),
        (
            (6, 8, 9),
            "x.npy holds images of 9x8 pixels, and a GAN here needs square ones. Pass --resize 8 to crop each to its "
            "middle square and scale it to 8x8.",
        ),
    ],
)
def test_shapes_that_are_refused(shape, expected):
    assert message(save(np.zeros(shape, np.uint8))) == expected


def test_values_outside_the_range():
    array = COLOUR / 255
    array[3, 0, 0, 0], array[5, 0, 0, 0] = 1.5, -0.5
    # One negative value makes the range [-1, 1]; 1.5 is outside either.
    low = array[3].min()
    assert message(save(array)) == (
        f"x.npy holds 1 of 6 images whose values are no pixels: x.npy[3] (holds values from {low:.4g} to 1.5, and -1 "
        "to 1 was expected). Save uint8 values 0 to 255, or floats in [0, 1] or [-1, 1], or pass --skip-bad to leave "
        "these images out."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(value):
    array = (COLOUR / 255).astype(np.float32)
    array[2, 1, 1, 1] = value
    name = save(array)
    assert message(name) == (
        "x.npy holds 1 of 6 images whose values are no pixels: x.npy[2] (holds NaN or infinite values). Save uint8 "
        "values 0 to 255, or floats in [0, 1] or [-1, 1], or pass --skip-bad to leave these images out."
    )
    images = read_images(name, skip_bad=True)
    assert images.skipped == ("x.npy[2]: holds NaN or infinite values",)
    assert (images.images.numpy() == CHANNEL_FIRST[[0, 1, 3, 4, 5]]).all()


def test_a_wrong_range_is_not_skipped_away():
    name = save(COLOUR.astype(np.float32))
    assert message(name) == message(name, skip_bad=True)
    assert message(name).startswith(
        "x.npy holds 6 of 6 images whose values are no pixels: x.npy[0] (holds values from "
    )
    assert message(name).endswith("and 1 more. Save uint8 values 0 to 255, or floats in [0, 1] or [-1, 1].")


def test_whole_numbers_outside_0_to_255():
    assert "(holds values from -1000 to 1000, and 0 to 255 was expected)" in message(
        save(np.full((2, 8, 8), [[-1000] * 7 + [1000]], np.int16))
    )


def test_thousandths_are_known_by_their_meta_text_only():
    # round(127.5 (x / 1000 + 1)); the tie at 0 goes to the even 128.
    array = np.array([-1000, 0, 1000, 500], np.int16).reshape(1, 2, 2)
    np.savez("x.npz", x=array, meta=json.dumps({"values": "int16 thousandths: pixel = x/1000"}))
    assert read_images("x.npz").images.flatten().tolist() == [0, 128, 255, 191]


def test_bytes_of_zero_and_one_would_be_black():
    assert message(save(GREY // 128)) == (
        "x.npy holds uint8 values of 0 and 1 only, which as bytes would be black. Multiply them by 255."
    )


@pytest.mark.parametrize("kind", ["complex64", "U4", "M8[s]"])
def test_types_that_are_no_pixels(kind):
    array = np.zeros((2, 8, 8), kind)
    assert message(save(array)) == f"x.npy holds images of type {array.dtype}. Save them as uint8, 0 to 255."


def test_python_objects_are_never_unpickled():
    class Evil:
        def __reduce__(self):
            return Path.touch, (Path("ran"),)

    array = np.empty((2,), object)
    array[:] = [Evil(), Evil()]
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    Path("x.npy").write_bytes(stream.getvalue())
    with zipfile.ZipFile("x.npz", "w") as archive:
        archive.writestr("images.npy", stream.getvalue())
    tail = (
        " holds Python objects, which are stored as pickles and can run code; Saddle never reads them. "
        "Save a uint8 array of shape (n, height, width, channels)."
    )
    assert message("x.npy") == "x.npy" + tail
    assert message("x.npz") == "x.npz[images]" + tail
    assert not Path("ran").exists()


def test_structured_arrays():
    array = np.zeros((2, 8, 8), [("r", "u1"), ("g", "u1")])
    assert message(save(array)).endswith(" and shape (2, 8, 8). Save a plain uint8 array.")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (
            np.arange(5),
            "x.npz[labels] has 5 labels for 6 images, and every image needs one. Save as many labels as images, or "
            "none.",
        ),
        (
            np.zeros((6, 10)),
            "x.npz[labels] has shape 6x10 and type float64, and labels are one whole number or word an image. "
            "Save them as an integer array of shape (n,), or leave them out.",
        ),
        (
            np.zeros(6),
            "x.npz[labels] has shape 6 and type float64, and labels are one whole number or word an image. "
            "Save them as an integer array of shape (n,), or leave them out.",
        ),
    ],
)
def test_labels_that_do_not_fit(labels, expected):
    np.savez("x.npz", images=COLOUR, labels=labels)
    assert message("x.npz") == expected


def test_labels_of_two_kinds():
    np.savez("x.npz", x_train=COLOUR, y_train=np.arange(6), x_test=COLOUR, y_test=np.array(list("abcdef")))
    assert message("x.npz") == "x.npz holds labels as text and as numbers. Save them all in one way."


def test_keys_that_nobody_knows_and_keys_that_compete():
    np.savez("x.npz", a=COLOUR, b=COLOUR)
    assert message("x.npz") == (
        "x.npz holds no array of images that Saddle knows by name (a 6x8x8x3, b 6x8x8x3). Save it with the keys images "
        "and labels, or x_train, y_train, x_test and y_test."
    )
    np.savez("x.npz", x=COLOUR, images=COLOUR)
    assert message("x.npz") == "x.npz holds x and images, and only one of them can be meant. Keep that one."


def test_files_cut_short_and_files_that_are_longer():
    whole = Path(save(COLOUR)).read_bytes()
    for data in (whole[:-1], whole + b"!"):
        Path("x.npy").write_bytes(data)
        assert message("x.npy") == (
            f"x.npy is cut short or damaged: its header says {len(whole):,} bytes and it holds {len(data):,}. "
            "Copy or save it again."
        )
    Path("x.npy").write_bytes(whole[:50])
    assert message("x.npy") == "x.npy is not a whole .npy array. Save it again with numpy.save."
    np.savez("x.npz", x=COLOUR)
    Path("x.npz").write_bytes(Path("x.npz").read_bytes()[:-5])
    assert message("x.npz") == (
        "x.npz is not a whole .npz file: File is not a zip file. Copy or save it again."
    )


def test_a_header_that_claims_more_than_there_is_allocates_nothing():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 9999, 9999)}
    )
    Path("x.npy").write_bytes(stream.getvalue())
    with zipfile.ZipFile("x.npz", "w") as archive:
        archive.writestr("x.npy", stream.getvalue())
    assert "its header says 99,980,001,000,128 bytes and it holds 128." in message("x.npy")
    assert "its header says 99,980,001,000,128 bytes and it holds 128." in message("x.npz")


def test_an_array_that_unpacks_to_more_than_the_memory(monkeypatch):
    np.savez_compressed("x.npz", x=np.zeros((1000, 64, 64), np.uint8))
    assert Path("x.npz").stat().st_size < 20_000
    monkeypatch.setattr(memory, "available_memory", lambda: 2**20)
    assert message("x.npz").startswith(
        "x.npz[x] needs 3.9 MiB of memory for the array, and only 1.0 MiB are free"
    )


def test_a_damaged_member():
    np.savez("x.npz", x=COLOUR)
    data = bytearray(Path("x.npz").read_bytes())
    data[600] ^= 1
    Path("x.npz").write_bytes(data)
    assert (
        message("x.npz")
        == "x.npz is not a whole .npz file: Bad CRC-32 for file 'x.npy'. Copy or save it again."
    )


def test_limit_draws_before_it_looks():
    array = np.random.default_rng(0).random((100, 8, 8))
    few = read_images(save(array), limit=10)
    assert len(few) == 10 and few.digest == read_images("x.npy", limit=10).digest
    whole = read_images("x.npy").images
    places = [int((whole == image).flatten(1).all(1).nonzero().item()) for image in few.images]
    assert places == sorted(set(places))
