"""Images that the tests of features share."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from saddle.data import ImageSet


@pytest.fixture(scope="session")
def digits() -> ImageSet:
    """scikit-learn's 1,797 real digits, 8x8 grey, in a fixed random order."""
    raw = load_digits()
    order = np.random.default_rng(0).permutation(len(raw.images))
    images = torch.from_numpy((raw.images * 255 / 16).round().astype("uint8"))[:, None][order].contiguous()
    labels = torch.from_numpy(raw.target.astype("int64"))[order]
    return ImageSet(name="digits", images=images, labels=labels, classes=tuple("0123456789"))


@pytest.fixture
def colour() -> torch.Tensor:
    return torch.randint(
        0, 256, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
