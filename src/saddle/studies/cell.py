"""A cell of a study: what is computed at once, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from saddle.report import Block

__all__ = ["Cell", "CellResult", "Section"]


@final
@dataclass(frozen=True, kw_only=True)
class Cell:
    """One computation of a study. Its settings alone decide its numbers: it has a run folder named by their hash."""

    name: str
    "Unique within the study; the key of its result."
    settings: Mapping[str, Any]
    "Numbers, words, lists and mappings of them: what JSON can carry."
    weight: float | int = 1.0
    "Expected time relative to the other cells; the heaviest start first."
    out: Path | None = field(default=None, compare=False)
    "The study's folder while the cell is computed: what a runner has prepared for all cells lies there."


@final
@dataclass(frozen=True, kw_only=True)
class CellResult:
    """What a cell computed, as it comes back from its run folder: a NaN or infinity in `numbers` is None there."""

    numbers: Mapping[str, Any] = field(default_factory=dict)
    "JSON: a few numbers, words and lists."
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    "Everything large; numbers, booleans or fixed-width text, no objects."


@final
@dataclass(frozen=True)
class Section:
    """A section of a study's page."""

    heading: str
    blocks: tuple[Block, ...]
