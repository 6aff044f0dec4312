"""From a trial to its runs' findings: real run folders in a folder that is thrown away."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from saddle.data import DataConfig, Split, load_split
from saddle.gan import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.runs import RunFolder
from saddle.studies.diagnosis import Finding, diagnose, read_evidence
from saddle.studies.gan_diagnosis.trials import Trial
from saddle.studies.width_sweep.cells import Widths, identity
from saddle.studies.width_sweep.images import store_images
from saddle.studies.width_sweep.job import train_cells

__all__ = ["findings_of", "images_of", "train_trial"]

FEW = 32
EVALUATIONS = 20


def images_of(name: str) -> Split:
    """The digits, or what a trial makes of them; the held-out images change likewise."""
    split = load_split(DataConfig(data="sklearn:digits"))
    if name == "few":
        return replace(split, train=split.train.subset(torch.arange(FEW)))
    if name == "dim":
        dim = [replace(part, images=part.images // 10) for part in (split.train, split.test)]
        return Split(train=dim[0], test=dim[1])
    assert name == "digits"
    return split


def train_trial(trial: Trial, seeds: Sequence[int], root: Path) -> list[Path]:
    """Train one run a seed under `root`, as `saddle sweep` would, and return their folders."""
    split = images_of(trial.data)
    (root / "cache").mkdir(parents=True, exist_ok=True)
    store_images(root / "cache", split)
    widths = Widths(width=trial.width_g, generator=trial.width_g, discriminator=trial.width_d)
    metrics, samples = MetricsConfig(features="pixels"), min(len(split.train), len(split.test))
    folders = [
        RunFolder.create(
            root,
            identity(widths, seed, split=split, gan=GanConfig(**trial.gan), metrics=metrics, samples=samples),
        ).path
        for seed in seeds
    ]
    every = max(1, trial.steps // EVALUATIONS)
    train_cells(
        root=str(root),
        runs=[folder.name for folder in folders],
        steps=trial.steps,
        cadence={"log": min(10, every), "evaluate": every, "sample": trial.steps, "checkpoint": trial.steps},
        device="cpu",
        deterministic=False,
        weights=None,
        wait=False,
        report=lambda *_, **__: None,
    )
    return folders


def findings_of(trial: Trial, seeds: Sequence[int]) -> list[tuple[Finding, ...]]:
    """What `saddle diagnose` says of every run of a trial (without eigenvalues, which decide nothing)."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            diagnose(read_evidence(run, spectrum=False)) for run in train_trial(trial, seeds, Path(folder))
        ]
