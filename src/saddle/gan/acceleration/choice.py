"""The fastest execution on the device at hand, by a short measurement."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Literal, TypeVar, final

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
Result = TypeVar("Result")
ROUND = 0.2  # seconds of one candidate's steps in a round


@final
@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen, and what it was chosen from."""

    execution: Execution
    seconds: dict[str, float]
    "Least seconds per step by candidate (of the whole fleet); only the plain one where no other was worth measuring."
    left_out: dict[str, str] = field(default_factory=dict)
    "Candidates that the device could not carry out, with the first line of what it said."


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
    race = _Race(plain, round_)
    for execution in others:
        progress(f"measuring: {execution}")
        race.enter(execution, partial(_Trial, problem, dynamics, images, seeds, execution))
    race.run()
    best = race.best
    if device.type == "cuda" and not deterministic and race.least[best] * steps > WORTH_COMPILING:
        progress("measuring: compiled")
        race.keep(best)  # compiling takes memory too
        way = replace(best, compiled=True)
        race.enter(way, partial(_Trial, problem, dynamics, images, seeds, way))
        race.run()
    least, left_out = race.least, race.left_out
    chosen = race.best if least[race.best] < CLEARLY * least[PLAIN] else PLAIN
    if device.type == "cuda":
        # Every graph keeps memory of its own; training may need all of it.
        del plain, race
        torch.cuda.empty_cache()
    seconds = {str(execution): value for execution, value in least.items()}
    return Choice(execution=chosen, seconds=seconds, left_out=left_out)


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
        self.device, self._dynamics = images.device, dynamics
        self.penalty_every = problem.config.penalty_every
        self._problem = accelerated(problem, execution, images.device)
        config = problem.config
        self._batches = GanBatches(
            images, seeds=seeds, batch=config.batch, latent=config.latent, tracked=config.robust > 0
        )
        state = problem.init(member_generators(seeds, 0))
        self._state: State = {key: tensor.to(images.device) for key, tensor in state.items()}
        self._memory: Memory = dynamics.init(problem, self._state)

    def run(self, steps: int) -> float:
        """Seconds per step of so many more steps."""
        # On one thread, processor time: it does not see the other processes of a busy machine.
        own = self.device.type == "cpu" and torch.get_num_threads() == 1
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
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


class _Race:
    """Trials that run in turn. One that the device cannot carry out leaves, but for the plain one."""

    def __init__(self, plain: _Trial, seconds: float) -> None:
        self._trials, self._round = [plain], seconds
        self.least = {plain.execution: plain.best}
        "Seconds per step of all that did not fail."
        self.left_out: dict[str, str] = {}

    @property
    def best(self) -> Execution:
        return min(self.least, key=lambda execution: self.least[execution])

    def enter(self, execution: Execution, make: Callable[[], _Trial]) -> None:
        """Add a trial, warmed up."""
        trial = self._tried(execution, lambda: _warmed(make()))
        if trial is not None:
            self._trials.append(trial)

    def keep(self, execution: Execution) -> None:
        """Let all others go, with their memory; their times stay."""
        self._trials = [trial for trial in self._trials if trial.execution == execution]

    def run(self) -> None:
        steps = max(1, round(self._round / max(min(self.least.values()), 1e-9)))
        for index in range(ROUNDS):
            for trial in self._trials[:: -1 if index % 2 else 1]:
                if trial.execution == PLAIN:
                    trial.run(steps)
                elif self._tried(trial.execution, partial(trial.run, steps)) is None:
                    self._trials.remove(trial)
        self.least |= {trial.execution: trial.best for trial in self._trials}

    def _tried(self, execution: Execution, work: Callable[[], Result]) -> Result | None:
        try:
            return work()
        except Exception as error:
            # Anything: memory, a kernel that cannot be captured, a compiler that is missing or has its own errors.
            self.left_out[str(execution)] = f"{type(error).__name__}: {error}".partition("\n")[0][:300]
        self.least.pop(execution, None)
        if self._trials and self._trials[0].device.type == "cuda":
            torch.cuda.empty_cache()  # after the error, whose frames held its tensors
        return None


def _warmed(trial: _Trial) -> _Trial:
    # Through one penalised step and one that is not, so that nothing is captured or compiled on the clock.
    trial.run(1 + min(trial.penalty_every, 2))
    trial.best = float("inf")
    return trial
