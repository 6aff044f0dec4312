"""The probes of a sweep's runs, from its stored configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from saddle.data import Split
from saddle.gan.probes import ProbeBatch, ProbeCadence, ProbePlan
from saddle.gan.probes.classes import classifier_of
from saddle.gan.probes.pictures import Classify
from saddle.metrics import FeatureExtractor
from saddle.metrics.features import cached_features

__all__ = ["probe_batch", "probe_plan"]

LABELLED = 2000  # images from which classes are told apart


def probe_plan(
    cadence: Mapping[str, Any],
    split: Split,
    extractor: FeatureExtractor,
    *,
    latent: int,
    cache: Path,
    device: torch.device,
) -> ProbePlan | None:
    """What the training loop probes with, or None where nothing is asked for.

    Classes are told by the features of the scores where these are a classifier's: others cost too much to be taken
    during training.
    """
    when = ProbeCadence(**cadence)
    if not (when.every or when.spectrum_every or when.raw):
        return None
    batch = probe_batch(split, latent=latent, device=device)
    classify = _classify(split, extractor, cache) if when.every and extractor.name == "classifier" else None
    return ProbePlan(batch=batch, cadence=when, classify=classify)


def probe_batch(split: Split, *, latent: int, device: torch.device | str = "cpu") -> ProbeBatch:
    """The images of `split` that all its runs are probed with."""
    return ProbeBatch.choose(
        split.train.images,
        split.test.images,
        latent=latent,
        labels=split.train.labels,
        classes=len(split.train.classes),
        device=device,
    )


def _classify(split: Split, extractor: FeatureExtractor, cache: Path) -> Classify | None:
    if split.train.labels is None or len(split.train.classes) < 2:
        return None
    # The labels of known outliers mean nothing.
    clean = split.train.clean()
    order = torch.randperm(len(clean), generator=torch.Generator().manual_seed(0))
    known = clean.subset(order[:LABELLED])
    assert known.labels is not None
    found = cached_features(extractor, known.images, known.digest, cache)

    def features(images: torch.Tensor) -> torch.Tensor:
        return found if images is known.images else extractor(images)

    return classifier_of(features, known.images, known.labels, classes=len(split.train.classes))
