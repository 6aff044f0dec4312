"""One comparison of two sets: what the numbers must be where they are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from saddle.data import ImageSet, read_images
from saddle.errors import UserError
from saddle.metrics import Reference
from saddle.metrics.config import MetricsConfig
from saddle.studies.evaluation import Comparison, Score, compare

PIXELS = MetricsConfig(features="pixels", neighbours=3)


def images(n: int, seed: int = 0, shift: int = 0) -> ImageSet:
    noise = torch.randint(
        0, 100, (n, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )
    return ImageSet(name=f"noise {seed}", images=noise + shift, labels=None, classes=(), skipped=())


def by_name(comparison: Comparison) -> dict[str, Score]:
    return {score.metric.partition("(")[0]: score for score in comparison.scores}


def test_a_set_against_itself():
    real = images(40)
    scores = by_name(compare(real, real, PIXELS))
    assert scores["FD"].value == pytest.approx(0, abs=1e-9)
    for name in ("precision", "recall", "coverage"):
        assert scores[name].value == 1
    assert {score.n for score in scores.values()} == {20}


def test_more_of_the_same_lies_at_the_floor_and_something_else_far_above():
    real = images(400)
    same, other = (
        by_name(compare(real, images(200, 1), PIXELS)),
        by_name(compare(real, images(200, 1, 50), PIXELS)),
    )
    # Both are distances between two sets of 200 from one distribution.
    assert same["FD"].value_at_n == pytest.approx(same["FD"].floor, rel=0.1)
    # The mean moves by 50/255 of the pixel range in each of 64 pixels: |Δμ|² is a hundred times the floor.
    assert other["FD"].floor == same["FD"].floor
    assert other["FD"].value_at_n > 3 * other["FD"].floor
    assert other["precision"].value_at_n < same["precision"].value_at_n
    # With more real images and nothing else the distance of all falls below that at equal numbers.
    assert same["FD"].value < same["FD"].value_at_n


def test_the_value_is_the_metric_of_all_images():
    real, fake = images(50), images(31, 1)
    comparison = compare(real, fake, PIXELS)
    features = [torch.from_numpy(np.asarray(s.images, np.float32)).flatten(1) / 255 for s in (real, fake)]
    expected = Reference(features[0], neighbours=3).scores(features[1])
    for name in ("precision", "recall", "density", "coverage"):
        assert by_name(comparison)[name].value == pytest.approx(expected[name])
    assert (comparison.n_real, comparison.n_fake, comparison.features) == (50, 31, "pixels")
    assert {score.n for score in comparison.scores} == {25}
    shuffled = replace(fake, images=fake.images.flip(0))
    assert by_name(compare(real, shuffled, PIXELS))["FD"].value == pytest.approx(
        by_name(comparison)["FD"].value
    )


def test_the_number_of_images_at_equal_numbers_can_be_chosen():
    comparison = compare(images(50), images(31, 1), replace(PIXELS, samples=10))
    assert {score.n for score in comparison.scores} == {10}
    assert all((score.n_real, score.n_fake) == (50, 31) for score in comparison.scores)
    assert comparison == compare(images(50), images(31, 1), replace(PIXELS, samples=10))


def test_automatic_features_are_named():
    digits = read_images("digits", limit=60)
    assert digits.labels is not None
    unlabelled = replace(digits, labels=None, classes=())
    assert compare(unlabelled, unlabelled, MetricsConfig(neighbours=3)).features == "random"


@pytest.mark.parametrize(("real", "fake"), [(5, 40), (40, 2), (1, 1)])
def test_too_few_images(real, fake):
    with pytest.raises(UserError, match="too few to compare; give at least 6 real and 3 generated"):
        compare(images(real), images(fake), PIXELS)
