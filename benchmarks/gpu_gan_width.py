"""The GPU numbers of the study of GAN width, unattended and inside a time limit: one command, one JSON file, pictures.

    python benchmarks/gpu_gan_width.py --data cifar10.npz --inception FILE --efficientnet FILE --out results-gpu
    python benchmarks/gpu_gan_width.py --tiny --out tiny               # everything on a CPU in a minute, built-in digits

DCGAN at widths 4 … 128 and ResNet at 8 … 128, three seeds each as one fleet, all widths of an architecture to the same
step: as many as the time allows, planned from a short measurement of every cell. The cheapest protocol, and said so in
the file: one critic step, no gradient penalty (DCGAN: non-saturating, Adam 2e-4 (0.5, 0.999); ResNet: hinge, spectral
norm in the discriminator, Adam 2e-4 (0, 0.9)), batch 64. Everything measured is written at once to gpu_gan_width.json,
so a kill at any time keeps what is there. A part that fails is named under "failed", and the rest goes on. Where a
command may only run for ten minutes: once with --arch dcgan --minutes 9.5, and once with --arch resnet.
"""

import argparse
import json
import math
import os
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault(
    "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
)  # read when the device starts; for the resume check

import torch
from torch import Tensor

from _gpu_measures import (
    compiled_check,
    fleet_against_serial,
    flops_per_step,
    peaks,
    precision_check,
    resume_check,
    switch_tf32,
)
from saddle._files import write_bytes, write_text
from saddle.core.state import State
from saddle.data import DataConfig, Split, load_split
from saddle.gan import (
    Cadence,
    GanConfig,
    GanProblem,
    Hooks,
    Member,
    make_dynamics,
    make_gan,
    sample,
    train_fleet,
)
from saddle.gan.acceleration import Choice, choose
from saddle.gan.sampling import fixed_latents, grid_png
from saddle.metrics import FeatureExtractor, Reference, make_extractor
from saddle.metrics.divergence import NndConfig, draw_from, neural_divergence
from saddle.runs import environment

CONFIGS = {
    "dcgan": GanConfig(arch="dcgan"),
    "resnet": GanConfig(arch="resnet", loss="hinge", spectral_norm="discriminator", beta1=0.0, beta2=0.9),
}
NEVER = 10**9


@dataclass(kw_only=True)
class Plan:
    """What is asked for."""

    widths: dict[str, list[int]]
    seeds: int
    minutes: float
    precision: Literal["float32", "tf32", "bfloat16"]
    samples: int
    features: dict[str, str | None]  # extractor -> its file
    nnd: NndConfig
    pool: int  # generated images per generator that the divergence draws from
    speed: int  # steps of a timing
    fleet: int  # members of the fleet that is held against serial training
    study_width: int  # at which that is done
    points: int  # scores along the way, at most
    most: int  # steps, whatever the time allows
    timing: float  # seconds of a round when executions are compared


@dataclass(kw_only=True)
class Cell:
    """One architecture at one width."""

    arch: str
    width: int
    gan: GanProblem
    choice: Choice | None = None
    states: dict[int, State] = field(default_factory=dict)  # last averaged generators by seed, on the CPU

    @property
    def name(self) -> str:
        return f"{self.arch}-{self.width}"

    @property
    def seconds(self) -> float:
        """Of one step of the fleet as it will be trained."""
        assert self.choice is not None
        return self.choice.seconds[str(self.choice.execution)]


class Ruler:
    """Fréchet distances in one feature space: to training and to test images, beside what these score each other.

    The other metrics are left to `saddle evaluate`: their neighbours take most of the time of a score.
    """

    def __init__(self, extractor: FeatureExtractor, split: Split, samples: int) -> None:
        self.extractor, self.samples = extractor, samples
        features = {}
        for name, images in (("train", split.train.images), ("test", split.test.images)):
            chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:samples]
            features[name] = extractor(images[chosen])
        self.references = {name: Reference(found, name=extractor.name) for name, found in features.items()}
        self.floors = {
            "train": self.references["train"].frechet(features["test"]),
            "test": self.references["test"].frechet(features["train"]),
        }

    def __call__(self, images: Tensor) -> list[dict[str, Any]]:
        fake = self.extractor(images)
        return [
            {
                "metric": f"FD({self.extractor.name})",
                "split": name,
                "value": reference.frechet(fake),
                "floor": self.floors[name],
                "n_real": len(reference),
                "n_fake": len(fake),
            }
            for name, reference in self.references.items()
        ]


class _Kept:
    """Work whose result is kept."""

    value: Any

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work

    def __call__(self) -> None:
        self.value = self._work()


class Study:
    """The measurements, each written as soon as it is there."""

    def __init__(self, plan: Plan, data: DataConfig, device: torch.device, out: Path) -> None:
        self.plan, self.device, self.out = plan, device, out
        self.began = time.monotonic()
        self.rulers: list[Ruler] = []
        out.mkdir(parents=True, exist_ok=True)
        self.found: dict[str, Any] = {"environment": environment(), "failed": {}, "cells": {}}
        self.split: Split = load_split(data)
        self.images: Tensor = self.split.train.images.to(device)
        self.note(
            "data",
            {"train": len(self.split.train), "test": len(self.split.test), "size": self.split.train.size},
        )
        self.cells = [self.cell(arch, width) for arch, widths in plan.widths.items() for width in widths]

    def cell(self, arch: str, width: int) -> Cell:
        images = self.split.train
        config = replace(CONFIGS[arch], precision=self.plan.precision)
        gan = make_gan(config, width_g=width, width_d=width, size=images.size, channels=images.channels)
        return Cell(arch=arch, width=width, gan=gan)

    def left(self) -> float:
        """Seconds until everything must have ended."""
        return 60 * self.plan.minutes - (time.monotonic() - self.began)

    def note(self, name: str, value: Any) -> None:
        self.found[name] = value
        self.found["seconds_spent"] = time.monotonic() - self.began
        text = json.dumps(self.found, indent=1, default=lambda thing: asdict(thing))
        write_text(self.out / "gpu_gan_width.json", text + "\n")
        print(f"{self.found['seconds_spent']:7.1f} s  {name}", flush=True)

    def part(self, name: str, work: Callable[[], Any], *, needs: float = 0.0) -> None:
        """Note what `work` returns; nothing that goes wrong in one part ends the others."""
        kept = _Kept(work)
        if self.tried(name, kept, needs=needs):
            self.note(name, kept.value)

    def tried(self, name: str, work: Callable[[], Any], *, needs: float = 0.0) -> bool:
        """Whether `work` was done; why not stands under "failed", each under a name of its own."""
        if self.left() < needs:
            self.found["failed"][name] = "no time was left"
            return False
        try:
            work()
            return True
        except Exception:
            self.found["failed"][name] = traceback.format_exc()[-2000:]
        # After the error, whose frames held tensors.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.note("last_failure", name)
        return False

    # --- the parts, in the order of their use ---

    def measure_speeds(self) -> dict[str, Any]:
        """Choose every cell's execution; seconds per step and share of the peak."""
        peak = self.found["peaks"][self.plan.precision]
        rows: dict[str, Any] = {}

        def measure(cell: Cell) -> None:
            cell.choice = choose(
                cell.gan,
                make_dynamics(cell.gan.config),
                self.images,
                range(self.plan.seeds),
                steps=1,
                worth=0.0,
                round_=self.plan.timing,
            )
            work = flops_per_step(cell.gan) * self.plan.seeds
            rows[cell.name] = {
                "execution": cell.choice.execution,
                "seconds_per_fleet_step": cell.choice.seconds,
                "left_out": cell.choice.left_out,
                "steps_per_second": 1 / cell.seconds,
                "member_steps_per_second": self.plan.seeds / cell.seconds,
                "flops_per_member_step": flops_per_step(cell.gan),
                "share_of_peak": work / cell.seconds / peak,
            }
            self.note("speeds", rows)

        # Narrow ones first, of all architectures: what is no longer measured is the widest.
        for cell in sorted(self.cells, key=lambda cell: cell.width):
            self.tried(f"speed of {cell.name}", partial(measure, cell), needs=60 * self.plan.minutes * 0.6)
        return rows

    def compare_with_serial(self) -> dict[str, Any]:
        rows: dict[str, Any] = {}

        def compare(cell: Cell) -> None:
            seeds, dynamics = range(self.plan.fleet), make_dynamics(cell.gan.config)
            choice = choose(
                cell.gan, dynamics, self.images, seeds, steps=1, worth=0.0, round_=self.plan.timing
            )
            found = fleet_against_serial(
                cell.gan,
                self.images,
                choice.execution,
                fleet=self.plan.fleet,
                steps=self.plan.speed,
                rounds=3,
            )
            rows[cell.name] = {"execution": choice.execution, "left_out": choice.left_out} | found

        for arch in self.plan.widths:
            cell = self.cell(arch, self.plan.study_width)
            self.tried(f"fleet against serial of {cell.name}", partial(compare, cell))
        return rows

    def build_rulers(self) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        for features, file in self.plan.features.items():
            began = time.monotonic()
            try:
                extractor = make_extractor(
                    features,
                    size=self.split.train.size,
                    channels=self.split.train.channels,
                    weights=file,
                    device=self.device,
                )
                ruler = Ruler(extractor, self.split, min(self.plan.samples, len(self.split.test)))
            except Exception as error:
                rows[features] = f"left out: {error}"
                continue
            self.rulers.append(ruler)
            rows[features] = {"floors": ruler.floors, "seconds": time.monotonic() - began}
        return rows

    def scores(self, cell: Cell, state: State, seed: int) -> list[dict[str, Any]]:
        latents = fixed_latents(seed, self.plan.samples, cell.gan.config.latent, purpose=4)
        images = sample(cell.gan.generator, state, latents, batch=256)
        return [row for ruler in self.rulers for row in ruler(images)]

    def make_plan(self) -> dict[str, Any]:
        """Steps of every architecture, and how often they are scored, so that all fits into the time."""
        cell = self.cells[0]
        state = {key: value[:1] for key, value in cell.gan.init([torch.Generator().manual_seed(0)]).items()}
        state = {key: value.to(self.device) for key, value in state.items()}
        for ruler in tuple(self.rulers):
            # A feature space that fails here would fail at every score, and end every training.
            features, self.rulers = self.rulers, [ruler]
            works = self.tried(f"scores by {ruler.extractor.name}", partial(self.scores, cell, state, 0))
            self.rulers = [each for each in features if works or each is not ruler]
        began = time.monotonic()
        self.scores(cell, state, 0)
        score = time.monotonic() - began
        budget = 0.85 * (self.left() - self.reserve)
        runs = len(self.cells) * self.plan.seeds
        points = max(1, min(self.plan.points, math.floor(0.35 * budget / (runs * score))))
        architectures = {cell.arch: None for cell in self.cells}  # those of which anything could be measured
        for_steps = max(budget - points * runs * score, 0.1 * budget) / len(architectures)
        self.steps, self.points = {}, points
        for arch in architectures:
            per_step = sum(cell.seconds for cell in self.cells if cell.arch == arch)
            raw = max(points, min(self.plan.most, int(for_steps / per_step)))
            self.steps[arch] = raw - raw % points
        return {
            "seconds_per_score": score,
            "scores_per_run": points,
            "steps": self.steps,
            "protocol": {cell.arch: cell.gan.config for cell in self.cells},
            "seeds": self.plan.seeds,
        }

    @property
    def reserve(self) -> float:
        """Seconds kept for the divergence and the rest at the end."""
        return 0.12 * 60 * self.plan.minutes

    def train(self, cell: Cell, folder: Path) -> None:
        """Train a cell's seeds together; curves of losses and scores, and the last pictures."""
        members = []
        for seed in range(self.plan.seeds):
            (folder / str(seed)).mkdir(parents=True)
            members.append(Member(seed=seed, folder=folder / str(seed)))
        row: dict[str, Any] = {"rows": {seed: [] for seed in range(self.plan.seeds)}}
        self.found["cells"][cell.name] = row
        steps = self.steps[cell.arch]

        def record(index: int, rows: list[dict[str, Any]]) -> None:
            row["rows"][index] += rows
            if any("scores" in each for each in rows):
                self.note("cells", self.found["cells"])

        def evaluate(state: State, seed: int) -> list[dict[str, Any]]:
            cell.states[seed] = {key: value.cpu() for key, value in state.items()}
            return self.scores(cell, state, seed)

        assert cell.choice is not None
        began = time.monotonic()
        endings = train_fleet(
            cell.gan,
            make_dynamics(cell.gan.config),
            self.images,
            members,
            steps=steps,
            cadence=Cadence(
                log=max(1, steps // 50), sample=NEVER, evaluate=max(1, steps // self.points), checkpoint=NEVER
            ),
            hooks=Hooks(
                record=record,
                resume=lambda index, step: None,
                evaluate=evaluate,
                stopping=lambda: self.left() < self.reserve,
            ),
            execution=cell.choice.execution,
        )
        row |= {"endings": endings, "wall_seconds": time.monotonic() - began}
        for seed, state in cell.states.items():
            here = {key: value.to(self.device) for key, value in state.items()}
            latents = fixed_latents(seed, 64, cell.gan.config.latent, purpose=3)
            pictures = sample(cell.gan.generator, here, latents)
            write_bytes(self.out / f"{cell.name}-seed{seed}.png", grid_png(pictures))

    def divergences(self) -> list[dict[str, Any]]:
        """NND of every trained cell's first seed, of a copy of the training set, beside each other."""
        drawn, names = [draw_from(self.split.train.images)], ["training set"]
        for cell in self.cells:
            if 0 not in cell.states:
                continue
            state = {key: value.to(self.device) for key, value in cell.states[0].items()}
            pool = sample(
                cell.gan.generator, state, fixed_latents(0, self.plan.pool, cell.gan.config.latent, purpose=7)
            )
            drawn.append(draw_from(pool))
            names.append(cell.name)
        found = neural_divergence(
            drawn,
            self.split.test.images,
            config=self.plan.nnd,
            seeds=range(len(drawn)),
            device=self.device,
            stopping=lambda: self.left() < 10,
        )
        return [
            {"generator": name, "value": each.value, "standard_error": each.standard_error}
            for name, each in zip(names, found, strict=True)
        ]

    def run(self) -> None:
        self.part("peaks", lambda: peaks(self.device))
        if "peaks" not in self.found:
            self.found["peaks"] = {self.plan.precision: float("nan")}
        switch_tf32(self.plan.precision == "tf32")
        torch.backends.cudnn.benchmark = True
        self.part("speeds", self.measure_speeds)
        self.cells = [cell for cell in self.cells if cell.choice is not None]
        self.part("fleet_against_serial", self.compare_with_serial)
        self.part("features", self.build_rulers)
        self.part("plan", self.make_plan)
        with tempfile.TemporaryDirectory() as root:
            # Cheap cells first: whatever ends this, as many widths as possible are whole.
            for cell in sorted(self.cells, key=lambda cell: cell.seconds):
                work = partial(self.train, cell, Path(root) / cell.name)
                self.tried(f"training of {cell.name}", work, needs=self.reserve)
                self.note("cells", self.found["cells"])
        self.part("nnd", self.divergences, needs=10)
        study = self.cell(next(iter(self.plan.widths)), self.plan.study_width)
        execution = next((c.choice.execution for c in self.cells if c.choice is not None), None)
        if execution is not None:
            self.part("resume", lambda: resume_check(study.gan, self.images, execution, steps=20), needs=10)
        for arch in self.plan.widths:
            width = max(self.plan.widths[arch]) // 2 or 1
            check = partial(precision_check, CONFIGS[arch], width, self.images, steps=self.plan.speed)
            self.part(f"precision_{arch}", check, needs=10)
        if self.device.type == "cuda":  # last, because it may take minutes
            self.part(
                "compiled", lambda: compiled_check(study.gan, self.images, steps=self.plan.speed), needs=120
            )
        self.note("done", True)


FULL = {
    "widths": {"dcgan": [4, 8, 16, 32, 64, 128], "resnet": [8, 16, 32, 64, 128]},
    "samples": 10_000,
    "nnd": NndConfig.quick(),
    "pool": 10_000,
    "speed": 50,
    "fleet": 8,
    "study_width": 16,
    "points": 8,
    "most": 300_000,
    "timing": 0.2,
}
TINY = {
    "widths": {"dcgan": [1, 2], "resnet": [1]},
    "samples": 20,
    "nnd": NndConfig(width=2, iterations=3, batch=8, evaluation_batches=2),
    "pool": 32,
    "speed": 1,
    "fleet": 2,
    "study_width": 1,
    "points": 2,
    "most": 6,
    "timing": 0.01,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits", help="images, in any form that saddle takes")
    parser.add_argument("--test", default=None, help="test images, where --data has none of its own")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "gpu_gan_width")))
    parser.add_argument("--arch", nargs="+", choices=sorted(CONFIGS), default=list(CONFIGS))
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--precision", choices=["float32", "tf32", "bfloat16"], default="float32")
    parser.add_argument(
        "--samples", type=int, default=None, help="images a side of every distance; default 10,000"
    )
    parser.add_argument(
        "--inception", default=None, help="weights file of the Inception network up to 768 features"
    )
    parser.add_argument(
        "--efficientnet", default=None, help="weights file, where the package is not installed"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="a minute on a CPU, to see that all parts work")
    options = parser.parse_args()
    features = {"inception-768": options.inception, "efficientnet-lite0": options.efficientnet}
    if options.tiny:
        features = {"pixels": None, "random": None}
    chosen: dict[str, Any] = dict(TINY if options.tiny else FULL)
    chosen["widths"] = {arch: chosen["widths"][arch] for arch in options.arch}
    chosen["samples"] = options.samples or chosen["samples"]
    plan = Plan(
        **chosen,
        seeds=options.seeds,
        minutes=options.minutes,
        precision=options.precision,
        features=features,
    )
    Study(
        plan, DataConfig(data=options.data, test=options.test), torch.device(options.device), options.out
    ).run()


if __name__ == "__main__":
    main()
