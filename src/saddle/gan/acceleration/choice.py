"""The fastest execution on the device at hand, by a short measurement."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, final

import torch
from jaxtyping import UInt8
from torch import Tensor

from saddle.core.state import State
from saddle.dynamics import Dynamics
from saddle.dynamics.base_step import Memory
from saddle.gan.acceleration.execution import PLAIN, Execution
from saddle.gan.acceleration.running import accelerated
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.problem import GanProblem

__all__ = ["Choice", "candidates", "choose"]

WORTH_MEASURING = 60.0  # seconds of training
WORTH_COMPILING = 1200.0  # a cold compilation of both networks takes a minute or two
CLEARLY = 0.9  # share of the plain step's time below which another way is taken
ROUNDS = 3
ROUND = 0.2  # seconds of one candidate's steps in a round


@final
@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen, and what it was chosen from."""

    execution: Execution
    seconds: dict[str, float]
    "Least seconds per step by candidate (of the whole fleet); only the plain one where no other was worth measuring."


def candidates(
    problem: GanProblem, fleet: int, device: torch.device, *, deterministic: bool = False
) -> list[Execution]:
    """The executions that could be fastest here, plain first; none of them changes results beyond rounding.

    With `deterministic` only those that launch the plain one's kernels, so that two runs agree bit for bit.
    """
    cuda = device.type == "cuda"
    if deterministic:
        return [PLAIN, Execution(captured=True)] if cuda else [PLAIN]
    members: list[Literal["auto", "together", "apart"]] = ["together", "apart"] if fleet > 1 else ["auto"]
    # On a CPU the layout is settled: channels last. On a GPU a graph costs nothing, so all the others have one.
    layouts: list[Literal["channels-last", "contiguous"]] = ["channels-last", "contiguous"]
    maps = cuda and problem.config.arch != "mlp"
    found = [
        Execution(members=who, layout=layout, captured=cuda)
        for who, layout in product(members, layouts[: 1 + maps])
    ]
    return [PLAIN, *(each for each in found if each != PLAIN)]


def choose(
    problem: GanProblem,
    dynamics: Dynamics,
    images: UInt8[Tensor, "n channels height width"],
    seeds: Sequence[int],
    *,
    steps: int,
    deterministic: bool = False,
    worth: float = WORTH_MEASURING,
    round_: float = ROUND,
    progress: Callable[[str], None] = lambda text: None,
) -> Choice:
    """Measure the candidates for a fleet of these seeds on the images' device, and take the fastest.

    The candidates take steps of their own from fresh weights, in turn, so that a busy machine slows all alike; what
    counts is each one's fastest round. Nothing else is touched: no generator, no state. A training of less than
    `worth` seconds is not measured: it would not be repaid, and short runs stay the same everywhere. Of each
    candidate, three rounds of about `round_` seconds are taken.
    """
    device = images.device
    others = candidates(problem, len(seeds), device, deterministic=deterministic)[1:]
    if not others and worth > 0:
        return Choice(execution=PLAIN, seconds={})
    plain = _Trial(problem, dynamics, images, seeds, PLAIN)
    plain.run(1)  # what is done once
    if (plain.run(2) * steps) < worth:
        return Choice(execution=PLAIN, seconds={str(PLAIN): plain.best})
    trials = [plain]
    for execution in others:
        progress(f"measuring: {execution}")
        trials += _started(problem, dynamics, images, seeds, execution)
    _race(trials, round_)
    best = min(trials, key=lambda trial: trial.best)
    if device.type == "cuda" and not deterministic and best.best * steps > WORTH_COMPILING:
        progress("measuring: compiled")
        extra = _started(problem, dynamics, images, seeds, replace(best.execution, compiled=True))
        _race([best, *extra], round_)
        trials += extra
        best = min(trials, key=lambda trial: trial.best)
    chosen = best.execution if best.best < CLEARLY * plain.best else PLAIN
    seconds = {str(trial.execution): trial.best for trial in trials}
    if device.type == "cuda":
        # Every graph keeps memory of its own; training may need all of it.
        del plain, best, trials
        torch.cuda.empty_cache()
    return Choice(execution=chosen, seconds=seconds)


class _Trial:
    """Steps of a fleet by one execution, and the least time that they took."""

    def __init__(
        self,
        problem: GanProblem,
        dynamics: Dynamics,
        images: Tensor,
        seeds: Sequence[int],
        execution: Execution,
    ) -> None:
        self.execution, self.best = execution, float("inf")
        self._device, self._dynamics = images.device, dynamics
        self._problem = accelerated(problem, execution, images.device)
        config = problem.config
        self._batches = GanBatches(images, seeds=seeds, batch=config.batch, latent=config.latent)
        state = problem.init(member_generators(seeds, 0))
        self._state: State = {key: tensor.to(images.device) for key, tensor in state.items()}
        self._memory: Memory = dynamics.init(problem, self._state)

    def run(self, steps: int) -> float:
        """Seconds per step of so many more steps."""
        # On one thread, processor time: it does not see the other processes of a busy machine.
        own = self._device.type == "cpu" and torch.get_num_threads() == 1
        clock = time.process_time if own else time.perf_counter
        self._wait()
        began = clock()
        for _ in range(steps):
            self._state, self._memory = self._dynamics.step(
                self._problem, self._state, self._memory, self._batches
            )
            self._batches.step += 1
        self._wait()
        spent = (clock() - began) / steps
        self.best = min(self.best, spent)
        return spent

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _started(
    problem: GanProblem, dynamics: Dynamics, images: Tensor, seeds: Sequence[int], execution: Execution
) -> list[_Trial]:
    """The trial, warmed up; none where the device cannot carry it out (memory, a kernel that cannot be captured)."""
    trial = _Trial(problem, dynamics, images, seeds, execution)
    try:
        # Through one penalised step and one that is not, so that nothing is captured or compiled on the clock.
        trial.run(1 + min(problem.config.penalty_every, 2))
    except (RuntimeError, NotImplementedError):
        return []
    trial.best = float("inf")
    return [trial]


def _race(trials: Sequence[_Trial], seconds: float) -> None:
    steps = max(1, round(seconds / trials[0].best)) if trials[0].best < float("inf") else 1
    for index in range(ROUNDS):
        for trial in trials[:: -1 if index % 2 else 1]:
            trial.run(steps)
