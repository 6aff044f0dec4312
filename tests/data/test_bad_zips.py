"""Hostile and broken zips: refused by their directory, never extracted."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from saddle.data import read_images
from saddle.errors import UserError

REPAIR = "Repair or remove them, or pass --skip-bad to go on without them."


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def message(*args, **options) -> str:
    with pytest.raises(UserError) as caught:
        read_images(*args, **options)
    return str(caught.value)


def pack(members, name="photos.zip") -> Path:
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members:
            archive.writestr(member, data)
    return Path(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil.png", "has .. in its path"),
        ("a/../../evil.png", "has .. in its path"),
        ("a\\..\\evil.png", "has .. in its path"),
        ("../", "has .. in its path"),
        ("../evil.txt", "has .. in its path"),
        ("/etc/evil.png", "has an absolute path"),
        ("\\evil.png", "has an absolute path"),
        ("C:/evil.png", "has an absolute path"),
        ("c:evil.png", "has an absolute path"),
    ],
)
def test_members_that_point_outside(name, why, picture, encoded):
    data = encoded(picture(0))
    pack([("a.png", data), (name, data if name.endswith("png") else b"")])
    text = message("photos.zip")
    assert text.startswith("photos.zip holds 1 file of 2 that cannot be used: photos.zip/")
    assert text.endswith(f"({why}). {REPAIR}")
    images = read_images("photos.zip", skip_bad=True, limit=1)
    assert len(images) == 1 and images.skipped[0].endswith(f": {why}")
    assert [path.name for path in Path().iterdir()] == ["photos.zip"]


def test_links_are_not_followed(picture, encoded):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pack([("a.png", encoded(picture(0))), (link, "/etc/passwd")])
    assert message("photos.zip") == (
        f"photos.zip holds 1 file of 2 that cannot be used: photos.zip/link.png (is a symbolic link). {REPAIR}"
    )


def test_encrypted_members(picture, encoded):
    path = pack([("a.png", encoded(picture(0))), ("b.png", encoded(picture(1)))])
    # Bit 0 of the flags says so, in the local header (offset 6) and in the directory (offset 8) of b.png.
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x03\x04") + 6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert message(path) == (
        f"photos.zip holds 1 file of 2 that cannot be used: photos.zip/b.png (is encrypted). {REPAIR}"
    )
    assert len(read_images(path, skip_bad=True)) == 1


def test_a_bomb_among_images(picture, encoded):
    noise = [(f"{i}.png", encoded(picture(i, 64))) for i in range(4)]
    pack([*noise, ("bomb.png", bytes(2**21))])
    text = message("photos.zip")
    assert text.startswith(
        "photos.zip holds 1 file of 5 that cannot be used: photos.zip/bomb.png (is a bomb: "
    )
    assert "bytes that unpack to 2,097,152). Repair" in text
    assert len(read_images("photos.zip", skip_bad=True)) == 4


def test_a_zip_that_is_a_bomb_as_a_whole():
    # Each member is below the size from which its own ratio counts; together they are not.
    path = pack([(f"{i}.png", bytes(2**20)) for i in range(20)])
    size = path.stat().st_size
    assert message(path) == message(path, skip_bad=True)
    assert message(path) == (
        f"photos.zip is a zip bomb: {size:,} bytes that unpack to 20,971,520, and images never shrink 200 times. "
        "Pack the images again without 0.png, 1.png and 18 more."
    )


def test_a_directory_that_claims_less_than_there_is(picture, encoded):
    path = pack([("a.png", encoded(picture(0))), ("b.png", encoded(picture(1, 64)))])
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    assert "photos.zip/b.png (" in message(path, resize=8)


def test_a_broken_zip(picture, encoded):
    path = pack([("a.png", encoded(picture(0)))])
    path.write_bytes(path.read_bytes()[:-30])
    assert message(path) == (
        "photos.zip is not a whole zip: File is not a zip file. Download or pack it again."
    )


def test_a_member_whose_checksum_does_not_agree(picture, encoded):
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.writestr("a.png", encoded(picture(0)))
        archive.writestr("b.png", encoded(picture(1)))
    data = bytearray(Path("photos.zip").read_bytes())
    data[data.rindex(b"IDAT") + 20] ^= 1
    Path("photos.zip").write_bytes(data)
    assert message("photos.zip") == (
        "photos.zip holds 1 file of 2 that cannot be used: photos.zip/b.png (cannot be read: Bad CRC-32 for file "
        f"'b.png'). {REPAIR}"
    )


def test_a_zip_without_images():
    pack([("notes.txt", "hello"), ("inner.zip", "PK")])
    assert message("photos.zip") == (
        "photos.zip holds no PNG, JPEG or WebP image (2 other files were ignored: notes.txt, inner.zip). "
        "Give a folder or zip of images, or another source."
    )


def test_a_zip_by_another_name(picture, encoded):
    pack([("a.png", encoded(picture(0)))], "photos.cbz")
    assert len(read_images("photos.cbz")) == 1


def test_the_archive_is_read_from_threads(picture, encoded):
    pixels = [picture(i) for i in range(200)]
    pack([(f"{i:03d}.png", encoded(p)) for i, p in enumerate(pixels)])
    images = read_images("photos.zip").images.permute(0, 2, 3, 1).numpy()
    assert all((image == p).all() for image, p in zip(images, pixels, strict=True))


def test_an_empty_zip():
    stream = io.BytesIO()
    zipfile.ZipFile(stream, "w").close()
    Path("photos.zip").write_bytes(stream.getvalue())
    assert message("photos.zip").startswith("photos.zip holds no PNG, JPEG or WebP image (it is empty).")
