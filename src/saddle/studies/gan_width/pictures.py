"""Samples beside the training images that are nearest to them."""

from saddle.report import Block
from saddle.studies.gan_width.measures import Evidence

__all__ = ["neighbour_blocks"]


def neighbour_blocks(main: Evidence) -> tuple[Block, ...]:
    """Nothing where `memorisation` was not measured."""
    return ()
