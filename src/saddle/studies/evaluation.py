"""One comparison of generated with real images, beside real ones with each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch

from saddle.data import ImageSet, Split
from saddle.errors import UserError
from saddle.metrics import METRICS, Reference, make_extractor, metric_label
from saddle.metrics.config import MetricsConfig
from saddle.studies.width_sweep.scoring import (
    LEAST_SAMPLES,
    check_features,
    check_neighbours,
    resolve_features,
)

__all__ = ["Comparison", "Score", "compare"]


@final
@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric: all images, and the same number of images on both sides beside its real-vs-real floor."""

    metric: str
    better: str
    value: float
    n_real: int
    n_fake: int
    value_at_n: float
    floor: float
    n: int


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `saddle evaluate` prints."""

    real: str
    fake: str
    features: str
    n_real: int
    n_fake: int
    skipped: int
    scores: tuple[Score, ...]

    def table(self) -> str:
        """Plain text: a line a metric."""
        n = self.scores[0].n
        heads = (
            "metric",
            f"{self.n_fake} fake vs {self.n_real} real",
            f"{n} fake vs {n} real",
            f"{n} real vs {n} real",
            "better",
        )
        rows = [heads] + [
            (s.metric, f"{s.value:.5g}", f"{s.value_at_n:.5g}", f"{s.floor:.5g}", s.better)
            for s in self.scores
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
        lines = [
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        if self.skipped:
            many = "s were" if self.skipped > 1 else " was"
            lines.append(f"{self.skipped} unusable file{many} left out")
        return "\n".join(lines)


def compare(real: ImageSet, fake: ImageSet, metrics: MetricsConfig, *, device: str = "auto") -> Comparison:
    """Score `fake` against all of `real`; and `n` of each against `n` real ones, beside `n` other real ones.

    The floor is the score of one half of the real images against the other, with `n` = the smaller of half the
    real and all the generated images. Only numbers at the same n can be held against each other.
    """
    _check_shapes(real, fake)
    split = Split(train=real, test=real)
    metrics = resolve_features(metrics, split)
    check_features(metrics, split)
    n = min(len(real) // 2, len(fake)) if metrics.samples is None else metrics.samples
    _check_samples(n, metrics.neighbours, real, fake)
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "--device cuda was asked for, but torch sees no CUDA device; use --device cpu or auto."
        )
    where = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    extractor = make_extractor(
        metrics.features,
        size=real.size,
        channels=real.channels,
        train=real,
        weights=None if metrics.weights is None else Path(metrics.weights),
        device=where,
    )
    real_features, fake_features = extractor(real.images), extractor(fake.images)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(real)))
    picked = torch.from_numpy(np.random.default_rng(1).permutation(len(fake)))
    every = Reference(real_features, name=extractor.name, neighbours=metrics.neighbours).scores(fake_features)
    half = Reference(real_features[order[:n]], name=extractor.name, neighbours=metrics.neighbours)
    equal, floor = half.scores(fake_features[picked[:n]]), half.scores(real_features[order[n : 2 * n]])
    scores = tuple(
        Score(
            metric=metric_label(metric.key, extractor.name),
            better=metric.better,
            value=every[metric.key],
            n_real=len(real),
            n_fake=len(fake),
            value_at_n=equal[metric.key],
            floor=floor[metric.key],
            n=n,
        )
        for metric in METRICS
    )
    return Comparison(
        real=real.name,
        fake=fake.name,
        features=extractor.name,
        n_real=len(real),
        n_fake=len(fake),
        skipped=len(real.skipped) + len(fake.skipped),
        scores=scores,
    )


def _check_shapes(real: ImageSet, fake: ImageSet) -> None:
    if real.images.shape[1:] != fake.images.shape[1:]:
        shapes = [
            f"{s.size}x{s.size} with {s.channels} channel{'s' * (s.channels > 1)}" for s in (real, fake)
        ]
        raise UserError(
            f"The real images are {shapes[0]} and the generated ones {shapes[1]}, so their features cannot be "
            f"compared; bring both to one form with --resize {real.size} --channels {real.channels}."
        )


def _check_samples(n: int, neighbours: int, real: ImageSet, fake: ImageSet) -> None:
    most = min(len(real) // 2, len(fake))
    if most < LEAST_SAMPLES:
        raise UserError(
            f"{len(real)} real and {len(fake)} generated images are too few to compare; give at least "
            f"{2 * LEAST_SAMPLES} real and {LEAST_SAMPLES} generated ones."
        )
    if not LEAST_SAMPLES <= n <= most:
        raise UserError(
            f"--samples is {n}, but with {len(real)} real and {len(fake)} generated images {LEAST_SAMPLES} to {most} "
            "can be compared at equal numbers (half of the real ones serve as the floor); give more images, or "
            "another --samples."
        )
    check_neighbours(neighbours, n, "give more images")
