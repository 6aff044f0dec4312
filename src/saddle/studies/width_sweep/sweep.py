"""From options to a report: check everything, train what is missing, score, tabulate."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

from saddle._files import write_text
from saddle.data import Split, load_split
from saddle.metrics.config import MetricsConfig
from saddle.report import require_packages
from saddle.runs import (
    Outcome,
    RunFolder,
)
from saddle.studies.width_sweep.cells import Cell, Widths, fleets, identity
from saddle.studies.width_sweep.checks import check_out, check_training, choose_device
from saddle.studies.width_sweep.config import RunOptions, SweepConfig, TrainConfig
from saddle.studies.width_sweep.execution import execute, fleet_key, record_failures
from saddle.studies.width_sweep.extras import ExtrasDone, ExtrasOptions, compute_extras
from saddle.studies.width_sweep.images import store_images
from saddle.studies.width_sweep.results import collect_rows, finish_tables
from saddle.studies.width_sweep.scorer_cache import build_scorer
from saddle.studies.width_sweep.scoring import samples_per_side

__all__ = ["SweepOutcome", "run_sweep", "run_train"]


@final
@dataclass(frozen=True, kw_only=True)
class SweepOutcome:
    """What a command did."""

    folder: Path
    cells: tuple[Cell, ...]
    outcomes: dict[str, Outcome]
    "By fleet; empty when everything was finished before."
    notes: tuple[str, ...] = ()
    extras: ExtrasDone = field(default_factory=ExtrasDone)
    "What --nnd and --diagnose did."

    @property
    def interrupted(self) -> bool:
        trained = any(outcome.status == "interrupted" for outcome in self.outcomes.values())
        return trained or self.extras.interrupted

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
    device = choose_device(run, command.gan)
    # Before hours of training, not after: the report is what the command is for.
    require_packages()
    split = load_split(command.data)
    metrics = check_training(split, command.gan, command.metrics, request.widths)
    samples = samples_per_side(metrics, split)
    check_out(command.out)
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
    outcomes = execute(pending, command, device)
    # What other processes had is waited for at the end, when nothing else is left to do.
    left = _left_to_others(cells, outcomes, pending, run)
    outcomes |= execute(left, command, device, wait=True)
    # Another command may have run here meanwhile; table and report are about this one.
    _write_command(request, split, metrics, samples, cells)
    extras = ExtrasDone()
    if not any(outcome.status == "interrupted" for outcome in outcomes.values()):
        asked = ExtrasOptions(
            nnd="quick" if command.nnd else "none",
            diagnose=command.diagnose,
            trust=True,
            device=run.device,
            workers=run.workers,
        )
        extras = compute_extras(command.out, asked)
    table = finish_tables(command.out, lambda: collect_rows(command.out))
    record_failures([*pending, *left], outcomes)
    return SweepOutcome(
        folder=command.out,
        cells=tuple(cells),
        outcomes=outcomes,
        extras=extras,
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
    failed = {
        cell.key for fleet in pending if outcomes[fleet_key(fleet)].status == "failed" for cell in fleet
    }
    unfinished = fleets(cells, steps=run.steps, limit=run.fleet)
    return [fleet for fleet in unfinished if not failed & {cell.key for cell in fleet}]


def _left_out(split: Split) -> list[str]:
    """What --skip-bad left out, in a sentence."""
    skipped = [*split.train.skipped, *split.test.skipped]
    if not skipped:
        return []
    more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
    return [f"{len(skipped):,} file{'s' * (len(skipped) > 1)} left out: {'; '.join(skipped[:3])}{more}"]


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
            "outliers": 0 if split.train.outliers is None else int(split.train.outliers.sum()),
            "skipped": len(split.train.skipped) + len(split.test.skipped),
        },
    }
    write_text(command.out / "sweep.json", json.dumps(described, indent=2, default=str) + "\n")
