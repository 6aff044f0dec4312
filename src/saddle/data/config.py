"""What a user can say about data; the standard library only, because `saddle --help` reads it."""

from dataclasses import dataclass
from typing import Literal, final

__all__ = ["DataConfig"]


@final
@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which images to train on, how to bring them into shape, and which to hold out for testing."""

    data: str
    """A folder or zip of images (sub-folders are labels; train/ and test/ are kept apart), an .npy or .npz array, a folder of CIFAR-10 .bin batches or MNIST idx files, or the name `digits` (built in)."""
    test: str | None = None
    """Images to test on, in any form that --data takes; without it, the data's own test part or a random share."""
    resize: int | None = None
    """Crop every image to its middle square and scale it (bicubic, antialiased) to this many pixels a side."""
    channels: Literal[1, 3] | None = None
    """1 makes every image grey, 3 makes it RGB; without it, grey where all training images are grey."""
    limit: int | None = None
    """Use only this many images, drawn at random but always the same ones (a given test part is cut likewise)."""
    skip_bad: bool = False
    """Leave out files that cannot be used, and those of an odd size, instead of stopping; says how many."""
    test_fraction: float = 0.2
    """Share of the images held out for testing where no test part is given."""
    split_seed: int = 0
    """Seed of that random share; the same seed holds out the same images for ever."""
    contaminate: str | None = None
    """For experiments: replace some training images by `noise`, a tight `cluster`, `duplicates` of one of them, or by images of another source (as --data takes); the test images stay clean."""
    contamination: float = 0.0
    """Share of the training images that --contaminate replaces (0.05, say)."""
