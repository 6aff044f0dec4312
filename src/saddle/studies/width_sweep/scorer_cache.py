"""The scorer of a sweep from its stored configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from saddle.data import Split
from saddle.metrics import make_extractor
from saddle.studies.width_sweep.scoring import Scorer

__all__ = ["build_scorer"]


def build_scorer(
    metrics: Mapping[str, Any], split: Split, cache: Path, device: torch.device, *, weights: str | None
) -> Scorer:
    """Make the extractor that `metrics` names (a trained classifier and real features come from `cache`).

    `weights` is where its weights lie now; the configuration knows them by content.
    """
    extractor = make_extractor(
        metrics["features"],
        size=split.train.size,
        channels=split.train.channels,
        # The evaluator may know the truth: a classifier must not learn the outliers' labels, which mean nothing.
        train=split.train.clean(),
        weights=None if weights is None else Path(weights),
        cache=cache,
        device=str(device),
    )
    return Scorer.build(
        extractor, split, samples=metrics["samples"], neighbours=metrics["neighbours"], cache=cache
    )
