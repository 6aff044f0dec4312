"""Every bad file is named before training, in one sentence; `skip_bad` goes on without it."""

import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddle.data import DataConfig, load_split, memory, read_images
from saddle.data.header import MAX_FILE_BYTES
from saddle.data.options import Options
from saddle.errors import UserError

REPAIR = "Repair or remove them, or pass --skip-bad to go on without them."
KINDS = (
    "Give a folder or zip of images, an .npy or .npz array, a folder of CIFAR-10 .bin batches or MNIST idx files, "
    "or the name digits."
)


def message(*args, **options) -> str:
    with pytest.raises(UserError) as caught:
        read_images(*args, **options)
    return str(caught.value)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header is whole and whose pixels are not there."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_a_missing_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message("phtos") == f"phtos does not exist. {KINDS}"
    assert message("") == f"'' is not a path. {KINDS}"
    assert message("a\0b\x1b[31m") == f"'a\\x00b\\x1b[31m' is not a path. {KINDS}"


def test_a_file_that_is_no_set_of_images(photos):
    assert message("photos/a.png") == f"photos/a.png is no kind of file that holds a set of images. {KINDS}"
    Path("nothing.npz").touch()
    assert message("nothing.npz") == f"nothing.npz is empty. {KINDS}"
    assert message(os.devnull) == f"{os.devnull} is not a regular file. {KINDS}"


def test_an_empty_folder_and_one_without_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    assert message("photos") == (
        "photos/ holds no PNG, JPEG or WebP image (it is empty). Give a folder or zip of images, or another source."
    )
    Path("photos/notes.txt").write_text("hello")
    Path("photos/.DS_Store").write_text("hello")
    assert message("photos/") == (
        "photos/ holds no PNG, JPEG or WebP image (1 other file was ignored: photos/notes.txt). "
        "Give a folder or zip of images, or another source."
    )


def test_mixed_sizes_are_counted_and_the_odd_ones_named(photos, picture, encoded):
    for i in range(6):
        (photos / f"odd{i}.png").write_bytes(encoded(picture(i, (6, 8) if i else 16)))
    (photos / "z.png").write_bytes(b"nonsense")
    (photos / "e.png").write_bytes(encoded(picture(0)))
    (photos / "f.png").write_bytes(encoded(picture(0)))
    assert message("photos") == (
        "photos/ holds images of 3 sizes (8x8: 6, 6x8: 5, 16x16: 1), and a GAN needs one. Pass --resize 8 to bring "
        "them all to 8x8, or --skip-bad to leave the odd ones out, or remove them: photos/odd0.png, photos/odd1.png, "
        "photos/odd2.png, photos/odd3.png, photos/odd4.png and 1 more. Also photos/z.png (is not a PNG, JPEG or WebP "
        "image) cannot be used."
    )
    images = read_images("photos", skip_bad=True)
    assert len(images) == 6 and len(images.skipped) == 7
    assert "photos/odd1.png: is 6x8 pixels, and most are 8x8" in images.skipped
    assert len(read_images("photos", skip_bad=True, resize=8)) == 12


def test_images_that_are_not_square(tmp_path, monkeypatch, picture, encoded):
    monkeypatch.chdir(tmp_path)
    Path("wide").mkdir()
    Path("wide/a.jpg").write_bytes(encoded(picture(0, (90, 70)), "JPEG"))
    expected = (
        "wide/ holds images of 90x70 pixels, and a GAN here needs square ones. Pass --resize 64 to crop each to its "
        "middle square and scale it to 64x64."
    )
    assert message("wide") == message("wide", skip_bad=True) == expected


def test_every_kind_of_bad_image_is_named_in_one_error_and_can_be_skipped(photos, picture, encoded):
    whole = encoded(picture(9))
    noise = encoded(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), "JPEG")
    bad = {
        "1.png": (b"", "is empty"),
        "2.png": (b"GIF89a" + bytes(40), "is not a PNG, JPEG or WebP image"),
        "3.png": (whole[:-20], "is a PNG cut short"),
        "4.png": (whole[:60] + b"\0" + whole[61:], "is a corrupt PNG: a checksum does not agree"),
        "5.jpg": (noise[:1500], "is corrupt or cut short: image file is truncated"),
        "6.png": (
            png_claiming(100_000, 100_000),
            "claims 100000x100000 pixels, more than the 67,108,864 that Saddle decodes",
        ),
        "7.gif": (b"GIF89a", "is a GIF file; Saddle reads PNG, JPEG and WebP"),
        "8.webp": (encoded(picture(9), "WebP", lossless=True)[:-9], "is a WebP cut short"),
        "9.png": (png_claiming(0, 8), "claims a size of 0x8 pixels"),
    }
    for name, (data, _) in bad.items():
        (photos / name).write_bytes(data)
    whole_message = message("photos", resize=8)
    assert whole_message.startswith("photos/ holds 9 files of 13 that cannot be used: photos/")
    assert whole_message.endswith(f"and 4 more. {REPAIR}")
    images = read_images("photos", resize=8, skip_bad=True)
    assert len(images) == 4
    found = dict(line.split(": ", 1) for line in images.skipped)
    for name, (_, why) in bad.items():
        assert found[f"photos/{name}"].startswith(why)
    split = load_split(DataConfig(data="photos", resize=8, skip_bad=True))
    assert len(split.train) + len(split.test) == 4
    assert len(split.train.skipped) == 9 and split.test.skipped == ()


def test_one_bad_file_alone(photos, picture, encoded):
    (photos / "bad.png").write_bytes(encoded(picture(0))[:-1])
    assert message("photos") == (
        f"photos/ holds 1 file of 5 that cannot be used: photos/bad.png (is a PNG cut short). {REPAIR}"
    )


def test_where_nothing_is_left_skipping_does_not_help(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("photos/a.png").write_bytes(b"x")
    expected = (
        "photos/ holds no image that can be used: photos/a.png (is not a PNG, JPEG or WebP image). "
        "Saddle reads PNG, JPEG and WebP; replace these files by images that open."
    )
    assert message("photos") == message("photos", skip_bad=True) == expected


def test_a_bomb_is_refused_by_its_header_and_pillow_keeps_its_limits(photos):
    # Pillow warns above 89 million pixels and raises above twice that; here warnings are errors.
    limit = Image.MAX_IMAGE_PIXELS
    for side in (9_500, 14_000, 2**31 - 1):
        (photos / "bomb.png").write_bytes(png_claiming(side, side))
        assert f"photos/bomb.png (claims {side}x{side} pixels, more than" in message("photos")
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_huge_file_is_not_read(photos):
    with (photos / "huge.png").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    assert (
        "photos/huge.png (takes 268,435,457 bytes, more than the 268,435,456 that Saddle reads)"
        in message("photos")
    )


def test_links_in_a_circle_and_links_to_nothing(photos):
    (photos / "again").symlink_to(photos.resolve())
    (photos / "gone.png").symlink_to("nowhere.png")
    (photos / "self.png").symlink_to("self.png")
    text = message("photos")
    assert text.startswith("photos/ holds 3 files of 7 that cannot be used: ")
    assert "photos/again (is a link to a folder that is read already)" in text
    assert "photos/gone.png (cannot be read: No such file or directory)" in text
    assert re.search(r"photos/self\.png \(cannot be read: Too many (levels of )?symbolic links", text)
    assert len(read_images("photos", skip_bad=True)) == 4


def test_a_pipe_is_never_opened(photos):
    os.mkfifo(photos / "pipe.png")
    assert "photos/pipe.png (is not a regular file)" in message("photos")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_and_folders_without_permission(photos):
    (photos / "a.png").chmod(0)
    (photos / "secret").mkdir(mode=0)
    text = message("photos")
    assert "photos/a.png (cannot be read: Permission denied)" in text
    assert "photos/secret (cannot be listed: Permission denied)" in text


def test_a_file_that_the_system_refuses_to_open(photos, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "photos/a.png (cannot be read: Permission denied)" in message("photos")


def test_names_cannot_write_to_the_terminal(photos):
    (photos / "\x1b[2J\n.png").write_bytes(b"x")
    os.close(os.open(os.fsencode(photos) + b"/\xff.png", os.O_CREAT | os.O_WRONLY))
    text = message("photos")
    assert text.isprintable() and "photos/\\x1b[2J\\n.png" in text and "\\udcff.png" in text


def test_too_little_memory_is_said_before_it_is_taken(photos, monkeypatch):
    # 4 images of 1024 x 1024 x 3 bytes are 12 MiB; 80 % of 12 MiB is less.
    monkeypatch.setattr(memory, "available_memory", lambda: 12 * 2**20)
    assert message("photos", resize=1024) == (
        "photos/ needs 12.0 MiB of memory for 4 images of 1024x1024 pixels, and only 12.0 MiB are free (Saddle takes "
        "at most 80% of it). Pass --limit for fewer images or a smaller --resize."
    )
    assert len(read_images("photos", resize=1024, limit=3)) == 3


def test_the_free_memory_is_a_sensible_number():
    assert 2**26 < memory.available_memory() < 2**50


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resize": 0}, "--resize is 0, and a side has 1 to 4096 pixels. Pass --resize 64, say."),
        ({"limit": 0}, "--limit is 0, and at least one image is needed. Pass a positive number."),
        (
            {"test_fraction": 1.0},
            "--test-fraction is 1, and a share of the images lies between 0 and 1. Pass 0.2, say.",
        ),
        ({"split_seed": -1}, "--split-seed is -1. Pass a whole number from 0 to 2^64 - 1."),
    ],
)
def test_options_that_make_no_sense(options, expected):
    with pytest.raises(UserError) as caught:
        load_split(DataConfig(data="digits", **options))
    assert str(caught.value) == expected


def test_channels_other_than_grey_and_rgb():
    with pytest.raises(UserError) as caught:
        Options(channels=2)
    assert str(caught.value) == "--channels is 2, and images are grey (1) or RGB (3). Pass 1 or 3."
