"""`probe`: all readings of a fleet at one state."""

import torch
from torch import Tensor

from saddle.core.state import State, fleet_size, member, stack
from saddle.gan.probes.activations import observed, unit_shares
from saddle.gan.probes.batch import ProbeBatch, game_batch, scaled
from saddle.gan.probes.critic import input_gradients, logits
from saddle.gan.probes.decisions import decisions
from saddle.gan.probes.game import path_readings, spectrum_readings
from saddle.gan.probes.gradients import Readings, distance, gradients, norm, updates
from saddle.gan.probes.jacobian import jacobian_readings
from saddle.gan.probes.pictures import Classify, class_readings, data_readings, diversity
from saddle.gan.probes.singular import layer_singular_values
from saddle.gan.problem import GanProblem

__all__ = ["FINITE", "probe"]

FINITE = "weights/finite"
GAME_IMAGES = 32
"Images at which the game's Jacobian and the path angle are taken: each of their many passes costs a step of training."

CLASSIFIED = 128
"Generated images whose classes are told: of ten equal classes one is missed by chance once in 70,000."


def probe(
    problem: GanProblem,
    state: State,
    average: State,
    batch: ProbeBatch,
    *,
    before: State | None = None,
    start: State | None = None,
    light: bool = True,
    heavy: bool = False,
    classify: Classify | None = None,
) -> list[dict[str, float]]:
    """Numbers by name (`names.PROBES`) for every member of the fleet in `state`; nothing is changed or drawn.

    Args:
        problem: the game.
        state: weights and buffers, as in a checkpoint's `state`.
        average: the generators' moving averages, as in a checkpoint's `average`.
        batch: the images and latents to look at.
        before: the state one step earlier, for `update_ratio/…`.
        start: the state that the run began from, for `path/…` among the heavy ones.
        light: whether to take the light probes.
        heavy: whether to take the spectrum of the game, the path angle and the generator's Jacobian too.
        classify: says which class an image shows, for `histogram/…` and `coverage/classes`; needs `batch.classes`.

    Of a member whose weights are not finite only `weights/finite` is told, as 0. Other numbers may be NaN or infinite.
    """
    whole = _finite(state, average)
    chosen = [index for index, finite in enumerate(whole) if finite]
    rows: list[dict[str, float]] = [{FINITE: float(finite)} for finite in whole]
    if not chosen:
        return rows
    state, average = _members(state, chosen, len(whole)), _members(average, chosen, len(whole))
    before = None if before is None else _members(before, chosen, len(whole))
    start = None if start is None else _members(start, chosen, len(whole))
    found: Readings = {}
    if light:
        found |= _light(problem, state, average, batch, classify)
        found |= {} if before is None else updates(problem, before, state)
    if heavy:
        found |= spectrum_readings(problem, state, batch, size=GAME_IMAGES)
        if start is not None:
            found |= path_readings(problem, start, state, batch, size=GAME_IMAGES)
        found |= jacobian_readings(
            problem.generator, state | average, batch.latents.expand(len(chosen), -1, -1)
        )
    table = torch.stack([value.detach().double().cpu() for value in found.values()]).T.tolist()
    for index, values in zip(chosen, table, strict=True):
        rows[index] |= dict(zip(found, values, strict=True))
    return rows


def _light(
    problem: GanProblem, state: State, average: State, batch: ProbeBatch, classify: Classify | None
) -> Readings:
    fleet, size = fleet_size(state), problem.config.batch
    real = scaled(batch.train, fleet)
    test = None if batch.test is None else scaled(batch.test, fleet)
    latents = batch.latents.expand(fleet, -1, -1)
    found = gradients(problem, state, game_batch(batch, fleet, size))
    for network in (problem.generator, problem.discriminator):
        found |= layer_singular_values(network, state)
    fake, units = _generated(problem, state, latents, size)
    found |= units | _critic(problem, state, real, test, fake, batch.mix, size)
    found |= data_readings(real)
    keys = problem.generator.parameters
    found["ema_distance"] = distance(state, average, keys) / norm(state[key] for key in keys)
    with torch.no_grad():
        # In one batch, so that batch norms have statistics as steady as those of sampling.
        shown = problem.generator(state | average, latents).float()
    found["diversity/pixels"] = diversity(shown, real)
    if classify is not None and batch.classes > 0:
        found |= class_readings(shown[:, :CLASSIFIED], classify, classes=batch.classes, real=_shares(batch))
    return found


def _generated(problem: GanProblem, state: State, latents: Tensor, size: int) -> tuple[Tensor, Readings]:
    """Images of the weights themselves in batches of training, and the units that did nothing in the first."""
    network, seen = observed(problem.generator)
    fleet = latents.shape[0]
    first, *rest = [part for part in latents.split(size, dim=1) if part.shape[1] > 1 or size == 1]
    with torch.no_grad():
        images = [network(state, first).float()]
        units = unit_shares(seen, fleet)
        images += [problem.generator(state, part).float() for part in rest]
    return torch.cat(images, dim=1), units


def _critic(
    problem: GanProblem,
    state: State,
    real: Tensor,
    test: Tensor | None,
    fake: Tensor,
    mix: Tensor,
    size: int,
) -> Readings:
    """Everything about the discriminator at images."""
    network, seen = observed(problem.discriminator)
    with torch.no_grad():
        network(state, real[:, :size])
    found = unit_shares(seen, len(real))
    sets = [real, fake] if test is None else [real, fake, test]
    at = logits(problem.discriminator, state, sets, size=size)
    found |= decisions(problem.loss, at[0], at[2] if test is not None else None, at[1])
    count = min(size, real.shape[1], fake.shape[1])
    few_real, few_fake = real[:, :count], fake[:, :count]
    between = torch.lerp(few_fake, few_real, mix[None, :count, None, None, None])
    slopes = input_gradients(problem.discriminator, state, [few_real, few_fake, between])
    names = ("real", "fake", "interpolate")
    return found | {f"input_gradient/{name}": slope for name, slope in zip(names, slopes, strict=True)}


def _shares(batch: ProbeBatch) -> list[float] | None:
    if batch.train_labels is None:
        return None
    counts = torch.bincount(batch.train_labels.cpu(), minlength=batch.classes).double()
    return (counts / counts.sum()).tolist()


def _finite(state: State, average: State) -> list[bool]:
    sums = [tensor.flatten(1).sum(1, dtype=torch.float64) for tensor in (*state.values(), *average.values())]
    return torch.isfinite(torch.stack(sums)).all(0).tolist()


def _members(state: State, chosen: list[int], fleet: int) -> State:
    return state if len(chosen) == fleet else stack([member(state, index) for index in chosen])
