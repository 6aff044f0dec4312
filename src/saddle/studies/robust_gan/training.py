"""Training one method on one setting: all seeds in one fleet, on the same draws as every other method."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from sklearn.ensemble import IsolationForest
from torch import Tensor

from saddle.core import Batch, State, generators_of, normal
from saddle.dynamics import Adam, Alternating, Steps
from saddle.studies.robust_gan.measures import off_share
from saddle.studies.robust_gan.methods import Method
from saddle.studies.robust_gan.mixture import Setting
from saddle.studies.robust_gan.problem import RobustGan
from saddle.transport import weights

__all__ = [
    "CRITIC_STEPS",
    "WARM_UP",
    "Trained",
    "isolated",
    "prepared",
    "round_of",
    "train",
    "weights_of_all",
]

CRITIC_STEPS = 3
STEP, ADAM = 1e-3, Adam(beta1=0.5, beta2=0.9)
WARM_UP = 100
"Generator steps before the weigher moves: 300 critic steps."
REFRESH, KEPT = 10, 0.5
"Of `stale`: generator steps between renewals, and what is kept of the old scores."
EVERY = 20
"Generator steps between looks."
LOOKED_AT = 512
STREAM = 500_009
"Added to a seed for what is drawn during training; the seed itself draws the start and the data."


@final
@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished fleet and its course."""

    state: State
    steps: np.ndarray
    "Generator steps at every look."
    off: np.ndarray
    "(looks, fleet): the share of 512 generated points that are far from every mode; the same latents always."
    weight: np.ndarray
    "(fleet, points): the weight of every training point, averaged over the looks of the last quarter."
    score: np.ndarray
    "(fleet, points): the critic's score less its mean, averaged likewise."
    spent: np.ndarray
    "(fleet,): `mean (W − 1)²/2`, averaged likewise."


def train(setting: Setting, method: Method, seeds: Sequence[int], steps: int) -> Trained:
    """Train a fleet, one member a seed, for `steps` generator steps of Adam with three critic steps before each."""
    problem = method.problem(setting)
    state = prepared(problem.init(generators_of(seeds)), setting, method, seeds)
    whole, without_weigher = _scheme(problem), _scheme(problem, without="weigher")
    memory = whole.init(problem, state)
    stream = problem.batches(generators_of([STREAM + seed for seed in seeds]))
    looks = _Looks(problem, len(seeds))
    averaged = torch.zeros(())
    with torch.no_grad():
        for step in range(steps):
            if step % EVERY == 0:
                looks.take(step, state, settled=step >= 3 * steps // 4)
            if method.rule == "given" and step % REFRESH == 0:
                scores = problem.scores(state, state["data.points"])
                averaged = torch.lerp(scores, averaged, KEPT) if step else scores
                state = state | {"data.weight": weights(averaged, rho=problem.rho)}
            weigher = method.rule == "network" and step >= WARM_UP
            scheme = whole if weigher else without_weigher
            state, memory = scheme.step(problem, state, memory, round_of(stream, weigher=weigher))
        looks.take(steps, state, settled=True)
    return looks.close(state)


def prepared(state: State, setting: Setting, method: Method, seeds: Sequence[int]) -> State:
    """The start with the points that the method trains on."""
    points = state["data.points"]
    if method.points == "all":
        return state
    if method.points == "clean":
        # The training set is drawn after both networks, so it is drawn anew to learn what each point is.
        outlier = method.problem(setting).sample(generators_of(seeds)).outlier.numpy()
    else:
        outlier = np.stack(
            [isolated(each.numpy(), setting.assumed, seed) for each, seed in zip(points, seeds, strict=True)]
        )
    kept = [each[torch.from_numpy(~gone)] for each, gone in zip(points, outlier, strict=True)]
    return state | {"data.points": torch.stack(kept)}


def isolated(points: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which `round(share · n)` points an isolation forest finds the most isolated."""
    forest: Any = IsolationForest(random_state=seed)
    score: np.ndarray = forest.fit(points).score_samples(points)
    gone = np.zeros(len(points), dtype=bool)
    gone[score.argsort(kind="stable")[: round(share * len(points))]] = True
    return gone


def weights_of_all(problem: RobustGan, state: State) -> tuple[Tensor, Tensor]:
    """The weight that every training point has in a batch, and its score.

    The points, which stand in random order, are taken in batches one after the other; the last is filled up with the
    first points.
    """
    points = state["data.points"]
    fleet, n, _ = points.shape
    index = (torch.arange(-(-n // problem.batch) * problem.batch) % n).expand(fleet, -1)
    taken = points[:, index[0]]
    scores = problem.scores(state, taken)
    if problem.rule in ("chi-square", "trim"):
        # Every batch on its own, as a fleet of more members.
        parts = (
            scores.reshape(-1, problem.batch),
            taken.reshape(-1, problem.batch, 2),
            index.reshape(-1, problem.batch),
        )
        weight = problem.weights(state, *parts).reshape(fleet, -1)
    else:
        weight = problem.weights(state, scores, taken, index)
    return weight[:, :n], scores[:, :n]


def _scheme(problem: RobustGan, *, without: str = "") -> Alternating:
    order = tuple(player.name for player in problem.players if player.name != without)
    return Alternating(steps=Steps.equal(STEP), base=ADAM, order=order, repeats={"critic": CRITIC_STEPS})


def round_of(stream: Iterator[Batch], *, weigher: bool) -> Iterator[Batch]:
    """The batches of one generator step. The weigher moves on the critic's last, so it takes none from the others."""
    batches = [next(stream) for _ in range(CRITIC_STEPS)]
    return iter([*batches, *batches[CRITIC_STEPS - 1 :][: int(weigher)], next(stream)])


class _Looks:
    """What is seen of a fleet while it trains."""

    def __init__(self, problem: RobustGan, fleet: int) -> None:
        self.problem = problem
        latent = normal(generators_of([0]), LOOKED_AT, problem.latent, dtype=torch.float32)
        self.latent = latent.expand(fleet, -1, -1)
        self.steps: list[int] = []
        self.off: list[np.ndarray] = []
        self.settled: list[tuple[Tensor, Tensor]] = []

    def take(self, step: int, state: State, *, settled: bool) -> None:
        made = self.problem.generate(state, self.latent)
        self.steps.append(step)
        self.off.append(off_share(made, len(self.problem.setting.shares)).numpy())
        if settled:
            self.settled.append(weights_of_all(self.problem, state))

    def close(self, state: State) -> Trained:
        weight, score = (torch.stack(each) for each in zip(*self.settled, strict=True))
        return Trained(
            state=state,
            steps=np.array(self.steps),
            off=np.stack(self.off),
            weight=weight.mean(0).numpy(),
            score=(score - score.mean(2, keepdim=True)).mean(0).numpy(),
            spent=((weight - 1).square().mean(2) / 2).mean(0).numpy(),
        )
