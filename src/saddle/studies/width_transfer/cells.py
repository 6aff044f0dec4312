"""The study's cells: all steps and seeds of one width as one fleet, and the coordinate checks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from saddle.core.state import State, member
from saddle.data import DataConfig, load_split
from saddle.dynamics import Adam, Alternating, Steps
from saddle.dynamics.dynamics import OBJECTIVE
from saddle.errors import UserError
from saddle.gan import GanConfig, make_gan, sample
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.problem import DISCRIMINATOR, GENERATOR, GanProblem
from saddle.gan.sampling import fixed_latents
from saddle.metrics import Reference, make_extractor
from saddle.studies.cell import Cell, CellResult
from saddle.studies.width_transfer.config import PARAMETERISATIONS, WidthTransferConfig
from saddle.studies.width_transfer.coordinates import coordinate_check

__all__ = ["VERSION", "cells", "check_name", "compute", "images_of", "name_of"]

VERSION = "1"
SCORED = 4
"Purpose of the latents that are scored, as in a sweep."


def name_of(arch: str, parameterisation: str, width: int) -> str:
    """The name of a cell with all steps and seeds of one width."""
    return f"{arch} / {parameterisation} / {width}"


def check_name(arch: str, parameterisation: str) -> str:
    """The name of a coordinate check."""
    return f"{arch} / {parameterisation} / coordinates"


def cells(config: WidthTransferConfig) -> list[Cell]:
    """Two for every architecture and width, and two coordinate checks for every architecture."""
    data = {"data": config.data, "resize": config.resize, "limit": config.limit}
    if config.data != "digits":
        data["digest"] = images_of(data).digest
    found: list[Cell] = []
    for arch in config.archs:
        for parameterisation in PARAMETERISATIONS:
            common = {**data, "arch": arch, "parameterisation": parameterisation, "seeds": config.seeds}
            common["batch"] = config.batch
            widths = config.widths_of(arch)
            check = {**common, "kind": "coordinates", "widths": list(widths), "steps": config.check_steps}
            found.append(Cell(name=check_name(arch, parameterisation), settings=check, weight=max(widths)))
            for width in widths:
                settings = {
                    **common,
                    "kind": "steps",
                    "width": width,
                    "exponents": list(config.exponents),
                    "iterations": config.iterations,
                    "features": config.features,
                    "samples": config.samples,
                }
                # Below some width a step takes as long as its calls.
                weight = (width + max(widths) / 4) ** 2
                found.append(
                    Cell(name=name_of(arch, parameterisation, width), settings=settings, weight=weight)
                )
    return found


def images_of(settings: Mapping[str, Any]) -> Any:
    """The training images that the settings name."""
    wanted = DataConfig(data=settings["data"], resize=settings["resize"], limit=settings["limit"])
    return load_split(wanted).train


def compute(cell: Cell) -> CellResult:
    """Train and score the fleet, or check coordinates."""
    wanted = cell.settings
    train = images_of(wanted)
    config = GanConfig(
        arch=wanted["arch"], parameterisation=wanted["parameterisation"], batch=wanted["batch"]
    )
    if wanted["kind"] == "coordinates":
        seeds = range(wanted["seeds"])
        found = coordinate_check(
            config, wanted["widths"], images=train.images, steps=wanted["steps"], seeds=seeds
        )
        arrays = {"value": found.value, "change": found.change}
        numbers = {"layers": list(found.layers), "hidden": _hidden(config, wanted["widths"], train)}
        return CellResult(numbers=numbers, arrays=arrays)
    if len(train) < max(wanted["batch"], wanted["samples"]):
        raise UserError(
            f"{train.name} has {len(train)} training images, and the study takes batches of {wanted['batch']} and "
            f"compares {wanted['samples']}; give more images, or set samples."
        )
    return _train(config, wanted, train)


def _hidden(config: GanConfig, widths: list[int], train: Any) -> list[str]:
    """Layers that grow at both ends: the two leading axes of their weights differ between widths."""
    shapes: list[dict[str, tuple[int, ...]]] = []
    for width in widths[:2]:
        problem = make_gan(config, width_g=width, width_d=width, size=train.size, channels=train.channels)
        shapes.append({**problem.generator.shapes, **problem.discriminator.shapes})
    narrow, wide = shapes
    return [
        key.removesuffix(".weight")
        for key, shape in narrow.items()
        if len(shape) > 1 and all(a != b for a, b in zip(shape[:2], wide[key][:2], strict=True))
    ]


def _train(config: GanConfig, wanted: Mapping[str, Any], train: Any) -> CellResult:
    """A fleet whose member number i · seeds + j has the i-th step and the j-th seed."""
    width, count = wanted["width"], wanted["seeds"]
    problem = make_gan(config, width_g=width, width_d=width, size=train.size, channels=train.channels)
    steps = [2.0**exponent for exponent in wanted["exponents"]]
    seeds = list(range(count)) * len(steps)
    step = torch.tensor(steps).repeat_interleave(count)
    dynamics = Alternating(
        steps=Steps(by_player={GENERATOR: step, DISCRIMINATOR: step}),
        base=Adam(beta1=config.beta1, beta2=config.beta2),
        order=(DISCRIMINATOR, GENERATOR),
    )
    state = problem.init(member_generators(seeds, 0))
    memory = dynamics.init(problem, state)
    batches = GanBatches(train.images, seeds=seeds, batch=config.batch, latent=config.latent)
    average = {key: state[key] for key in problem.generator.parameters}
    losses = torch.zeros(2, len(seeds))
    iterations = wanted["iterations"]
    last = max(1, iterations // 10)
    for t in range(iterations):
        batches.step = t
        state, memory = dynamics.step(problem, state, memory, batches)
        # The average that `saddle train` scores, with its ramp.
        weight = 1 - min(config.ema, (2 + t) / (11 + t))
        average = {key: mean.lerp(state[key], weight) for key, mean in average.items()}
        if t >= iterations - last:
            losses += torch.stack([memory[OBJECTIVE + name] for name in (GENERATOR, DISCRIMINATOR)]) / last
    buffers = {key: state[key] for key in problem.generator.buffers}
    scores = _scores(problem, average | buffers, seeds, wanted, train)
    shape = (len(steps), count)
    return CellResult(
        arrays={
            "distance": scores.reshape(shape),
            "loss_generator": losses[0].numpy().reshape(shape),
            "loss_discriminator": losses[1].numpy().reshape(shape),
        }
    )


def _scores(
    problem: GanProblem, state: State, seeds: list[int], wanted: Mapping[str, Any], train: Any
) -> np.ndarray:
    """The Fréchet distance of every member to the training images; infinite where a weight is not finite."""
    n = wanted["samples"]
    extractor = make_extractor(wanted["features"], size=train.size, channels=train.channels)
    chosen = np.sort(np.random.default_rng(0).permutation(len(train))[:n])
    reference = Reference(extractor(train.images[torch.from_numpy(chosen)]))
    (latent,) = problem.generator.input_shape
    found: list[float] = []
    for position, seed in enumerate(seeds):
        own = member(state, position)
        if not all(_finite(tensor) for tensor in own.values()):
            found.append(np.inf)
            continue
        images = sample(problem.generator, own, fixed_latents(seed, n, latent, purpose=SCORED))
        found.append(reference.frechet(extractor(images)))
    return np.array(found)


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())
