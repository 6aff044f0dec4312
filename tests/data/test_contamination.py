"""Contaminated training images: the share, the seeds, the mask, and a test part that stays clean."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from saddle.data import DataConfig, ImageSet, contaminate, load_split
from saddle.errors import UserError
from saddle.studies.width_sweep.images import load_images, store_images

KINDS = ("noise", "cluster", "duplicates", "other")


def images(n: int = 40, size: int = 8, channels: int = 1) -> ImageSet:
    """Image i holds i at every pixel; nothing else does."""
    pixels = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, channels, size, size)
    labels = torch.arange(n) % 2
    return ImageSet(name="numbers", images=pixels.contiguous(), labels=labels, classes=("a", "b"))


def dirty(kind: str, share: float = 0.25, seed: int = 0, **options) -> ImageSet:
    other = None
    if kind == "other":
        other = replace(images(), images=images().images + 100, name="others")
    return contaminate(images(), share, kind, other=other, seed=seed, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_share_is_replaced_at_places_that_the_mask_names(kind):
    clean, found = images(), dirty(kind)
    assert found.outliers is not None and found.outliers.sum() == 10 and len(found) == 40
    same = (found.images == clean.images).flatten(1).all(1)
    assert same[~found.outliers].all() and not same[found.outliers].any()
    assert torch.equal(found.labels, clean.labels)  # pyrefly: ignore
    kept = found.clean()
    assert kept.outliers is None and torch.equal(kept.images, clean.images[~found.outliers])


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_the_same_for_ever_and_another_one_other_places(kind):
    assert dirty(kind).digest == dirty(kind).digest
    assert not torch.equal(dirty(kind).outliers, dirty(kind, seed=1).outliers)  # pyrefly: ignore
    # The places depend on n and the seed alone, so that kinds can be compared.
    assert torch.equal(dirty(kind).outliers, dirty("noise").outliers)  # pyrefly: ignore


def test_what_outliers_look_like():
    mask = dirty("noise").outliers
    noise = contaminate(images(400, 16), 0.5, "noise")
    values = noise.images[noise.outliers].double()
    # Uniform on 0..255: mean 127.5, variance (256² − 1)/12 = 5461; 200 · 256 bytes know the mean to 0.33.
    assert values.mean().item() == pytest.approx(127.5, abs=1.5)
    assert values.var().item() == pytest.approx(5461, rel=0.02)
    copies = dirty("duplicates").images[mask]
    assert (copies == copies[0]).all() and 0 <= copies[0, 0, 0, 0] < 40
    original = int(copies[0, 0, 0, 0])
    assert not mask[original]  # pyrefly: ignore
    assert (dirty("duplicates", noise=2.0).images[mask].double() - original).std() < 3
    tight = contaminate(images(400, 16, 3), 0.5, "cluster")
    pixels = tight.images[tight.outliers].double()
    centre = pixels.mean(0)
    inner = (centre > 40) & (centre < 215)
    # Where the bytes do not clip, the noise has the standard deviation 8.
    assert (pixels - centre)[:, inner].std().item() == pytest.approx(8, rel=0.05)
    other = dirty("other").images[mask][:, 0, 0, 0]
    assert (other >= 100).all() and len(other.unique()) == len(other)


def test_outliers_count_in_the_digest_and_are_kept_in_the_cache(tmp_path):
    clean, found = images(), dirty("noise")
    assert replace(found, outliers=None).digest != found.digest
    split = replace(load_split(DataConfig(data="digits")), train=found, test=clean)
    store_images(tmp_path, split)
    back = load_images(tmp_path, found.digest, clean.digest)
    assert torch.equal(back.train.outliers, found.outliers) and back.test.outliers is None  # pyrefly: ignore
    assert back.train.digest == found.digest
    part = found.subset([3, 1, 2])
    assert torch.equal(part.outliers, found.outliers[[3, 1, 2]])  # pyrefly: ignore
    assert found.to("cpu").outliers is not None


@pytest.mark.parametrize("kind", ["noise", "cluster", "duplicates"])
def test_the_test_part_stays_clean(kind):
    clean = load_split(DataConfig(data="digits"))
    found = load_split(DataConfig(data="digits", contaminate=kind, contamination=0.05))
    assert found.test.digest == clean.test.digest and found.test.outliers is None
    assert found.train.outliers is not None
    assert int(found.train.outliers.sum()) == round(0.05 * len(clean.train))
    assert len(found.train) == len(clean.train)


def test_another_data_set_is_brought_to_the_training_images_shape(tmp_path):
    colour = np.full((80, 10, 10, 3), (200, 100, 50), np.uint8)
    np.save(tmp_path / "other.npy", colour)
    found = load_split(DataConfig(data="digits", contaminate=str(tmp_path / "other.npy"), contamination=0.05))
    assert found.train.outliers is not None and found.train.channels == 1 and found.train.size == 8
    # ITU-R 601-2: 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2.
    assert (found.train.images[found.train.outliers] == 124).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"contamination": 0.1}, "what with"),
        ({"contaminate": "noise"}, "add --contamination"),
        ({"contaminate": "noise", "contamination": 1.0}, "above 0 and below 1"),
        ({"contaminate": "noise", "contamination": float("nan")}, "above 0 and below 1"),
        ({"contaminate": "noise", "contamination": 1e-6}, "0 images"),
        ({"contaminate": "nowhere/at/all", "contamination": 0.1}, "does not exist"),
        ({"contaminate": "digits", "contamination": 0.99, "test_fraction": 0.0001}, ""),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, sentence):
    if sentence:
        with pytest.raises(UserError, match=sentence):
            load_split(DataConfig(data="digits", **options))
    else:  # enough images of the other set: fine
        assert load_split(DataConfig(data="digits", **options)).train.outliers is not None


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="read the first with resize=8"):
        contaminate(images(), 0.25, "other", other=images(size=16))
    with pytest.raises(UserError, match="holds 5 images"):
        contaminate(images(), 0.25, "other", other=images(5))
    with pytest.raises(UserError, match="already"):
        contaminate(dirty("noise"), 0.25, "noise")
    with pytest.raises(UserError, match="no contamination"):
        contaminate(images(), 0.25, "dust")
    with pytest.raises(UserError, match="no meaning"):
        contaminate(images(), 0.25, "noise", noise=3.0)
    with pytest.raises(UserError, match="with the kind 'other'"):
        contaminate(images(), 0.25, "noise", other=images())


def test_a_misspelt_kind_is_told_the_kinds():
    with pytest.raises(
        UserError, match=r"--contaminate nosie is none of noise, cluster, duplicates, .*exist"
    ):
        load_split(DataConfig(data="digits", contaminate="nosie", contamination=0.1))
