"""One file's pixels: every mode that PNG, JPEG and WebP come in."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from saddle.data.decode import decode
from saddle.data.header import read_header
from saddle.data.problems import BadImage


def test_transparency_is_laid_on_white(encoded):
    # White under alpha a gives a x + (1 - a) 255: 255, the middle, and x itself.
    rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 128], [10, 20, 30, 255]]] * 3, np.uint8)
    expected = [[255, 255, 255], [132, 137, 142], [10, 20, 30]]
    assert decode(encoded(rgba), resize=None, channels=3)[:, 0].T.tolist() == expected
    grey = encoded(Image.fromarray(rgba).convert("LA"))
    assert decode(grey, resize=None, channels=1)[0, 0, 0] == 255
    webp = encoded(rgba, "WebP", lossless=True, exact=True)
    assert decode(webp, resize=None, channels=3)[:, 0].T.tolist() == expected


def test_palettes_and_their_transparent_entry(encoded):
    image = Image.new("P", (2, 2))
    image.putpalette([9, 8, 7, 200, 100, 50])
    image.putdata([0, 1, 1, 1])
    assert decode(encoded(image), resize=None, channels=3)[:, 0, 0].tolist() == [9, 8, 7]
    clear = decode(encoded(image, transparency=0), resize=None, channels=3)
    assert clear[:, 0].T.tolist() == [[255, 255, 255], [200, 100, 50]]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transparent_colour(encoded, mode):
    image = Image.new(mode, (2, 2), "black")
    image.putpixel((0, 0), 255 if mode == "L" else (255, 0, 0))
    data = encoded(image, transparency=0 if mode == "L" else (0, 0, 0))
    assert (decode(data, resize=None, channels=3)[:, 1, 1] == 255).all()
    assert decode(data, resize=None, channels=3)[0, 0, 0] == 255


def test_sixteen_bits_that_were_widened_come_back_exactly(encoded, picture):
    # 257 x is 8 bits at 16: both bytes are x.
    grey = picture(0, channels=1)
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    assert wide.mode == "I;16"
    assert (decode(encoded(wide), resize=None, channels=1)[0] == grey).all()
    assert (decode(png16(picture(1)), resize=None, channels=3) == picture(1).transpose(2, 0, 1)).all()


def png16(pixels: np.ndarray) -> bytes:
    """A 16-bit RGB PNG, which Pillow cannot write."""
    height, width = pixels.shape[:2]
    rows = (pixels.astype(">u2") * 257).astype(">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in [
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(raw)),
            (b"IEND", b""),
        ]
    )


def test_one_bit_is_black_and_white(encoded):
    image = Image.fromarray(np.eye(8, dtype=bool))
    assert image.mode == "1"
    assert (decode(encoded(image), resize=None, channels=1)[0] == 255 * np.eye(8)).all()


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP"])
def test_exif_orientation_is_applied(encoded, picture, turned, kind):
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {"lossless": True} if kind == "WebP" else {}
    data = encoded(picture(0, (8, 16)), kind, exif=exif, **options)
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    # EXIF 2.32, tag 0x0112: where row 0 and column 0 of the stored picture are when it is seen upright.
    flip = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1]}
    turn = pixels.transpose(1, 0, 2)
    flip |= {5: turn, 6: turn[:, ::-1], 7: turn[::-1, ::-1], 8: turn[::-1]}
    assert (decode(data, resize=None, channels=3).transpose(1, 2, 0) == flip[turned]).all()


def test_damaged_exif_leaves_the_picture_as_it_is(encoded, picture):
    data = encoded(picture(0), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert (decode(data, resize=None, channels=3) == picture(0).transpose(2, 0, 1)).all()


@pytest.mark.parametrize("kind", ["CMYK", "YCbCr", "L"])
def test_jpegs_of_every_colour_space_decode(encoded, kind):
    data = encoded(Image.new(kind, (8, 8)), "JPEG")
    assert decode(data, resize=None, channels=3).shape == (3, 8, 8)
    assert read_header(io.BytesIO(data)).grey == (kind == "L")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "icc_profile": b"x" * 200_000}),
        ("WebP", {}),
        ("WebP", {"lossless": True}),
        ("WebP", {"exif": b"Exif\0\0II*\0\0\0\0\0\0\0"}),
    ],
)
def test_headers_tell_the_size_without_decoding(encoded, picture, kind, options):
    header = read_header(io.BytesIO(encoded(picture(0, (23, 17)), kind, **options)))
    assert (header.kind, header.width, header.height, header.grey) == (kind, 23, 17, False)


def test_the_first_frame_of_an_animation_is_taken(encoded, picture):
    frames = [Image.fromarray(picture(i)) for i in range(3)]
    for kind, options in [("PNG", {}), ("WebP", {"lossless": True})]:
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert (decode(data, resize=None, channels=3) == picture(0).transpose(2, 0, 1)).all()


@pytest.mark.parametrize("kind", ["PNG", "WebP"])
def test_every_lossless_file_cut_short_is_found(encoded, picture, kind):
    data = encoded(picture(0), kind, **({"lossless": True} if kind == "WebP" else {}))
    for length in range(len(data)):
        with pytest.raises(BadImage):
            decode(data[:length], resize=None, channels=3)


def test_every_flipped_bit_of_a_png_is_found(encoded, picture):
    data = encoded(picture(0, 4))
    for at in range(len(data)):
        with pytest.raises(BadImage):
            decode(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :], resize=None, channels=3)
