"""Fleets as jobs, and the executor that carries them out."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from saddle._files import write_text
from saddle.gan.config import GanConfig
from saddle.gan.probes.cadence import ProbeCadence
from saddle.gan.problem import make_gan
from saddle.runs import Job, Outcome, ProcessExecutor, ProgressDisplay, SerialExecutor, usable_cores
from saddle.studies.width_sweep.cells import Cell, records
from saddle.studies.width_sweep.config import RunOptions, SweepConfig, TrainConfig

__all__ = ["execute", "fleet_key", "record_failures", "round_spacing"]

JOB = "saddle.studies.width_sweep.job:train_cells"


def execute(
    pending: Sequence[Sequence[Cell]],
    command: SweepConfig | TrainConfig,
    device: torch.device,
    *,
    wait: bool = False,
) -> dict[str, Outcome]:
    run = command.run
    jobs = [
        Job(
            key=fleet_key(fleet),
            function=JOB,
            arguments={
                "root": str(command.out),
                "runs": [cell.key for cell in fleet],
                "steps": run.steps,
                "cadence": _cadence(run),
                "probes": _probes(run),
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
    # Runs go on with the threads that they began with: as many workers as have room for that.
    begun = records({command.out})
    threads = max(
        (begun[cell.key].threads for fleet in pending for cell in fleet if cell.key in begun), default=1
    )
    workers = min(workers, max(1, usable_cores() // threads))
    if workers == 0:
        return {}
    with ProgressDisplay(jobs, workers) as display:
        if workers == 1:
            return SerialExecutor().run(jobs, display)
        return ProcessExecutor(workers=workers).run(jobs, display)


def fleet_key(fleet: Sequence[Cell]) -> str:
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
    evaluate = run.evaluate_every or round_spacing(run.steps)
    return {
        "log": run.log_every,
        "evaluate": evaluate,
        "sample": run.sample_every or evaluate,
        "checkpoint": run.checkpoint_every or min(evaluate, 1000),
    }


def _probes(run: RunOptions) -> dict[str, Any]:
    return asdict(ProbeCadence.resolve(run.steps, run.probe_every, run.spectrum_every, raw=run.probe_raw))


def round_spacing(steps: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50, … that goes into `steps` ten times.

    Round numbers, so that a run that is extended later is scored at steps where other runs are scored too.
    """
    spacing = 1
    for power in range(12):
        for factor in (1, 2, 5):
            if factor * 10**power * 10 <= steps:
                spacing = factor * 10**power
    return spacing


def record_failures(pending: Sequence[Sequence[Cell]], outcomes: dict[str, Outcome]) -> None:
    # The whole traceback is for whoever reports the bug; the terminal shows its last line.
    for fleet in pending:
        outcome = outcomes.get(fleet_key(fleet))
        for cell in fleet:
            if outcome is not None and outcome.status == "failed" and outcome.traceback:
                write_text(cell.folder.path / "failure.txt", outcome.traceback)
            elif outcome is not None and outcome.status == "done":
                (cell.folder.path / "failure.txt").unlink(missing_ok=True)
