"""Training and test images: given, or held out by a seeded permutation."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from saddle.data.config import DataConfig
from saddle.data.contamination import GENERATED, check_share, contaminate
from saddle.data.imageset import ImageSet, Split
from saddle.data.options import SPLIT_STREAM, Options, order
from saddle.data.read import load_part, open_source, read_images
from saddle.errors import UserError

__all__ = ["check_batch", "hold_out", "load_split"]


def load_split(config: DataConfig) -> Split:
    """Read the training and the test images that `config` names.

    The test images are those of `config.test`, else the data's own test part, else a share of the data held out by
    `hold_out`. They take the channels of the training images, and must have their size.

    With `config.contaminate` a share of the training images is replaced (`saddle.data.contaminate`, seeded by
    `split_seed`); the test images stay as they are.

    Raises:
        UserError: see `read_images`; and where the two do not fit together.
    """
    check_fraction(config)
    check_contamination(config)
    split = _clean_split(config)
    if config.contaminate is None:
        return split
    train, kind, other = split.train, config.contaminate, None
    check_share(config.contamination, len(train))  # before another source is read
    if kind not in GENERATED:
        # All the channels and pixels that the training images have, whatever the other source holds.
        channels = 3 if train.channels == 3 else 1
        try:
            other = read_images(kind, resize=train.size, channels=channels, skip_bad=config.skip_bad)
        except UserError as error:
            raise UserError(
                f"--contaminate {kind} is none of {', '.join(GENERATED)}, and as a source of images it fails: {error}"
            ) from None
        kind = "other"
    train = contaminate(train, config.contamination, kind, other=other, seed=config.split_seed)
    return replace(split, train=train)


def _clean_split(config: DataConfig) -> Split:
    source = open_source(config.data)
    other = source if config.test is None else open_source(config.test)
    options = Options(
        resize=config.resize, channels=config.channels, limit=config.limit, skip_bad=config.skip_bad
    )
    train = load_part(source, source.train, options)
    if config.test is None and source.test is None:
        return hold_out(train, fraction=config.test_fraction, seed=config.split_seed)
    like_train = replace(options, channels=train.channels)
    test = load_part(other, other.test or other.train, like_train)
    if test.size != train.size:
        raise UserError(
            f"The test images are {test.size}x{test.size} pixels and the training images {train.size}x{train.size}. "
            f"Pass --resize {train.size} to bring both to one size."
        )
    return unite_classes(train, test)


def check_fraction(config: DataConfig) -> None:
    if not 0 < config.test_fraction < 1:
        raise UserError(
            f"--test-fraction is {config.test_fraction:g}, and a share of the images lies between 0 and 1. "
            "Pass 0.2, say."
        )
    if not 0 <= config.split_seed < 2**64:
        raise UserError(f"--split-seed is {config.split_seed}. Pass a whole number from 0 to 2^64 - 1.")


def check_contamination(config: DataConfig) -> None:
    if config.contaminate is None and config.contamination != 0:
        raise UserError(
            f"--contamination {config.contamination:g} says how much, but not what with; add --contaminate noise, say."
        )
    if config.contaminate is not None and not 0 < config.contamination < 1:
        raise UserError(
            f"--contaminate {config.contaminate} needs the share of the training images to replace, above 0 and below "
            f"1, and --contamination is {config.contamination:g}; add --contamination 0.05, say."
        )


def hold_out(images: ImageSet, *, fraction: float, seed: int) -> Split:
    """Hold out `round(fraction * n)` images, at least one; both parts keep the order of the source."""
    n = len(images)
    if n < 2:
        raise UserError(
            f"{images.name} holds one image, and testing needs another one held out. Give more images, or pass --test."
        )
    held = min(max(round(fraction * n), 1), n - 1)
    at = torch.from_numpy(order(n, seed, SPLIT_STREAM))
    test, train = at[:held].sort().values, at[held:].sort().values
    # The files that were left out are told once, with the training images.
    return Split(train=images.subset(train), test=replace(images.subset(test), skipped=()))


def unite_classes(train: ImageSet, test: ImageSet) -> Split:
    """Number the classes of both parts alike: the training part's, then those that only the test part has."""
    if train.labels is None or test.labels is None or train.classes == test.classes:
        return Split(train=train, test=test)
    classes = train.classes + tuple(name for name in test.classes if name not in train.classes)
    labels = renumber(test.labels, test.classes, classes)
    return Split(train=replace(train, classes=classes), test=replace(test, labels=labels, classes=classes))


def renumber(labels: Int64[Tensor, " n"], old: Sequence[str], new: Sequence[str]) -> Int64[Tensor, " n"]:
    return torch.tensor([new.index(name) for name in old])[labels]


def check_batch(split: Split, batch: int) -> None:
    """Raise `UserError` where there are fewer training images than a batch."""
    n = len(split.train)
    if n < batch:
        raise UserError(
            f"{split.train.name} has {n:,} training images, fewer than a batch of {batch:,}. Pass --batch {n} or less, "
            "or give more images."
        )
