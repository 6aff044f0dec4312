"""What the study `robust-gan` computes: a cell is one method on one setting, four seeds in one fleet."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from saddle.core import State, generators_of, normal
from saddle.studies.cell import Cell, CellResult
from saddle.studies.robust_gan.config import CHUNK, RobustGanConfig
from saddle.studies.robust_gan.measures import auroc, mode_shares, off_share, transport_distance
from saddle.studies.robust_gan.methods import METHODS
from saddle.studies.robust_gan.mixture import Setting
from saddle.studies.robust_gan.problem import RobustGan
from saddle.studies.robust_gan.settings import SETTINGS
from saddle.studies.robust_gan.training import train

__all__ = ["VERSION", "cell_name", "cells", "chunks", "compute"]

VERSION = "1"
EVALUATION, SECOND = 700_001, 900_007
"Added to a seed for the latents of the points that are judged, and for a second set of clean points."


def chunks(config: RobustGanConfig) -> list[range]:
    """The seeds in groups that are trained together."""
    last = config.first_seed + config.seeds
    return [range(first, min(first + CHUNK, last)) for first in range(config.first_seed, last, CHUNK)]


def cell_name(setting: str, method: str, seeds: range) -> str:
    """Of one method on one setting with these seeds."""
    return f"{setting}: {method}: {seeds.start}-{seeds.stop - 1}"


def cells(config: RobustGanConfig) -> list[Cell]:
    return [
        Cell(
            name=cell_name(setting, method, seeds),
            settings={
                "setting": SETTINGS[setting].settings(),
                "method": method,
                "seeds": [seeds.start, len(seeds)],
                "steps": config.steps,
                "samples": config.samples,
            },
            # The first seeds of everything are there before the second ones of anything.
            weight=(1.2 if method == "network" else 1.0) * 0.5**order,
        )
        for order, seeds in enumerate(chunks(config))
        for setting, methods in config.plan
        for method in methods
    ]


def compute(cell: Cell) -> CellResult:
    setting, method = Setting.of(cell.settings["setting"]), METHODS[cell.settings["method"]]
    first, count = cell.settings["seeds"]
    seeds, samples = range(first, first + count), cell.settings["samples"]
    trained = train(setting, method, seeds, cell.settings["steps"])
    problem = method.problem(setting)
    made = generated(problem, trained.state, seeds, samples)
    clean = setting.clean(seeds, samples)
    sample = problem.sample(generators_of(seeds))
    numbers: dict[str, list[float]] = {
        "off": off_share(made, len(setting.shares)).tolist(),
        "distance": _distances(made, clean),
        "spent": trained.spent.tolist(),
    }
    if method.name == "plain":
        numbers["floor"] = _distances(setting.clean([SECOND + seed for seed in seeds], samples), clean)
    if method.points == "all":
        truth = sample.outlier.numpy()
        for name, score in (("auroc_weight", -trained.weight), ("auroc_score", trained.score)):
            numbers[name] = [auroc(each, those) for each, those in zip(score, truth, strict=True)]
        numbers["outlier_weight"] = _means(trained.weight, truth)
        light = (sample.mode == int(np.argmin(setting.shares))).numpy()
        numbers["light_weight"] = _means(trained.weight, light)
    return CellResult(
        numbers=numbers,
        arrays={
            "mode_shares": mode_shares(made, len(setting.shares)).numpy(),
            "generated": made.numpy(),
            "points": trained.state["data.points"][:1].numpy(),
            "outlier": sample.outlier[:1].numpy(),
            "weight": trained.weight.astype(np.float32),
            "steps": trained.steps,
            "course": trained.off.astype(np.float32),
        },
    )


@torch.no_grad()
def generated(problem: RobustGan, state: State, seeds: Sequence[int], count: int) -> Tensor:
    """Points from latents that depend on the seed alone."""
    latent = normal(
        generators_of([EVALUATION + seed for seed in seeds]), count, problem.latent, dtype=torch.float32
    )
    return problem.generate(state, latent)


def _distances(made: Tensor, clean: Tensor) -> list[float]:
    return [transport_distance(x, y) for x, y in zip(made, clean, strict=True)]


def _means(values: np.ndarray, chosen: np.ndarray) -> list[float]:
    """The mean over the chosen points of every member; NaN where none is chosen."""
    return [
        float(each[those].mean()) if those.any() else float("nan")
        for each, those in zip(values, chosen, strict=True)
    ]
