"""Folders and zips of images: exact pixels, labels and parts."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddle.data import DataConfig, ImageSet, load_split, read_images
from saddle.errors import UserError


def nhwc(images) -> np.ndarray:
    return images.images.permute(0, 2, 3, 1).numpy()


def numbers(images: ImageSet) -> list[int]:
    assert images.labels is not None
    return images.labels.tolist()


def zip_of(folder: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return to


@pytest.fixture(params=["folder", "zip"])
def packed(request, tmp_path, monkeypatch):
    """The same tree as a folder and as a zip."""
    monkeypatch.chdir(tmp_path)

    def pack(files: dict[str, bytes]) -> Path:
        folder = Path("set")
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder if request.param == "folder" else zip_of(folder, Path("set.zip"))

    return pack


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WebP", {"lossless": True})])
def test_lossless_files_give_their_exact_pixels_in_the_order_of_their_names(
    packed, picture, encoded, kind, options
):
    pixels = [picture(i) for i in range(40)]
    files = {f"{i:03d}.{kind.lower()}": encoded(p, kind, **options) for i, p in enumerate(pixels)}
    images = read_images(packed(files))
    assert (nhwc(images) == np.stack(pixels)).all()
    assert images.labels is None and images.classes == () and images.skipped == ()
    assert images.images.is_contiguous() and images.size == 8 and images.channels == 3


def test_jpegs_give_what_pillow_gives(packed, picture, encoded):
    data = encoded(picture(0), "JPEG", quality=90)
    images = read_images(packed({"a.jpg": data, "b.JPEG": data}))
    assert (nhwc(images) == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_sub_folders_are_sorted_labels_and_deeper_folders_belong_to_them(packed, picture, encoded):
    names = ["cat/2.png", "ant/x/1.png", "bee/1.png", "cat/1.png"]
    images = read_images(packed({name: encoded(picture(i)) for i, name in enumerate(names)}))
    assert images.classes == ("ant", "bee", "cat")
    assert numbers(images) == [0, 1, 2, 2]
    assert (nhwc(images) == np.stack([picture(i) for i in (1, 2, 3, 0)])).all()


def test_images_outside_the_sub_folders_mean_that_there_are_no_labels(packed, picture, encoded):
    images = read_images(packed({name: encoded(picture(0)) for name in ("a.png", "b/1.png", "c/1.png")}))
    assert len(images) == 3 and images.labels is None


def test_one_folder_around_everything_is_looked_through(packed, picture, encoded):
    files = {f"img_align/img_align/{label}/1.png": encoded(picture(0)) for label in "ab"}
    assert read_images(packed(files)).classes == ("a", "b")


def test_hidden_files_and_other_files_are_ignored(packed, picture, encoded):
    noise = [".DS_Store", "readme.txt", ".git/a.png", "__MACOSX/._a.png", "sub/.hidden.png", "Thumbs.db"]
    files = {"a.png": encoded(picture(0)), **dict.fromkeys(noise, b"no image")}
    assert len(read_images(packed(files))) == 1


@pytest.mark.parametrize("test_name", ["test", "Val"])
def test_train_and_test_folders_are_the_two_parts(packed, picture, encoded, test_name):
    names = ["train/a/1.png", "train/b/1.png", f"{test_name}/b/1.png"]
    source = packed({name: encoded(picture(i)) for i, name in enumerate(names)})
    split = load_split(DataConfig(data=str(source)))
    assert numbers(split.train) == [0, 1] and numbers(split.test) == [1]
    assert split.train.classes == split.test.classes == ("a", "b")
    assert (nhwc(split.test) == picture(2)).all()
    assert read_images(source, part="test").digest == split.test.digest


def test_train_and_test_beside_a_third_folder_are_refused(packed, picture, encoded):
    source = packed({f"{name}/1.png": encoded(picture(0)) for name in ("train", "test", "val")})
    with pytest.raises(UserError) as caught:
        read_images(source)
    shown = f"{source}/" if source.is_dir() else str(source)
    assert str(caught.value) == (
        f"{shown} holds train/ and test/ but also val/, so it is not clear what to train on. "
        "Pass --data and --test with the two folders you mean."
    )


def test_grey_files_give_one_channel_and_a_mixture_gives_three(packed, picture, encoded):
    grey, colour = picture(0, channels=1), picture(1)
    files = {"a.png": encoded(grey), "b.png": encoded(grey, "JPEG", quality=100)}
    assert read_images(packed(files)).channels == 1
    mixed = read_images(packed({**files, "c.png": encoded(colour)}))
    assert mixed.channels == 3
    assert (nhwc(mixed)[0] == grey[..., None]).all() and (nhwc(mixed)[2] == colour).all()


def test_channels_follow_pillows_luma(packed, picture, encoded):
    images = read_images(packed({"a.png": encoded(picture(0))}), channels=1)
    assert (nhwc(images)[0, ..., 0] == np.asarray(Image.fromarray(picture(0)).convert("L"))).all()


def test_resize_is_the_middle_square_and_pillows_bicubic(packed, picture, encoded):
    wide, tall = picture(0, (20, 9)), picture(1, (7, 12))
    images = read_images(packed({"a.png": encoded(wide), "b.png": encoded(tall)}), resize=4)
    for got, pixels, box in [(0, wide, (5, 0, 14, 9)), (1, tall, (0, 2, 7, 9))]:
        expected = Image.fromarray(pixels).crop(box).resize((4, 4), Image.Resampling.BICUBIC)
        assert (nhwc(images)[got] == np.asarray(expected)).all()


def test_limit_draws_the_same_images_from_all_classes(packed, picture, encoded):
    files = {f"{label}/{i:02d}.png": encoded(picture(i)) for label in "ab" for i in range(50)}
    source = packed(files)
    few = read_images(source, limit=20)
    assert len(few) == 20 and few.digest == read_images(source, limit=20).digest
    # 20 of 50 + 50: hypergeometric, fewer than 4 of one class has a probability under 1 in 1000.
    assert 4 <= numbers(few).count(0) <= 16
    assert len(read_images(source, limit=1000)) == 100


def test_links_are_followed(photos):
    Path("more").mkdir()
    os.symlink(photos.resolve(), "more/linked")
    os.symlink((photos / "a.png").resolve(), "more/z.png")
    assert len(read_images("more")) == 5


def test_a_path_object_and_a_trailing_slash_name_the_same_set(photos):
    assert read_images(photos).name == read_images("photos/").name == read_images("./photos").name == "photos"
    assert read_images(photos).digest == read_images("photos/").digest
