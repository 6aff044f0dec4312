import hashlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from saddle.metrics.features import RandomConvFeatures
from saddle.metrics.features.random_conv import random_kernels


def test_the_filters_are_these_for_ever():
    # Numbers of two papers years apart can be compared only if this digest never changes.
    digest = hashlib.sha256(b"".join(kernel.tobytes() for kernel in random_kernels())).hexdigest()
    assert digest == "e9cf8620d00103055461e124b3faacc3e40fe7dad7fe4380550e933e43403746"


def test_every_filter_has_mean_zero_and_norm_one():
    for kernel in random_kernels():
        rows = kernel.reshape(len(kernel), -1).astype(np.float64)
        assert np.abs(rows.mean(1)).max() < 1e-8
        assert np.abs((rows**2).sum(1) - 1).max() < 1e-6


def test_filters_are_nearly_normal_and_not_repeated():
    # The sum of four uniform variables has kurtosis 3 - 6/(5·4) = 2.7; the sampling error of 82,944 is 0.017.
    rows = random_kernels()[3].reshape(96, -1)
    standard = rows / rows.std()
    assert float((standard**4).mean()) == pytest.approx(2.7, abs=0.06)
    correlation = rows @ rows.T - np.eye(96)
    assert np.abs(correlation).max() < 0.2  # 4,560 pairs, each of spread 1/sqrt(864) = 0.034


@pytest.mark.parametrize(("size", "dim"), [(8, 384), (28, 384), (32, 384), (64, 480), (128, 576)])
def test_the_number_of_features_follows_the_size(size, dim):
    extractor = RandomConvFeatures(size=size)
    extractor.batch = 2
    images = torch.full((2, 3, size, size), 7, dtype=torch.uint8)
    assert extractor.dim == dim
    assert extractor(images).shape == (2, dim)


def test_a_uniform_grey_picture_gives_zero():
    features = RandomConvFeatures(size=32)(torch.full((1, 1, 32, 32), 200, dtype=torch.uint8))
    assert float(features.abs().max()) < 1e-5


def test_a_grey_picture_is_a_colour_picture_with_equal_channels(digits):
    extractor = RandomConvFeatures(size=8)
    grey = digits.images[:20]
    assert torch.equal(extractor(grey), extractor(grey.repeat(1, 3, 1, 1)))


def test_features_neither_read_nor_change_the_global_generator(digits):
    before = torch.get_rng_state()
    first = RandomConvFeatures(size=8)(digits.images[:5])
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(RandomConvFeatures(size=8)(digits.images[:5]), first)


def test_the_frechet_distance_grows_with_every_corruption(digits):
    from saddle.metrics import frechet_distance

    extractor = RandomConvFeatures(size=8)
    real, images, labels = digits.images[:1400], digits.images[1400:], digits.labels[1400:]
    real_features = extractor(real)

    def distances(variants):
        return [float(frechet_distance(real_features, extractor(variant))) for variant in variants]

    clean = distances([images])
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    noisy = [(images + strength * noise).clamp(0, 255).byte() for strength in (16, 32, 64)]
    blurred = [_blurred(images, sigma) for sigma in (0.4, 0.6, 1.0)]
    missing = [images[labels >= first] for first in (1, 3, 5, 8)]
    for variants in (noisy, blurred, missing):
        row = clean + distances(variants)
        assert row == sorted(row)
        assert row[-1] > 5 * row[0]


def _blurred(images, sigma):
    line = torch.exp(-(torch.arange(-3, 4) ** 2) / (2 * sigma**2))
    kernel = torch.outer(line, line)[None, None] / line.sum() ** 2
    return F.conv2d(F.pad(images.float(), (3, 3, 3, 3), mode="replicate"), kernel).round().byte()
