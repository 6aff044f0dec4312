"""Images that the tests of features share."""

import numpy as np
import pytest
import torch

from saddle.data import ImageSet, read_images


@pytest.fixture(scope="session")
def digits() -> ImageSet:
    """scikit-learn's 1,797 real digits, 8x8 grey, in a fixed random order."""
    images = read_images("digits")
    return images.subset(np.random.default_rng(0).permutation(len(images)).tolist())


@pytest.fixture
def colour() -> torch.Tensor:
    return torch.randint(
        0, 256, (5, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
