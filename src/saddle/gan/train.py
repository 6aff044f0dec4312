"""The training loop: a fleet of GANs, one step after another, in a form that can stop and go on anywhere."""

import time
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor

from saddle._files import write_bytes
from saddle.core.state import State, fleet_size, member, stack
from saddle.dynamics import Dynamics
from saddle.dynamics.base_step import Memory
from saddle.dynamics.dynamics import OBJECTIVE
from saddle.errors import UserError
from saddle.gan.acceleration.execution import PLAIN, Execution
from saddle.gan.acceleration.running import accelerated
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.checkpoint import (
    CHECKPOINT,
    Payload,
    global_randomness,
    read_fleet,
    restore_randomness,
    write_fleet,
)
from saddle.gan.distributed.shared import Distributed
from saddle.gan.distributed.world import ALONE, World
from saddle.gan.full_weights import full_weights
from saddle.gan.hooks import Cadence, Ending, Hooks, Member
from saddle.gan.probes.measure import probe
from saddle.gan.probes.plan import ProbePlan
from saddle.gan.problem import DISCRIMINATOR, GENERATOR, GanProblem
from saddle.gan.sampling import fixed_latents, grid_name, grid_png, sample
from saddle.gan.trust import TRUST, RunningWeights, StoredTrust, write_trust

__all__ = ["train_fleet"]

LOOK_EVERY = 50
"Steps between looks for divergence; no option, because the step at which a member leaves decides the others' rounding."
DIVERGED_ABOVE = 1e12
"A loss beyond this is as good as infinite: float32 gradients of it are noise."


@dataclass
class _Fleet:
    """What the loop carries from step to step."""

    members: list[int]  # indices of those still training
    state: State
    memory: Memory
    average: State  # moving average of the generators' parameters
    step: int = 0
    seconds: float = 0.0
    timed: int = 0  # member-steps in `seconds`
    probed: float = 0.0  # seconds of probes
    losses: dict[str, list[float]] = field(default_factory=dict)


def train_fleet(
    problem: GanProblem,
    dynamics: Dynamics,
    images: UInt8[Tensor, "n channels height width"],
    members: Sequence[Member],
    *,
    steps: int,
    cadence: Cadence,
    hooks: Hooks,
    probes: ProbePlan | None = None,
    execution: Execution = PLAIN,
    world: World = ALONE,
) -> list[Ending]:
    """Train one GAN a member to `steps` steps on `images` (uint8, on the device to train on), all in one batch.

    Goes on from the members' checkpoints where they have them (all at one step); a run that was stopped and
    resumed equals an unbroken one bit for bit. A member whose loss is no longer finite leaves the fleet with
    status `diverged`; the others go on. `hooks.stopping` ends the loop after the step in hand with a checkpoint.
    `probes` adds rows `{"step": …, "probe": {name: number}}`, off the clock, and changes nothing of the training.

    `execution` says how steps are computed (`saddle.gan.acceleration`); it changes rounding only. With a `world` of
    several processes (`saddle.gan.distributed`) all call this alike, each computes its part of every batch, and the
    first one writes; checkpoints are those of a training by one process.
    """
    stepping = accelerated(problem, execution, images.device)
    if world.size > 1:
        stepping = Distributed(problem, world)
    fleet, batches = _begin(problem, dynamics, images, members, hooks, world)
    endings: dict[int, Ending] = {}
    generator = list(problem.generator.parameters)
    while fleet.step < steps and fleet.members and not world.any(hooks.stopping()):
        began = time.perf_counter()
        batches.step = fleet.step
        # No copy: a step makes new tensors.
        before = fleet.state if probes is not None and probes.cadence.light(fleet.step + 1) else None
        fleet.state, fleet.memory = dynamics.step(stepping, fleet.state, fleet.memory, batches)
        fleet.step += 1
        _average(fleet, generator, problem.config.ema)
        last = fleet.step == steps
        if last or fleet.step % cadence.log == 0:
            _record_losses(fleet, hooks)
        gone = _diverged(fleet) if last or fleet.step % LOOK_EVERY == 0 else {}
        fleet.seconds += time.perf_counter() - began
        fleet.timed += len(fleet.members)
        if probes is not None:
            _probe(fleet, problem, members, hooks, probes, before)
        if gone:
            batches = _without(fleet, problem, batches, images, members, gone, world)
        if last or any(
            fleet.step % every == 0 for every in (cadence.sample, cadence.evaluate, cadence.checkpoint)
        ):
            _settle(fleet)
        if last or fleet.step % cadence.sample == 0 or fleet.step % cadence.evaluate == 0:
            hooks.looking()
        if world.first and (last or fleet.step % cadence.sample == 0):
            _draw_grids(fleet, problem, members)
        if world.first and batches.trust is not None and (last or fleet.step % cadence.evaluate == 0):
            _write_trust(fleet, problem, batches.trust, images, members, last=last)
        if hooks.evaluate is not None and (last or fleet.step % cadence.evaluate == 0):
            _evaluate(fleet, problem, members, hooks)
            if last and probes is not None and probes.cadence.raw:
                _score_raw(fleet, problem, members, hooks)
        if world.first and (last or gone or fleet.step % cadence.checkpoint == 0):
            _save(fleet, batches, members)
        # Only now: a resume that finds a member ended also finds the others' checkpoints from after it left,
        # and goes on with the very fleet that an unbroken run has.
        for index, ending in gone.items():
            endings[index] = ending
            hooks.ended(index, ending)
        hooks.progress(fleet.step, _status_line(fleet))
    if world.first and fleet.step < steps:
        _save(fleet, batches, members)
    for index in fleet.members:
        endings[index] = _ending(fleet, "done" if fleet.step >= steps else "interrupted")
        hooks.ended(index, endings[index])
    return [endings[index] for index in range(len(members))]


def _begin(
    problem: GanProblem,
    dynamics: Dynamics,
    images: Tensor,
    members: Sequence[Member],
    hooks: Hooks,
    world: World,
) -> tuple[_Fleet, GanBatches]:
    device, seeds = images.device, [member.seed for member in members]
    batches = _batches(problem, images, members, range(len(members)), world)
    stored = world.from_first(lambda: read_fleet([m.folder for m in members]))
    payloads: list[Payload] = [payload for payload in stored if payload is not None]
    if len(payloads) < len(members):
        assert all(payload["step"] == 0 for payload in payloads), (
            "members of one fleet have checkpoints together"
        )
        payloads = []
    state = problem.init(member_generators(seeds, 0))
    state = {key: tensor.to(device) for key, tensor in state.items()}
    memory = dynamics.init(problem, state)
    average = {key: state[key] for key in problem.generator.parameters}
    everybody = list(range(len(members)))
    for payload, member_ in zip(payloads, members, strict=False):
        _check_fit(payload, {"state": state, "memory": memory, "average": average}, member_.folder)
    # Rows are only forgotten after the checkpoints have been read well.
    for index in everybody:
        hooks.resume(index, payloads[0]["step"] if payloads else 0)
    if not payloads:
        return _Fleet(everybody, state, memory, average), batches
    assert len({payload["step"] for payload in payloads}) == 1, "members of one fleet are at one step"
    state, memory, average = (
        stack([_on(payload[part], device) for payload in payloads]) for part in ("state", "memory", "average")
    )
    clock = payloads[0]["clock"]
    restore_randomness(payloads[0]["randomness"])
    batches.load([payload["streams"] for payload in payloads], payloads[0]["step"])
    fleet = _Fleet(everybody, state, memory, average, payloads[0]["step"], clock["seconds"], clock["timed"])
    fleet.probed = float(clock.get("probed", 0.0))
    return fleet, batches


def _check_fit(payload: Payload, expected: dict[str, State], folder: Path) -> None:
    """Refuse a checkpoint of other networks: it would fail deep inside the first step."""
    for part, entries in expected.items():
        for key, tensor in entries.items():
            found = payload[part].get(key)
            if found is None or found.shape != (1, *tensor.shape[1:]) or found.dtype != tensor.dtype:
                raise UserError(
                    f"{folder / CHECKPOINT} does not belong to this run ({part} {key} is missing or of another "
                    "form); delete it to train the run from its beginning."
                )


def _batches(
    problem: GanProblem, images: Tensor, members: Sequence[Member], chosen: Sequence[int], world: World
) -> GanBatches:
    config = problem.config
    seeds = [members[index].seed for index in chosen]
    return GanBatches(
        images,
        seeds=seeds,
        batch=config.batch,
        latent=config.latent,
        part=world.part,
        tracked=config.robust > 0,
    )


def _on(entries: State, device: torch.device) -> State:
    # Adam's counts live on the CPU, where they are read every step.
    return {key: t if t.dtype == torch.int64 else t.to(device) for key, t in entries.items()}


def _average(fleet: _Fleet, keys: list[str], decay: float) -> None:
    """`ā ← d ā + (1 − d) θ` with `d = min(decay, (1 + t)/(10 + t))`; decay 0 keeps the weights themselves."""
    now = [fleet.state[key] for key in keys]
    weight = 1 - min(decay, (1 + fleet.step) / (10 + fleet.step))
    mean = torch._foreach_lerp([fleet.average[key] for key in keys], now, weight) if decay > 0 else now
    fleet.average = dict(zip(keys, mean, strict=True))


def _losses(fleet: _Fleet) -> dict[str, list[float]]:
    """Each player's last objective, one number a member. Waits for the device."""
    names = (DISCRIMINATOR, GENERATOR)
    values = torch.stack([fleet.memory[OBJECTIVE + name] for name in names]).double().tolist()
    return dict(zip(names, values, strict=True))


def _record_losses(fleet: _Fleet, hooks: Hooks) -> None:
    fleet.losses = _losses(fleet)
    for position, index in enumerate(fleet.members):
        row = {f"loss_{name}": values[position] for name, values in fleet.losses.items()}
        hooks.record(index, [{"step": fleet.step} | row])


def _diverged(fleet: _Fleet) -> dict[int, Ending]:
    """Endings of the members whose loss or weights are no longer finite."""
    losses, finite = _losses(fleet), _finite(fleet.state | {"average": _sums(fleet.average)})
    gone: dict[int, Ending] = {}
    for position, index in enumerate(fleet.members):
        bad = [name for name, values in losses.items() if not abs(values[position]) < DIVERGED_ABOVE]
        if bad:
            value = losses[bad[0]][position]
            gone[index] = _ending(
                fleet, "diverged", f"the {bad[0]}'s loss was {value:g} at step {fleet.step}"
            )
        elif not finite[position]:
            gone[index] = _ending(fleet, "diverged", f"a weight was not finite at step {fleet.step}")
    return gone


def _sums(entries: State) -> Tensor:
    """One number a member that is finite where all its entries are (or overflows with them)."""
    return torch.stack([tensor.flatten(1).sum(1) for tensor in entries.values()]).sum(0)


def _finite(entries: State) -> list[bool]:
    return torch.isfinite(_sums({key: t.reshape(len(t), -1) for key, t in entries.items()})).tolist()


def _without(
    fleet: _Fleet,
    problem: GanProblem,
    batches: GanBatches,
    images: Tensor,
    members: Sequence[Member],
    gone: Container[int],
    world: World,
) -> GanBatches:
    """Take diverged members out of the fleet; returns the remaining members' streams."""
    staying = [position for position, index in enumerate(fleet.members) if index not in gone]
    streams = [batches.member_state(position) for position in staying]
    fleet.members = [fleet.members[position] for position in staying]
    if not staying:
        return batches
    for part in ("state", "memory", "average"):
        setattr(fleet, part, stack([member(getattr(fleet, part), position) for position in staying]))
    smaller = _batches(problem, images, members, fleet.members, world)
    smaller.load(streams, fleet.step)
    return smaller


def _settle(fleet: _Fleet) -> None:
    """What a GPU has still to do of the training is time of the training; on a CPU nothing is."""
    device = next(iter(fleet.state.values())).device
    if device.type == "cuda":
        began = time.perf_counter()
        torch.cuda.synchronize(device)
        fleet.seconds += time.perf_counter() - began


def _draw_grids(fleet: _Fleet, problem: GanProblem, members: Sequence[Member]) -> None:
    finite = _finite(fleet.average)
    for position, index in enumerate(fleet.members):
        if not finite[position]:
            continue
        folder = members[index].folder
        (folder / "samples").mkdir(exist_ok=True)
        latents = fixed_latents(members[index].seed, 64, problem.config.latent, purpose=3)
        pictures = sample(problem.generator, _generator(fleet, problem, position), latents)
        write_bytes(folder / grid_name(fleet.step), grid_png(pictures))


def _write_trust(
    fleet: _Fleet,
    problem: GanProblem,
    trust: RunningWeights,
    images: Tensor,
    members: Sequence[Member],
    *,
    last: bool,
) -> None:
    finite = _finite(fleet.state)
    for position, index in enumerate(fleet.members):
        final = None
        if last and finite[position]:
            final = full_weights(problem, member(fleet.state, position), images).cpu().numpy()
        stored = StoredTrust(
            step=fleet.step,
            weights=trust.mean[position].cpu().numpy(),
            visits=trust.visits[position].cpu().numpy(),
            final=final,
        )
        write_trust(members[index].folder / TRUST, stored)


def _probe(
    fleet: _Fleet,
    problem: GanProblem,
    members: Sequence[Member],
    hooks: Hooks,
    probes: ProbePlan,
    before: State | None,
) -> None:
    """Record what is due at this step, on a clock of its own."""
    light, heavy = probes.cadence.light(fleet.step), probes.cadence.heavy(fleet.step)
    if not (light or heavy):
        return
    hooks.looking()
    hooks.progress(fleet.step, "probing")
    _settle(fleet)
    began = time.perf_counter()
    start: State | None = None
    if heavy:
        device = next(iter(fleet.state.values())).device
        seeds = [members[index].seed for index in fleet.members]
        start = _on(problem.init(member_generators(seeds, 0)), device)
    rows: list[dict[str, float]] = []
    # What does not fit beside the training, or does not converge, is left out: the training goes on.
    with suppress(torch.OutOfMemoryError, torch.linalg.LinAlgError):
        rows = probe(
            problem,
            fleet.state,
            fleet.average,
            probes.batch,
            before=before,
            start=start,
            light=light,
            heavy=heavy,
            classify=probes.classify,
        )
    for index, row in zip(fleet.members, rows, strict=False):
        hooks.record(index, [{"step": fleet.step, "probe": row}])
    fleet.probed += time.perf_counter() - began


def _evaluate(fleet: _Fleet, problem: GanProblem, members: Sequence[Member], hooks: Hooks) -> None:
    assert hooks.evaluate is not None
    finite = _finite(fleet.average)  # between two looks a member may have diverged
    for position, index in enumerate(fleet.members):
        if not finite[position]:
            continue
        hooks.progress(fleet.step, f"scoring seed {members[index].seed}")
        scores = hooks.evaluate(_generator(fleet, problem, position), members[index].seed)
        hooks.record(index, [{"step": fleet.step, "scores": scores}])


def _score_raw(fleet: _Fleet, problem: GanProblem, members: Sequence[Member], hooks: Hooks) -> None:
    """Score the weights themselves, where `_evaluate` scored their averages."""
    assert hooks.evaluate is not None
    began = time.perf_counter()
    keys = (*problem.generator.parameters, *problem.generator.buffers)
    state = {key: fleet.state[key] for key in keys}
    finite = _finite(state)
    for position, index in enumerate(fleet.members):
        if finite[position]:
            scores = hooks.evaluate(member(state, position), members[index].seed)
            found = {f"raw/{score['metric']}/{score['split']}": score["value"] for score in scores}
            hooks.record(index, [{"step": fleet.step, "probe": found}])
    fleet.probed += time.perf_counter() - began


def _generator(fleet: _Fleet, problem: GanProblem, position: int) -> State:
    """One member's generator: averaged parameters, and the vectors that spectral normalisation needs."""
    buffers = {key: fleet.state[key] for key in problem.generator.buffers}
    return member(fleet.average | buffers, position)


def _save(fleet: _Fleet, batches: GanBatches, members: Sequence[Member]) -> None:
    if not fleet.members:
        return
    assert fleet_size(fleet.state) == len(fleet.members)
    randomness = global_randomness()
    payloads: list[Payload] = [
        {
            "step": fleet.step,
            "state": _to_cpu(member(fleet.state, position)),
            "memory": _to_cpu(member(fleet.memory, position)),
            "average": _to_cpu(member(fleet.average, position)),
            "streams": batches.member_state(position),
            "randomness": randomness,
            "clock": {"seconds": fleet.seconds, "timed": fleet.timed, "probed": fleet.probed},
        }
        for position in range(len(fleet.members))
    ]
    write_fleet([members[index].folder for index in fleet.members], payloads)


def _to_cpu(entries: State) -> State:
    return {key: tensor.cpu() for key, tensor in entries.items()}


def _ending(fleet: _Fleet, status: Literal["done", "diverged", "interrupted"], message: str = "") -> Ending:
    return Ending(
        status=status,
        step=fleet.step,
        message=message,
        seconds_per_step=fleet.seconds / max(fleet.timed, 1),
        probe_seconds=fleet.probed * fleet.step / max(fleet.timed, 1),
    )


def _status_line(fleet: _Fleet) -> str:
    if not fleet.losses:
        return ""
    mean = {name: sum(values) / len(values) for name, values in fleet.losses.items()}
    return f"loss D {mean[DISCRIMINATOR]:.3f}  G {mean[GENERATOR]:.3f}"
