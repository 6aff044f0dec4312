"""What a worker process does: train and score one fleet of runs."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

import torch

from saddle.core.state import State
from saddle.gan import Cadence, GanConfig, GanProblem, Hooks, Member, make_dynamics, make_gan, train_fleet
from saddle.gan.acceleration import Execution, choose
from saddle.gan.acceleration.execution import PLAIN
from saddle.gan.checkpoint import fleet_steps
from saddle.gan.distributed import World, current
from saddle.gan.hooks import Ending
from saddle.runs import RunFolder, Stopped, environment, stopping, usable_cores
from saddle.studies.width_sweep.cells import FleetRecord, record_fleet, records
from saddle.studies.width_sweep.images import load_images
from saddle.studies.width_sweep.memory import TrainingMemory
from saddle.studies.width_sweep.probing import probe_plan
from saddle.studies.width_sweep.scorer_cache import build_scorer
from saddle.studies.width_sweep.scoring import Scorer

__all__ = ["help_training", "train_cells"]

PROGRESS_EVERY = 0.2  # seconds


@final
@dataclass(frozen=True, kw_only=True)
class _Task:
    """What every part of the job needs to know."""

    root: Path
    steps: int
    cadence: Cadence
    probes: dict[str, Any]
    device: torch.device
    weights: str | None
    report: Callable[..., None]


def train_cells(
    *,
    root: str,
    runs: list[str],
    steps: int,
    cadence: dict[str, int],
    device: str,
    deterministic: bool,
    weights: str | None,
    wait: bool,
    report: Callable[..., None],
    probes: dict[str, Any] | None = None,
) -> None:
    """Train the run folders `runs` under `root` together to `steps` steps.

    Where another process has one of them, all are left to it; with `wait`, they are taken when it has ended.

    Raises `Stopped` when a stop was asked for, after a checkpoint.
    """
    task = _Task(
        root=Path(root),
        steps=steps,
        cadence=Cadence(**cadence),
        probes=probes or {},
        device=torch.device(device),
        weights=weights,
        report=report,
    )
    folders = [RunFolder.open(task.root / name) for name in runs]
    with ExitStack() as held, _arithmetic(folders[0].config["gan"]["precision"], deterministic):
        # In one order, so that of two processes that want the same fleet one gets all of it.
        for folder in sorted(folders, key=lambda folder: folder.path.name):
            lock = folder.try_lock()
            if lock is None and wait:
                report(0, steps, "waiting for another saddle process that has it")
                lock = folder.wait_for_lock(give_up=stopping)
                if lock is None:
                    raise Stopped("stopped while it waited for another process")
            if lock is None:
                report(0, steps, "left to another saddle process that has it")
                return
            held.enter_context(lock)
        # What is finished is asked again under the locks: another process may have just finished it.
        folders = [folder for folder in folders if not folder.finished(steps)]
        begun = records({folder.path.parent for folder in folders})
        for record, fleet in _by_record(folders).items():
            with _threads(record.threads, task):
                if fleet[0].path.name not in begun:
                    record = replace(record, execution=_measured(task, fleet, deterministic))
                record_fleet(fleet, record)
                for group in _by_step(fleet).values():
                    _train_group(task, group, record)


def _by_record(folders: Sequence[RunFolder]) -> dict[FleetRecord, list[RunFolder]]:
    """The fleets that the runs began in, by their records; runs without one begin as one fleet now.

    One fleet, as a rule: only where another command began some of them while this job waited are there more.
    """
    begun = records({folder.path.parent for folder in folders})
    names = tuple(folder.path.name for folder in folders if folder.path.name not in begun)
    new = FleetRecord(names, torch.get_num_threads())
    groups: dict[FleetRecord, list[RunFolder]] = {}
    for folder in folders:
        groups.setdefault(begun.get(folder.path.name, new), []).append(folder)
    return groups


def _by_step(folders: Sequence[RunFolder]) -> dict[int, list[RunFolder]]:
    # Members of one fleet stand at one step, unless somebody removed a file; then each step is its own fleet.
    groups: dict[int, list[RunFolder]] = {}
    for folder, step in zip(folders, fleet_steps([f.path for f in folders]), strict=True):
        groups.setdefault(step, []).append(folder)
    return groups


def _problem(config: Mapping[str, Any]) -> GanProblem:
    return make_gan(
        GanConfig(**config["gan"]),
        width_g=config["width_g"],
        width_d=config["width_d"],
        size=config["data"]["size"],
        channels=config["data"]["channels"],
    )


def _measured(task: _Task, folders: list[RunFolder], deterministic: bool) -> Execution:
    """The fastest execution of a new fleet's steps on this device."""
    if current().size > 1:
        return PLAIN
    config = folders[0].config
    problem = _problem(config)
    split = load_images(task.root / "cache", config["data"]["train"], config["data"]["test"])
    return choose(
        problem,
        make_dynamics(problem.config),
        split.train.images.to(task.device),
        [folder.config["seed"] for folder in folders],
        steps=task.steps,
        deterministic=deterministic,
        progress=lambda text: task.report(0, task.steps * len(folders), text),
    ).execution


def _train_group(task: _Task, folders: list[RunFolder], record: FleetRecord) -> None:
    config = folders[0].config
    split = load_images(task.root / "cache", config["data"]["train"], config["data"]["test"])
    problem = _problem(config)
    cache = task.root / "cache"
    scorer = build_scorer(config["metrics"], split, cache, task.device, weights=task.weights)
    plan = probe_plan(
        task.probes, split, scorer.extractor, latent=problem.config.latent, cache=cache, device=task.device
    )
    world = current()
    world.from_first(lambda: _for_helpers(task, folders, record))
    endings = train_fleet(
        problem,
        make_dynamics(problem.config),
        split.train.images.to(task.device),
        [Member(seed=folder.config["seed"], folder=folder.path) for folder in folders],
        steps=task.steps,
        cadence=task.cadence,
        hooks=_hooks(task, folders, problem, scorer, record),
        execution=record.execution,
        world=world,
        probes=plan,
    )
    if any(ending.status == "interrupted" for ending in endings):
        raise Stopped(
            f"stopped at step {endings[0].step} of {task.steps}; the same command goes on from there"
        )


def _for_helpers(task: _Task, folders: Sequence[RunFolder], record: FleetRecord) -> str:
    return json.dumps(
        {
            "root": str(task.root.absolute()),
            "runs": [folder.path.name for folder in folders],
            "steps": task.steps,
            "cadence": asdict(task.cadence),
            "threads": record.threads,
            "deterministic": torch.are_deterministic_algorithms_enabled(),
        }
    )


def help_training(asked: str, device: torch.device, world: World) -> None:
    """What the other processes of a distributed training do while the first is in `train_cells`; writes nothing."""
    told = json.loads(asked)
    root = Path(told["root"])
    folders = [RunFolder.open(root / name) for name in told["runs"]]
    config = folders[0].config
    split = load_images(root / "cache", config["data"]["train"], config["data"]["test"])
    problem = _problem(config)
    torch.set_num_threads(told["threads"])
    with _arithmetic(config["gan"]["precision"], told["deterministic"]):
        train_fleet(
            problem,
            make_dynamics(problem.config),
            split.train.images.to(device),
            [Member(seed=folder.config["seed"], folder=folder.path) for folder in folders],
            steps=told["steps"],
            cadence=Cadence(**told["cadence"]),
            hooks=Hooks(record=lambda index, rows: None, resume=lambda index, step: None, stopping=stopping),
            world=world,
        )


def _hooks(
    task: _Task, folders: list[RunFolder], problem: GanProblem, scorer: Scorer, record: FleetRecord
) -> Hooks:
    steps, device, report = task.steps, task.device, task.report
    memory = TrainingMemory(device)
    last = [0.0]

    def progress(step: int, text: str) -> None:
        if time.monotonic() - last[0] > PROGRESS_EVERY or step == steps:
            last[0] = time.monotonic()
            memory.look()
            report(step * len(folders), steps * len(folders), text)

    def evaluate(state: State, seed: int) -> list[dict[str, Any]]:
        return scorer(problem.generator, state, seed)

    def ended(index: int, ending: Ending) -> None:
        if ending.status != "interrupted":
            folders[index].write_result(
                _result(ending, problem, folders[index], record, device) | {"peak_memory_bytes": memory.peak}
            )

    return Hooks(
        record=lambda index, rows: folders[index].append_metrics(rows, durable=True),
        resume=lambda index, step: folders[index].truncate_metrics(step),
        looking=memory.stop,
        evaluate=evaluate,
        progress=progress,
        stopping=stopping,
        ended=ended,
    )


def _result(
    ending: Ending, problem: GanProblem, folder: RunFolder, record: FleetRecord, device: torch.device
) -> dict[str, Any]:
    networks = {"generator": problem.generator, "discriminator": problem.discriminator}
    on_gpu = device.type == "cuda"
    return asdict(ending) | {
        "width": folder.config["width"],
        "width_g": folder.config["width_g"],
        "width_d": folder.config["width_d"],
        "seed": folder.config["seed"],
        "parameters": {name: network.parameter_count for name, network in networks.items()},
        "multiply_adds": {name: network.multiply_adds for name, network in networks.items()},
        "probe_share": ending.probe_share,
        "fleet": len(record.members),
        "execution": asdict(record.execution),
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "threads": torch.get_num_threads(),
        "environment": environment(),
    }


@contextmanager
def _threads(count: int, task: _Task) -> Iterator[None]:
    """Train on as many threads as the runs began with, where the machine has them: another number sums in
    another order, but more threads than cores would be slower by orders of magnitude."""
    before, cores = torch.get_num_threads(), usable_cores()
    if count > cores:
        text = f"begun on {count} threads, goes on with {cores}: equal up to rounding"
        task.report(0, task.steps, text)
    torch.set_num_threads(min(count, cores))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _arithmetic(precision: str, deterministic: bool) -> Iterator[None]:
    """Set torch's switches for this fleet, and put them back."""
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    if deterministic:
        # cuBLAS reads it when it starts, which is at the first product on the device.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not deterministic
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
        if deterministic:  # the call alone imports torch's compiler, which takes seconds
            torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
