"""From options to a report: check everything, train what is missing, score, tabulate."""

import json
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import torch

from saddle._files import write_text
from saddle.data import Split, check_batch, load_split
from saddle.errors import UserError
from saddle.gan.config import GanConfig
from saddle.gan.problem import make_gan
from saddle.metrics.config import MetricsConfig
from saddle.report import require_packages
from saddle.runs import (
    Job,
    Outcome,
    ProcessExecutor,
    ProgressDisplay,
    RunFolder,
    SerialExecutor,
    usable_cores,
)
from saddle.studies.width_sweep.cells import Cell, Widths, fleets, identity
from saddle.studies.width_sweep.config import RunOptions, SweepConfig, TrainConfig
from saddle.studies.width_sweep.images import store_images
from saddle.studies.width_sweep.results import collect_rows, finish_tables
from saddle.studies.width_sweep.scorer_cache import build_scorer
from saddle.studies.width_sweep.scoring import check_features, resolve_features, samples_per_side

__all__ = ["SweepOutcome", "run_sweep", "run_train"]

RUN_NAME = re.compile("[0-9a-f]{16}")
JOB = "saddle.studies.width_sweep.job:train_cells"


@final
@dataclass(frozen=True, kw_only=True)
class SweepOutcome:
    """What a command did."""

    folder: Path
    cells: tuple[Cell, ...]
    outcomes: dict[str, Outcome]
    "By fleet; empty when everything was finished before."
    notes: tuple[str, ...] = ()

    @property
    def interrupted(self) -> bool:
        return any(outcome.status == "interrupted" for outcome in self.outcomes.values())

    @property
    def failures(self) -> dict[str, str]:
        return {key: o.message for key, o in self.outcomes.items() if o.status == "failed"}


@final
@dataclass(frozen=True, kw_only=True)
class _Request:
    """What `sweep` and `train` have in common."""

    command: SweepConfig | TrainConfig
    widths: tuple[Widths, ...]
    seeds: tuple[int, ...]


def run_sweep(config: SweepConfig) -> SweepOutcome:
    """Do what `saddle sweep` says; `UserError` before anything is written when it cannot work."""
    widths = tuple(
        Widths(
            width=width,
            generator=width if config.width_g is None else config.width_g,
            discriminator=width if config.width_d is None else config.width_d,
        )
        for width in config.widths
    )
    return _carry_out(_Request(command=config, widths=widths, seeds=tuple(range(config.seeds))))


def run_train(config: TrainConfig) -> SweepOutcome:
    """Do what `saddle train` says: a sweep of one cell."""
    widths = Widths(
        width=config.width,
        generator=config.width if config.width_g is None else config.width_g,
        discriminator=config.width if config.width_d is None else config.width_d,
    )
    return _carry_out(_Request(command=config, widths=(widths,), seeds=(config.seed,)))


def _carry_out(request: _Request) -> SweepOutcome:
    command, run = request.command, request.command.run
    device = _device(run, command.gan)
    # Before hours of training, not after: the report is what the command is for.
    require_packages()
    split = load_split(command.data)
    metrics = _check(request, split)
    samples = samples_per_side(metrics, split)
    _check_out(command.out)
    # From here on the command is good: what it writes is wanted.
    cache = command.out / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(command.out)
    cells = [
        Cell(widths=widths, seed=seed, folder=_folder(request, split, metrics, samples, widths, seed))
        for widths in request.widths
        for seed in request.seeds
    ]
    _write_command(request, split, metrics, samples, cells)
    pending = fleets(cells, steps=run.steps, limit=run.fleet)
    if pending:
        store_images(cache, split)
        # Once, before the workers start: the classifier is trained and real features are extracted here.
        build_scorer(cells[0].folder.config["metrics"], split, cache, device, weights=metrics.weights)
    outcomes = _execute(pending, command, device)
    # What other processes had is waited for at the end, when nothing else is left to do.
    left = _left_to_others(cells, outcomes, pending, run)
    outcomes |= _execute(left, command, device, wait=True)
    # Another command may have run here meanwhile; table and report are about this one.
    _write_command(request, split, metrics, samples, cells)
    table = finish_tables(command.out, lambda: collect_rows(command.out))
    _record_failures(pending, outcomes)
    return SweepOutcome(
        folder=command.out,
        cells=tuple(cells),
        outcomes=outcomes,
        notes=(*_left_out(split), *([] if table.note is None else [table.note])),
    )


def _remove_leftovers(out: Path) -> None:
    """Remove temporary files of processes that were killed while they wrote; a living one is done within the hour."""
    for file in (*out.glob(".*.tmp"), *out.glob("cache/.*.tmp")):
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > 3600:
                file.unlink()


def _left_to_others(
    cells: Sequence[Cell], outcomes: dict[str, Outcome], pending: Sequence[Sequence[Cell]], run: RunOptions
) -> list[list[Cell]]:
    """The fleets that are not finished although nothing failed; none after a stop."""
    if any(outcome.status == "interrupted" for outcome in outcomes.values()):
        return []
    failed = {cell.key for fleet in pending if outcomes[_key(fleet)].status == "failed" for cell in fleet}
    unfinished = fleets(cells, steps=run.steps, limit=run.fleet)
    return [fleet for fleet in unfinished if not failed & {cell.key for cell in fleet}]


def _left_out(split: Split) -> list[str]:
    """What --skip-bad left out, in a sentence."""
    skipped = [*split.train.skipped, *split.test.skipped]
    if not skipped:
        return []
    more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
    return [f"{len(skipped):,} file{'s' * (len(skipped) > 1)} left out: {'; '.join(skipped[:3])}{more}"]


def _device(run: RunOptions, gan: GanConfig) -> torch.device:
    available = torch.cuda.is_available()
    if run.device == "cuda" and not available:
        raise UserError(
            "--device cuda was asked for, but torch sees no CUDA device; use --device cpu or auto."
        )
    device = torch.device("cuda" if available and run.device != "cpu" else "cpu")
    if gan.precision != "float32" and device.type == "cpu":
        raise UserError(
            f"--precision {gan.precision} needs a CUDA device and training would run on the CPU, where it has no "
            "gain (bfloat16 was measured at a fifth of float32's speed); use --precision float32."
        )
    return device


def _check(request: _Request, split: Split) -> MetricsConfig:
    """Everything that can be refused is refused here; returns the metrics with `auto` resolved."""
    command = request.command
    check_batch(split, command.gan.batch)
    for widths in request.widths:
        make_gan(
            command.gan,
            width_g=widths.generator,
            width_d=widths.discriminator,
            size=split.train.size,
            channels=split.train.channels,
        )
    metrics = resolve_features(command.metrics, split)
    check_features(metrics, split)
    return metrics


def _check_out(out: Path) -> None:
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


def _folder(
    request: _Request, split: Split, metrics: MetricsConfig, samples: int, widths: Widths, seed: int
) -> RunFolder:
    command = request.command
    config = identity(widths, seed, split=split, gan=command.gan, metrics=metrics, samples=samples)
    notes = {
        "data": asdict(command.data),
        "metrics": asdict(command.metrics),
        "run": asdict(command.run),
        "images": split.train.name,
    }
    return RunFolder.create(command.out, config, notes=notes)


def _write_command(
    request: _Request, split: Split, metrics: MetricsConfig, samples: int, cells: Sequence[Cell]
) -> None:
    """`sweep.json`: the last command and what it meant; the report reads it."""
    command = request.command
    described: dict[str, Any] = {
        "command": asdict(command) | {"out": str(command.out), "metrics": asdict(metrics)},
        "family": cells[0].family,
        "samples": samples,
        "data": {
            "name": split.train.name,
            "n_train": len(split.train),
            "n_test": len(split.test),
            "size": split.train.size,
            "channels": split.train.channels,
            "classes": len(split.train.classes),
            "skipped": len(split.train.skipped) + len(split.test.skipped),
        },
    }
    write_text(command.out / "sweep.json", json.dumps(described, indent=2, default=str) + "\n")


def _execute(
    pending: Sequence[Sequence[Cell]],
    command: SweepConfig | TrainConfig,
    device: torch.device,
    *,
    wait: bool = False,
) -> dict[str, Outcome]:
    run = command.run
    jobs = [
        Job(
            key=_key(fleet),
            function=JOB,
            arguments={
                "root": str(command.out),
                "runs": [cell.key for cell in fleet],
                "steps": run.steps,
                "cadence": _cadence(run),
                "device": str(device),
                "deterministic": run.deterministic,
                "wait": wait,
                "weights": command.metrics.weights,
            },
            weight=_weight(fleet),
        )
        for fleet in pending
    ]
    workers = min(len(jobs), run.workers or (usable_cores() if device.type == "cpu" else 1))
    if workers == 0:
        return {}
    with ProgressDisplay(jobs, workers) as display:
        if workers == 1:
            return SerialExecutor().run(jobs, display)
        return ProcessExecutor(workers=workers).run(jobs, display)


def _key(fleet: Sequence[Cell]) -> str:
    seeds = ", ".join(str(cell.seed) for cell in fleet)
    return f"width {fleet[0].widths.width} seed{'s' if len(fleet) > 1 else ''} {seeds}"


def _weight(fleet: Sequence[Cell]) -> float:
    """Expected work: multiply-adds of both networks, over a floor that every step costs."""
    config = fleet[0].folder.config
    gan = make_gan(
        GanConfig(**config["gan"]),
        width_g=config["width_g"],
        width_d=config["width_d"],
        size=config["data"]["size"],
        channels=config["data"]["channels"],
    )
    work = 2 * gan.generator.multiply_adds + 3 * gan.discriminator.multiply_adds
    return len(fleet) * (work * gan.config.batch + 1e7)


def _cadence(run: RunOptions) -> dict[str, int]:
    evaluate = run.evaluate_every or _round_spacing(run.steps)
    return {
        "log": run.log_every,
        "evaluate": evaluate,
        "sample": run.sample_every or evaluate,
        "checkpoint": run.checkpoint_every or min(evaluate, 1000),
    }


def _round_spacing(steps: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50, … that goes into `steps` ten times.

    Round numbers, so that a run that is extended later is scored at steps where other runs are scored too.
    """
    spacing = 1
    for power in range(12):
        for factor in (1, 2, 5):
            if factor * 10**power * 10 <= steps:
                spacing = factor * 10**power
    return spacing


def _record_failures(pending: Sequence[Sequence[Cell]], outcomes: dict[str, Outcome]) -> None:
    # The whole traceback is for whoever reports the bug; the terminal shows its last line.
    for fleet in pending:
        outcome = outcomes.get(_key(fleet))
        for cell in fleet:
            if outcome is not None and outcome.status == "failed" and outcome.traceback:
                write_text(cell.folder.path / "failure.txt", outcome.traceback)
            elif outcome is not None and outcome.status == "done":
                (cell.folder.path / "failure.txt").unlink(missing_ok=True)
