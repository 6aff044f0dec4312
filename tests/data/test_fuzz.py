"""Damaged files of every kind: they decode or give a `UserError`, and never anything else."""

import gzip
import io
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from saddle.data import read_images
from saddle.data.decode import decode
from saddle.data.problems import BadImage
from saddle.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)


def image(kind: str, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(stream, kind, **options)
    return stream.getvalue()


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, PIXELS[:2])
    return stream.getvalue()


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, images=PIXELS[:2], labels=np.arange(2), meta='{"classes": ["a", "b"]}')
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", image("PNG"))
        archive.writestr("b/2.jpg", image("JPEG"))
    return stream.getvalue()


def strips() -> bytes:
    stack = io.BytesIO()
    Image.fromarray(PIXELS.reshape(-1, 8, 3)).save(stack, "WebP", lossless=True)
    data, stream = np.frombuffer(stack.getvalue(), np.uint8), io.BytesIO()
    np.savez(stream, x_train_webp=data, x_train_offsets=[0, len(data)], y_train=np.arange(4))
    return stream.getvalue()


IDX = struct.pack(">BBBB3I", 0, 0, 8, 3, 4, 8, 8) + PIXELS[..., 0].tobytes()
FILES = {
    "x.npy": npy(),
    "x.npz": npz(),
    "strips.npz": strips(),
    "x.zip": zipped(),
    "train-images-idx3-ubyte": IDX,
    "train-images-idx3-ubyte.gz": gzip.compress(IDX),
    "x.bin": bytes(3073),
}


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    """Flip some bytes, mostly near the start or the end where headers are, or cut the file, or insert noise."""
    damaged = bytearray(data)
    ends = st.integers(0, min(200, len(data) - 1))
    place = st.one_of(ends, ends.map(lambda i: len(data) - 1 - i), st.integers(0, len(data) - 1))
    for at in draw(st.lists(place, max_size=4)):
        damaged[at] = draw(st.integers(0, 255))
    kind = draw(st.sampled_from(["flip", "cut", "insert"]))
    at = draw(place)
    if kind == "cut":
        del damaged[at:]
    elif kind == "insert":
        damaged[at:at] = draw(st.binary(max_size=8))
    return bytes(damaged)


@pytest.mark.parametrize("name", FILES)
def test_damaged_sets_are_read_or_refused(name):
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(damage(FILES[name]), st.booleans())
    def check(data: bytes, skip_bad: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            try:
                images = read_images(path, skip_bad=skip_bad)
            except UserError as error:
                text = str(error)
                assert text.isprintable() and text.endswith(".") and len(text) < 1500
            else:
                assert len(images) > 0 and images.size > 0

    check()


@pytest.mark.parametrize(
    "data",
    [
        image("PNG"),
        image("JPEG"),
        image(
            "JPEG", progressive=True, exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
        ),
        image("WebP"),
        image("WebP", lossless=True),
    ],
)
def test_damaged_images_decode_or_say_why(data):
    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(damage(data))
    def check(damaged: bytes) -> None:
        try:
            pixels = decode(damaged, resize=8, channels=3)
        except BadImage as error:
            reason = str(error)
        else:
            reason = "whole"
            assert pixels.shape == (3, 8, 8) and pixels.dtype == np.uint8
        assert reason

    check()
