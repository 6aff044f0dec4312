"""A small GAN on 8x8 images and a way to train it, shared by the tests of training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from saddle.core.state import State
from saddle.gan import Cadence, GanConfig, Hooks, Member, make_dynamics, make_gan, train_fleet
from saddle.gan.hooks import Ending
from saddle.gan.probes import ProbePlan

CADENCE = Cadence(log=5, sample=10, evaluate=10, checkpoint=10)


def blobs(n: int = 200) -> torch.Tensor:
    """Grey 8x8 images of one bright blob each."""
    generator = torch.Generator().manual_seed(0)
    centre = torch.rand(n, 2, 1, 1, generator=generator) * 7
    at = torch.arange(8.0)
    distance = (at[:, None] - centre[:, 0]) ** 2 + (at - centre[:, 1]) ** 2
    return (255 * torch.exp(-distance / 4)).to(torch.uint8)[:, None]


@dataclass
class Log:
    rows: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    endings: dict[int, Ending] = field(default_factory=dict)


def small(**options: Any) -> GanConfig:
    defaults: dict[str, Any] = {"latent": 8, "batch": 16}
    return GanConfig(**(defaults | options))


def train(
    root: Path,
    config: GanConfig,
    seeds: list[int],
    steps: int,
    *,
    width: int = 2,
    stop_at: int | None = None,
    cadence: Cadence = CADENCE,
    evaluate: bool | Callable[[State, int], list[dict[str, Any]]] = False,
    probes: ProbePlan | None = None,
) -> tuple[list[Ending], Log]:
    """Train in `root/<seed>`; `stop_at` asks for a stop after that many steps of this call."""
    log, counted = Log(), [0]

    def stopping() -> bool:
        counted[0] += 1
        return stop_at is not None and counted[0] > stop_at

    def resume(index: int, step: int) -> None:
        log.rows[index] = [row for row in log.rows.get(index, []) if row["step"] <= step]

    members = [Member(seed=seed, folder=root / str(seed)) for seed in seeds]
    for member in members:
        member.folder.mkdir(parents=True, exist_ok=True)
    problem = make_gan(config, width_g=width, width_d=width, size=8, channels=1)
    hooks = Hooks(
        record=lambda index, rows: log.rows.setdefault(index, []).extend(rows),
        resume=resume,
        evaluate=evaluate
        if callable(evaluate)
        else (lambda state, seed: [{"seed": seed}])
        if evaluate
        else None,
        stopping=stopping,
        ended=lambda index, ending: log.endings.__setitem__(index, ending),
    )
    endings = train_fleet(
        problem,
        make_dynamics(config),
        blobs(),
        members,
        steps=steps,
        cadence=cadence,
        hooks=hooks,
        probes=probes,
    )
    return endings, log


def saved(root: Path, seed: int) -> dict[str, Any]:
    return torch.load(root / str(seed) / "checkpoint.pt", weights_only=True)


def equal(a: Any, b: Any) -> bool:
    """Bit equality of nested checkpoints."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.view(-1), b.view(-1))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def what_counts(payload: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint without its clock, which measures time, and the global generators, which the shape checks of the tests use."""
    return {key: value for key, value in payload.items() if key not in ("clock", "randomness")}
