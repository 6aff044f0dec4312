"""What gpu_gan_width.py measures beside training: peaks, shares of them, fleets against serial, precision, resuming."""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saddle.core.evaluation import evaluate
from saddle.gan import Cadence, GanConfig, GanProblem, Hooks, Member, make_dynamics, make_gan, train_fleet
from saddle.gan.acceleration import PLAIN, Execution, accelerated
from saddle.gan.batches import GanBatches, member_generators

MATRIX = {"cuda": 8192, "cpu": 512}


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def switch_tf32(on: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = on


def peaks(device: torch.device) -> dict[str, float]:
    """FLOP per second of a large matrix product, by arithmetic: what can be had here, measured."""
    n, found = MATRIX[device.type], {}
    kinds = {"float32": (torch.float32, False)}
    if device.type == "cuda":
        kinds |= {"tf32": (torch.float32, True), "bfloat16": (torch.bfloat16, False)}
    for name, (dtype, tf32) in kinds.items():
        switch_tf32(tf32)
        a = torch.randn(n, n, device=device, dtype=dtype)
        for _ in range(3):
            a @ a
        best = float("inf")
        for _ in range(5):
            wait(device)
            began = time.perf_counter()
            for _ in range(4):
                a @ a
            wait(device)
            best = min(best, (time.perf_counter() - began) / 4)
        found[name] = 2 * n**3 / best
    switch_tf32(False)
    return found


def flops_per_step(gan: GanProblem) -> int:
    """Of one member's generator step with its critic steps, by the networks' multiply-adds.

    With c critic steps a batch passes the generator c times forward and once forward and backward (3 forwards' worth),
    and the discriminator c times twice forward and backward (6), once forward and backward to its input (2).
    Penalties are not counted.
    """
    c = gan.config.critic_steps
    passes = (c + 3) * gan.generator.multiply_adds + (6 * c + 2) * gan.discriminator.multiply_adds
    return 2 * gan.config.batch * passes


class Stepper:
    """Training steps of a fleet, timed."""

    def __init__(self, gan: GanProblem, images: Tensor, seeds: Sequence[int], execution: Execution) -> None:
        self.device, self.dynamics = images.device, make_dynamics(gan.config)
        self.problem = accelerated(gan, execution, images.device)
        self.batches = GanBatches(images, seeds=seeds, batch=gan.config.batch, latent=gan.config.latent)
        state = gan.init(member_generators(seeds, 0))
        self.state = {key: tensor.to(images.device) for key, tensor in state.items()}
        self.memory = self.dynamics.init(gan, self.state)

    def seconds(self, steps: int) -> float:
        """Per step, over `steps` more steps."""
        wait(self.device)
        began = time.perf_counter()
        for _ in range(steps):
            self.state, self.memory = self.dynamics.step(self.problem, self.state, self.memory, self.batches)
            self.batches.step += 1
        wait(self.device)
        return (time.perf_counter() - began) / steps


def fleet_against_serial(
    gan: GanProblem, images: Tensor, execution: Execution, *, fleet: int, steps: int, rounds: int
) -> dict[str, Any]:
    """Seconds per step and member: a fleet with `execution`, one member with it, and one member step by step.

    Interleaved; the least of `rounds`. `times_serial` is the gain over training the members one after the other plainly.
    """
    alone = replace(execution, members="auto")
    steppers = {
        "fleet": Stepper(gan, images, range(fleet), execution),
        "serial": Stepper(gan, images, [0], PLAIN),
        "serial_accelerated": Stepper(gan, images, [0], alone),
    }
    for stepper in steppers.values():
        stepper.seconds(3)
    least = dict.fromkeys(steppers, float("inf"))
    for _ in range(rounds):
        for name, stepper in steppers.items():
            members = fleet if name == "fleet" else 1
            least[name] = min(least[name], stepper.seconds(steps) / members)
    return {
        "fleet": fleet,
        "seconds_per_member_step": least,
        "times_serial": least["serial"] / least["fleet"],
        "times_serial_accelerated": least["serial_accelerated"] / least["fleet"],
    }


def precision_check(config: GanConfig, width: int, images: Tensor, *, steps: int) -> list[dict[str, Any]]:
    """Every arithmetic: seconds per step, and how far its field is from float32's, relative to the field's length."""
    size, channels = images.shape[2], images.shape[1]
    exact: dict[str, Tensor] = {}
    rows = []
    for precision in ("float32", "tf32", "bfloat16") if images.device.type == "cuda" else ("float32",):
        switch_tf32(precision == "tf32")
        gan = make_gan(
            replace(config, precision=precision), width_g=width, width_d=width, size=size, channels=channels
        )
        stepper = Stepper(gan, images, [0], Execution(captured=True))
        batch = next(GanBatches(images, seeds=[0], batch=config.batch, latent=config.latent))
        field = {
            key: tensor.double()
            for player in ("discriminator", "generator")
            for key, tensor in evaluate(gan, stepper.state, batch, [player]).direction.items()
        }
        exact = exact or field
        error = sum(float((field[key] - exact[key]).square().sum()) for key in exact) ** 0.5
        length = sum(float(value.square().sum()) for value in exact.values()) ** 0.5
        stepper.seconds(3)
        rows.append(
            {
                "precision": precision,
                "width": width,
                "seconds": stepper.seconds(steps),
                "error": error / length,
            }
        )
    switch_tf32(False)
    return rows


def compiled_check(gan: GanProblem, images: Tensor, *, steps: int) -> dict[str, float]:
    """Seconds per step as a graph, with and without compiled networks, and what the first compiled step cost."""
    graph = Stepper(gan, images, [0], Execution(captured=True))
    graph.seconds(3)
    compiled = Stepper(gan, images, [0], Execution(captured=True, compiled=True))
    first = compiled.seconds(1)
    compiled.seconds(3)
    return {
        "captured": graph.seconds(steps),
        "captured_and_compiled": compiled.seconds(steps),
        "first_compiled_step": first,
    }


def resume_check(gan: GanProblem, images: Tensor, execution: Execution, *, steps: int) -> dict[str, Any]:
    """Whether a training that stopped half way and went on equals an unbroken one bit for bit, deterministically."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before, cuda = torch.backends.cudnn.benchmark, images.device.type == "cuda"
    if cuda:  # a CPU has one kernel for each of these operations, and the call imports torch's compiler
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        with tempfile.TemporaryDirectory() as root:
            for name, goals in (("whole", [steps]), ("parts", [steps // 2, steps])):
                for goal in goals:
                    short_training(gan, images, execution, Path(root) / name, goal)
            whole, parts = (
                torch.load(Path(root) / name / "checkpoint.pt", weights_only=True)
                for name in ("whole", "parts")
            )
            differing = [
                key
                for part in ("state", "memory", "average")
                for key in whole[part]
                if not torch.equal(whole[part][key], parts[part][key])
            ]
    finally:
        if cuda:
            torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = before
    return {
        "execution": str(execution),
        "steps": steps,
        "bit_equal": not differing,
        "differing": differing[:5],
    }


def short_training(gan: GanProblem, images: Tensor, execution: Execution, folder: Path, steps: int) -> None:
    folder.mkdir(exist_ok=True)
    train_fleet(
        gan,
        make_dynamics(gan.config),
        images,
        [Member(seed=0, folder=folder)],
        steps=steps,
        cadence=Cadence(log=10**9, sample=10**9, checkpoint=10**9),
        hooks=Hooks(record=lambda index, rows: None, resume=lambda index, step: None),
        execution=execution,
    )
