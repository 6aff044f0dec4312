"""`neural_divergence`: train a fleet of critics, then evaluate their averaged weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics.divergence.batches import Draw, PairBatches, stream
from saddle.metrics.divergence.config import NndConfig
from saddle.metrics.divergence.cost import gain
from saddle.metrics.divergence.critic import Critic, Parameters

__all__ = ["NndResult", "NndStopped", "neural_divergence"]

BETA, EPSILON = 0.9, 1e-8
POINTS = 50
"Points of a curve."


@final
class NndStopped(Exception):
    """`neural_divergence` ended early because `stopping()`; nothing is kept."""


@final
@dataclass(frozen=True, kw_only=True)
class NndResult:
    """The divergence of one generator; smaller is better. NaN where the critic's training diverged."""

    value: float
    standard_error: float
    "Of the mean over the evaluation batches, for this critic; another seed's critic adds its own spread."
    config: NndConfig
    curve: tuple[tuple[int, float], ...]
    "(iterations done, mean of minus the training cost since the point before), of the weights in training."


def neural_divergence(
    draws: Sequence[Draw],
    real: UInt8[Tensor, "n channels height width"],
    *,
    config: NndConfig,
    seeds: Sequence[int],
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    stopping: Callable[[], bool] | None = None,
) -> list[NndResult]:
    """Return the neural network divergence of every generator in `draws` from the held-out images `real`.

        NND = mean over fresh batches of  D(x) - D(y) - λ (|∇D(x̂)| - 1)²

    with the averaged weights of a critic D that was trained to maximise it (WGAN-GP) between the generator's fresh
    images y and `real`. A larger value: a small network can tell them apart by more. Hand it the held-out images:
    a generator that copies the training set differs from those by as much as a training set does.

    `draws[i]` makes images for `seeds[i]`, which alone decides the critic's randomness; the critics train together
    and never mix. `progress(done, total)` counts training and evaluation batches; `stopping()` is asked at each.

    Raises UserError for no or unmatched generators, no real images, or images of another shape; NndStopped.
    Source: Gulrajani, Raffel & Metz 2019, with the published code's settings as `NndConfig.exact()`.
    """
    check(draws, real, seeds)
    channels, size = real.shape[1], real.shape[2]
    critic = Critic(width=config.width, channels=channels, size=size)
    parameters = [
        each.to(device).requires_grad_() for each in critic.init([stream(seed, 0) for seed in seeds])
    ]
    averages = [each.detach().clone() for each in parameters]
    squares = [torch.zeros_like(each) for each in averages]
    batches = PairBatches(draws, real, seeds=seeds, batch=config.batch, device=device)
    total = config.iterations + config.evaluation_batches

    def value(weights: Parameters, *, trains: bool) -> Float[Tensor, " fleet"]:
        return gain(lambda x: critic(weights, x), *batches.next(), penalty=config.penalty, trains=trains)

    def tick(done: int) -> None:
        if progress is not None:
            progress(done, total)
        if stopping is not None and stopping():
            raise NndStopped(f"The divergence was stopped after {done} of {total} batches.")

    trained: list[Tensor] = []
    for step in range(config.iterations):
        gains = value(parameters, trains=True)
        slopes = torch.autograd.grad(gains.sum(), parameters)
        trained.append(gains.detach())
        # Adam without momentum, whose second moment starts at 0 and is corrected for it.
        rate = config.lr * (1 - step / config.iterations) * sqrt(1 - BETA ** (step + 1))
        with torch.no_grad():
            for weight, average, square, slope in zip(parameters, averages, squares, slopes, strict=True):
                square.mul_(BETA).addcmul_(slope, slope, value=1 - BETA)
                weight.addcdiv_(slope, square.sqrt().add_(EPSILON), value=rate)
                average.lerp_(weight, 1 - config.ema)
        tick(step + 1)
    found: list[Tensor] = []
    for index in range(config.evaluation_batches):
        found.append(value(averages, trains=False))
        tick(config.iterations + index + 1)
    return results(torch.stack(trained).cpu().double(), torch.stack(found).cpu().double(), config)


def check(draws: Sequence[Draw], real: Tensor, seeds: Sequence[int]) -> None:
    if not draws or len(draws) != len(seeds):
        raise UserError(
            f"{len(draws)} generators were given with {len(seeds)} seeds, and each needs one. Pass as many seeds as "
            "generators, and at least one."
        )
    if not len(real):
        raise UserError("There are no real images to hold the generators against. Pass the held-out images.")
    if real.shape[2] != real.shape[3]:
        raise UserError(
            f"The real images are {real.shape[2]}x{real.shape[3]} pixels, and the critic takes square ones. Crop or resize them."
        )


def results(
    trained: Float[Tensor, "iterations fleet"], found: Float[Tensor, "batches fleet"], config: NndConfig
) -> list[NndResult]:
    """Means, standard errors and curves of all members."""
    width = max(-(-config.iterations // POINTS), 1)
    ends = [min(start + width, config.iterations) for start in range(0, config.iterations, width)]
    windows = torch.stack([part.mean(0) for part in trained.split(width)])
    errors = found.std(0) / sqrt(len(found)) if len(found) > 1 else torch.full_like(found[0], float("nan"))
    return [
        NndResult(
            value=float(found[:, i].mean()),
            standard_error=float(errors[i]),
            config=config,
            curve=tuple(zip(ends, windows[:, i].tolist(), strict=True)),
        )
        for i in range(found.shape[1])
    ]
