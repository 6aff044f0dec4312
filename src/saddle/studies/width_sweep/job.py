"""What a worker process does: train and score one fleet of runs."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from saddle.core.state import State
from saddle.data import Split
from saddle.gan import Cadence, GanConfig, GanProblem, Hooks, Member, make_dynamics, make_gan, train_fleet
from saddle.gan.checkpoint import fleet_steps
from saddle.gan.train import Ending
from saddle.runs import RunFolder, Stopped, environment, stopping
from saddle.studies.width_sweep.images import load_images
from saddle.studies.width_sweep.scorer_cache import build_scorer

__all__ = ["train_cells"]

PROGRESS_EVERY = 0.2  # seconds


def train_cells(
    *,
    root: str,
    runs: list[str],
    steps: int,
    cadence: dict[str, int],
    device: str,
    deterministic: bool,
    report: Callable[..., None],
) -> None:
    """Train the run folders `runs` under `root` together to `steps` steps; leave them if another process has them.

    Raises `Stopped` when a stop was asked for, after a checkpoint.
    """
    folders = [RunFolder.open(Path(root) / name) for name in runs]
    with ExitStack() as held, _arithmetic(folders[0].config["gan"]["precision"], deterministic):
        # In one order, so that of two processes that want the same fleet one gets all of it.
        for folder in sorted(folders, key=lambda folder: folder.path.name):
            lock = folder.try_lock()
            if lock is None:
                report(0, steps, "left to another process that has it")
                return
            held.enter_context(lock)
        folders = [folder for folder in folders if not folder.finished(steps)]
        for step, group in _by_step(folders).items():
            if step < steps or any(folder.result() is None for folder in group):
                _train_group(Path(root), group, steps, Cadence(**cadence), torch.device(device), report)


def _by_step(folders: Sequence[RunFolder]) -> dict[int, list[RunFolder]]:
    # Members of one fleet stand at one step, unless somebody removed a file; then each step is its own fleet.
    groups: dict[int, list[RunFolder]] = {}
    for folder, step in zip(folders, fleet_steps([f.path for f in folders]), strict=True):
        groups.setdefault(step, []).append(folder)
    return groups


def _train_group(
    root: Path,
    folders: list[RunFolder],
    steps: int,
    cadence: Cadence,
    device: torch.device,
    report: Callable[..., None],
) -> None:
    config = folders[0].config
    split = load_images(root / "cache", config["data"]["train"], config["data"]["test"])
    problem = make_gan(
        GanConfig(**config["gan"]),
        width_g=config["width_g"],
        width_d=config["width_d"],
        size=config["data"]["size"],
        channels=config["data"]["channels"],
    )
    endings = train_fleet(
        problem,
        make_dynamics(problem.config),
        split.train.images.to(device),
        [Member(seed=folder.config["seed"], folder=folder.path) for folder in folders],
        steps=steps,
        cadence=cadence,
        hooks=_hooks(root, folders, problem, split, steps, device, report),
    )
    if any(ending.status == "interrupted" for ending in endings):
        raise Stopped(f"stopped at step {endings[0].step} of {steps}; the same command goes on from there")


def _hooks(
    root: Path,
    folders: list[RunFolder],
    problem: GanProblem,
    split: Split,
    steps: int,
    device: torch.device,
    report: Callable[..., None],
) -> Hooks:
    scorer = build_scorer(folders[0].config["metrics"], split, root / "cache", device)
    last = [0.0]

    def progress(step: int, text: str) -> None:
        if time.monotonic() - last[0] > PROGRESS_EVERY or step == steps:
            last[0] = time.monotonic()
            report(step * len(folders), steps * len(folders), text)

    def evaluate(state: State, seed: int) -> list[dict[str, Any]]:
        return scorer(problem.generator, state, seed)

    def ended(index: int, ending: Ending) -> None:
        if ending.status != "interrupted":
            folders[index].write_result(_result(ending, problem, folders[index], len(folders), device))

    return Hooks(
        record=lambda index, rows: folders[index].append_metrics(rows),
        resume=lambda index, step: folders[index].truncate_metrics(step),
        evaluate=evaluate,
        progress=progress,
        stopping=stopping,
        ended=ended,
    )


def _result(
    ending: Ending, problem: GanProblem, folder: RunFolder, fleet: int, device: torch.device
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
        "fleet": fleet,
        "peak_memory_bytes": torch.cuda.max_memory_allocated(device) if on_gpu else _peak_resident_bytes(),
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "threads": torch.get_num_threads(),
        "environment": environment(),
    }


def _peak_resident_bytes() -> int:
    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def _arithmetic(precision: str, deterministic: bool) -> Iterator[None]:
    """Set torch's switches for this fleet, and put them back."""
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    if deterministic:
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not deterministic
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
        if deterministic:  # the call alone imports torch's compiler, which takes seconds
            torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
