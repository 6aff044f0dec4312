"""What the sweep's networks cost on this machine, by the clock.

Three costs a width, of freshly made weights (the values do not change the time):

    sampling   milliseconds per image: a batch of 64 latents through the generator to bytes on the CPU, over 64
    latency    milliseconds for one image alone: the same with a batch of 1
    training   milliseconds per training step of one GAN: all critic steps and the generator's, with penalties, Adam
               and the moving average, at the sweep's batch size

Batch norms use standing statistics, as `saddle sample` does; finding those, loading weights and writing files do not
count. Drawing the latents or the batch does. On a GPU the clock stops after a synchronisation.

The clock. One thread on a CPU never waits, so the processor time that it used is what the wall clock would show on
an idle machine, and that is what is measured: other programs do not count (on the machine this was written on, ten
of them made a training step of 29 ms take 240 ms by the wall clock). With more threads, or on a GPU, the wall clock is
taken, and the machine should be idle.

Widths are measured in interleaved rounds, each in another order, so that a disturbance of the machine falls on all
of them; a width whose first call shows that its rounds would not fit the time is left out, and so are all above.
Each number is the median over the rounds with its order-statistic interval.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch

from saddle.gan import GanProblem, make_dynamics, make_gan
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.sampling import fixed_latents, standing_statistics
from saddle.studies.recommendation.cost_model import Measured
from saddle.studies.recommendation.evidence import Networks
from saddle.studies.width_sweep.memory import TrainingMemory
from saddle.studies.width_sweep.summary import median_interval

__all__ = ["BATCH", "KINDS", "Kind", "WidthCosts", "clock_of", "measure"]

Kind = Literal["sampling", "latency", "training"]
KINDS: tuple[Kind, ...] = ("sampling", "latency", "training")
BATCH = 64
ROUNDS = 15
FEWEST = 5
"Rounds without which a median has no interval to speak of."
SHORTEST = 0.002  # seconds that one timing lasts at least


@final
@dataclass(frozen=True, kw_only=True)
class WidthCosts:
    """What one width costs."""

    milliseconds: dict[Kind, Measured]
    memory: dict[Kind, int]
    "Peak bytes above the process at rest, weights included: of a sampling batch, of one image, of a training step."


@final
@dataclass(frozen=True)
class _Job:
    """One thing to time: `run()` does it once, which makes `images` images or one step."""

    run: Callable[[], object]
    images: int


def measure(
    networks: Networks, widths: Sequence[int], *, device: torch.device, seconds: float | int = 10
) -> dict[int, WidthCosts]:
    """Measure the costs at the widths, ascending, as far as they fit into about `seconds` of the clock.

    At least the smallest is measured, however long it takes.
    """
    clock = _clock(device)
    began = clock()
    jobs: dict[int, dict[Kind, _Job]] = {}
    memory: dict[int, dict[Kind, int]] = {}
    first: dict[int, float] = {}
    for width in sorted(widths):
        spent = clock() - began
        if jobs:
            # The time of the next one at least, if cost grows with width.
            ahead = FEWEST * sum(first.values()) + (FEWEST + 2) * first[max(first)]
            if spent + ahead > seconds:
                break
        jobs[width], memory[width], first[width] = _prepare(networks, width, device)
        if len(jobs) > 1 and clock() - began + FEWEST * sum(first.values()) > seconds:
            del jobs[width]
            break
    repeats = {(w, kind): _repeats(job, device) for w, kinds in jobs.items() for kind, job in kinds.items()}
    times: dict[tuple[int, Kind], list[float]] = {key: [] for key in repeats}
    order = list(times)
    shuffled = random.Random(0)
    for turn in range(ROUNDS):
        if turn >= FEWEST and (clock() - began) * (turn + 1) / max(turn, 1) > seconds:
            break
        shuffled.shuffle(order)
        for key in order:
            job = jobs[key[0]][key[1]]
            times[key].append(1000 * _time(job, repeats[key], device) / job.images)
    return {
        width: WidthCosts(
            milliseconds={kind: _measured(times[width, kind]) for kind in KINDS}, memory=memory[width]
        )
        for width in jobs
    }


def _prepare(
    networks: Networks, width: int, device: torch.device
) -> tuple[dict[Kind, _Job], dict[Kind, int], float]:
    """Make a width's networks, run everything once for the memory, and once more for a first time."""
    kinds: dict[Kind, _Job] = {}
    memory: dict[Kind, int] = {}
    for kind in KINDS:
        watch = TrainingMemory(device)
        watch.look()
        rest = watch.peak
        kinds[kind] = (
            _training(networks, width, device)
            if kind == "training"
            else _sampling(networks, width, device, BATCH if kind == "sampling" else 1)
        )
        _time(kinds[kind], 1, device)
        watch.look()
        memory[kind] = max(watch.peak - rest, 0)
    return kinds, memory, sum(_time(job, 1, device) for job in kinds.values())


def _sampling(networks: Networks, width: int, device: torch.device, batch: int) -> _Job:
    generator = _gan(networks, width).generator
    state = generator.init(member_generators([0], 0))
    state = {key: tensor.to(device) for key, tensor in state.items()}
    state |= standing_statistics(generator, state)

    @torch.inference_mode()
    def run() -> torch.Tensor:
        latents = fixed_latents(0, batch, networks.gan.latent, purpose=7).to(device)
        images = generator(state, latents)[0].float()
        return images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu()

    return _Job(run, batch)


def _training(networks: Networks, width: int, device: torch.device) -> _Job:
    problem = _gan(networks, width)
    gan = networks.gan
    shape = (2 * gan.batch, networks.channels, networks.size, networks.size)
    images = torch.randint(256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    batches = GanBatches(images.to(device), seeds=[0], batch=gan.batch, latent=gan.latent)
    dynamics = make_dynamics(gan)
    state = {key: tensor.to(device) for key, tensor in problem.init(member_generators([0], 0)).items()}
    keys = list(problem.generator.parameters)
    now = {
        "state": state,
        "memory": dynamics.init(problem, state),
        "average": {key: state[key] for key in keys},
    }

    def run() -> None:
        batches.step += 1
        now["state"], now["memory"] = dynamics.step(problem, now["state"], now["memory"], batches)
        averaged = torch._foreach_lerp(
            [now["average"][key] for key in keys], [now["state"][key] for key in keys], 1 - gan.ema
        )
        now["average"] = dict(zip(keys, averaged, strict=True))

    return _Job(run, 1)


def _gan(networks: Networks, width: int) -> GanProblem:
    width_g, width_d = networks.widths(width)
    return make_gan(
        networks.gan, width_g=width_g, width_d=width_d, size=networks.size, channels=networks.channels
    )


def _time(job: _Job, repeats: int, device: torch.device) -> float:
    """Return the seconds of one call, over `repeats` calls in a row."""
    clock = _clock(device)
    began = clock()
    for _ in range(repeats):
        job.run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (clock() - began) / repeats


def clock_of(device: torch.device) -> Literal["processor", "wall"]:
    """Return which clock measures on this device with the threads that are set."""
    return "processor" if device.type == "cpu" and torch.get_num_threads() == 1 else "wall"


def _clock(device: torch.device) -> Callable[[], float]:
    return time.process_time if clock_of(device) == "processor" else time.perf_counter


def _repeats(job: _Job, device: torch.device) -> int:
    return max(1, round(SHORTEST / max(_time(job, 2, device), 1e-7)))


def _measured(values: Sequence[float]) -> Measured:
    median, low, high, _ = median_interval(values)
    return Measured(median=median, low=low, high=high, rounds=len(values))
