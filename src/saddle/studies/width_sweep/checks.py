"""What a command can be refused for, before anything is written."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import torch

from saddle.data import Split, check_batch
from saddle.errors import UserError
from saddle.gan.acceleration.precision import check_precision
from saddle.gan.config import GanConfig
from saddle.gan.problem import make_gan
from saddle.metrics.config import MetricsConfig
from saddle.studies.width_sweep.cells import Widths
from saddle.studies.width_sweep.config import RunOptions
from saddle.studies.width_sweep.scoring import check_features, resolve_features

__all__ = ["check_out", "check_training", "choose_device"]

RUN_NAME = re.compile("[0-9a-f]{16}")


def choose_device(run: RunOptions, gan: GanConfig) -> torch.device:
    """Where to train; refuses what that device cannot do."""
    available = torch.cuda.is_available()
    if run.device == "cuda" and not available:
        raise UserError(
            "--device cuda was asked for, but torch sees no CUDA device; use --device cpu or auto."
        )
    device = torch.device("cuda" if available and run.device != "cpu" else "cpu")
    if gan.precision != "float32" and device.type == "cpu":
        raise UserError(
            f"--precision {gan.precision} needs a CUDA device, and training would run on the CPU; "
            "use --precision float32."
        )
    if device.type == "cuda":
        check_precision(gan.precision, torch.cuda.get_device_capability(), torch.cuda.get_device_name())
    return device


def check_training(
    split: Split, gan: GanConfig, metrics: MetricsConfig, widths_: Sequence[Widths]
) -> MetricsConfig:
    """Refuse images, networks and features that do not fit; returns the metrics with `auto` resolved."""
    check_batch(split, gan.batch)
    for widths in widths_:
        make_gan(
            gan,
            width_g=widths.generator,
            width_d=widths.discriminator,
            size=split.train.size,
            channels=split.train.channels,
        )
    metrics = resolve_features(metrics, split)
    check_features(metrics, split)
    return metrics


def check_out(out: Path) -> None:
    """Refuse an --out that cannot be written, or that holds other things."""
    there = next(path for path in (out.absolute(), *out.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        what = "" if there == out.absolute() else f" lies below {there}, which"
        raise UserError(f"--out {out}{what} is no folder; name a folder, new or of an earlier sweep.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"--out {out} cannot be made: {there} may not be written; name another folder.")
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    ours = names <= {"cache"} or "sweep.json" in names or any(RUN_NAME.fullmatch(name) for name in names)
    if not ours:
        raise UserError(
            f"--out {out} holds other things and no runs of Saddle; name a new folder, so that nothing is mixed up."
        )
