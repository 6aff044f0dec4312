"""The two-dimensional Wasserstein GAN whose critic counts real points with weights."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.linalg import vector_norm

from saddle.core import Player, Problem, State, normal, uniform
from saddle.errors import UserError
from saddle.studies.robust_gan.gradients import (
    backwards,
    input_gradient,
    parameter_gradient,
    penalised_gradient,
)
from saddle.studies.robust_gan.layers import apply, draw_weights, keys_of, trace
from saddle.studies.robust_gan.mixture import Sample, Setting
from saddle.transport import CvarBall, weights

__all__ = ["PointBatch", "RobustGan", "Rule"]

Rule = Literal["none", "chi-square", "trim", "network", "given"]
TOGETHER = 64
"Batches drawn at once."


class PointBatch(NamedTuple):
    """What one evaluation needs; the same for every rule and every training set, so that runs can be paired."""

    choice: Float[Tensor, "fleet batch"]
    "Which real points, uniform on [0, 1): of `n` points number `⌊choice · n⌋`."
    latent: Float[Tensor, "fleet batch latent"]
    mix: Float[Tensor, "fleet batch"]
    "Where between a real and a generated point the gradient is penalised, uniform on [0, 1)."


@final
@dataclass(frozen=True, kw_only=True)
class RobustGan(Problem):
    """A Wasserstein GAN with a gradient penalty, on points, robust to a share of the data. All players descend.

        critic:     −mean(W D(x)) + mean D(G(z)) + λ mean (|∇D(x̂)| − 1)²
        generator:  −mean D(G(z))
        weigher:     mean(W D(x)) + κ max(0, mean (W − 1)²/2 − ρ)            (`network` only)

    with `x̂ = u x + (1 − u) G(z)`. `W ≥ 0` has the mean 1 over the batch of real points. `rule` says where it is from:

        none         W = 1
        chi-square   the minimiser of mean(W D(x)) with mean (W − 1)²/2 ≤ ρ, in closed form
        trim         the minimiser of mean(W D(x)) with W ≤ 1/(1 − share)
        network      the weigher: max(0, N(x)) + 10⁻⁴, divided by its mean
        given        the state's "data.weight", divided by its mean

    Generator `R^latent → R²`, critic and weigher `R² → R` have `depth` hidden layers of `width` leaky ReLUs. The state
    holds every member's training set too, "data.points" (F, n, 2) and "data.weight" (F, n); nobody moves it.
    The gradients of critic and generator are in closed form; by the envelope theorem the critic's treats a minimising
    `W` as a constant.

    Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862 (weights by a network; the penalty κ = 100 and the network's
    last unit as in their published code); Gulrajani et al. 2017, arXiv 1704.00028 (the penalty on the gradient).
    """

    setting: Setting
    rule: Rule = "none"
    rho: float | int = 0.0
    "ρ of `chi-square` and `network`."
    share: float | int = 0.0
    "Of `trim`."
    latent: int = 2
    width: int = 48
    depth: int = 3
    batch: int = 128
    gradient_penalty: float | int = 1.0
    "λ."
    budget_penalty: float | int = 100.0
    "κ."
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        for name in ("latent", "width", "depth", "batch"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; the GAN of the study needs at least 1.")
        if not (math.isfinite(self.rho) and self.rho >= 0 and 0 <= self.share < 1):
            raise UserError(
                f"rho is {self.rho} and share {self.share}; give rho from 0 and a share from 0 to below 1."
            )
        names = ("critic", "weigher", "generator") if self.rule == "network" else ("critic", "generator")
        players = tuple(Player(name=name, keys=keys_of(name, self.layers)) for name in names)
        object.__setattr__(self, "players", players)

    @property
    def layers(self) -> int:
        """Matrices of every network."""
        return self.depth + 1

    def init(self, generators: Sequence[torch.Generator]) -> State:
        """Generator, critic, training set and weigher are drawn in this order, whatever the rule."""
        state = self._networks(generators)
        points = self.setting.draw(generators).points
        if self.rule == "network":
            state |= draw_weights(generators, "weigher", self._sizes(2, 1))
            # Weights near 1 to begin with: a last unit that starts below zero would never learn.
            state[f"weigher.bias{self.layers}"] = torch.ones(len(generators), 1)
        state["data.points"] = points
        if self.rule == "given":
            state["data.weight"] = torch.ones(points.shape[:2])
        dtype = torch.float64 if self.precision == "float64" else torch.float32
        return {key: tensor.to(dtype) for key, tensor in state.items()}

    def sample(self, generators: Sequence[torch.Generator]) -> Sample:
        """The training sets that `init` draws from the same generators, with what each point is."""
        self._networks(generators)
        return self.setting.draw(generators)

    def _networks(self, generators: Sequence[torch.Generator]) -> State:
        state = draw_weights(generators, "generator", self._sizes(self.latent, 2))
        return state | draw_weights(generators, "critic", self._sizes(2, 1))

    def _sizes(self, inputs: int, outputs: int) -> list[int]:
        return [inputs, *[self.width] * self.depth, outputs]

    def batches(self, generators: Sequence[torch.Generator]) -> Iterator[PointBatch]:
        dtype = torch.float64 if self.precision == "float64" else torch.float32
        while True:
            choice, mix = uniform(generators, 2, TOGETHER, self.batch, dtype=dtype).unbind(1)
            latent = normal(generators, TOGETHER, self.batch, self.latent, dtype=dtype)
            yield from itertools.starmap(
                PointBatch, zip(choice.unbind(1), latent.unbind(1), mix.unbind(1), strict=True)
            )

    def objective(self, state: State, batch: PointBatch) -> dict[str, Float[Tensor, " fleet"]]:
        return {player.name: self.objective_of(player.name, state, batch) for player in self.players}

    def objective_of(self, player: str, state: State, batch: PointBatch) -> Float[Tensor, " fleet"]:
        if self.player(player).name == "generator":
            return -self.scores(state, self.generate(state, batch.latent)).mean(1)
        index, real = self.chosen(state, batch.choice)
        scores = self.scores(state, real)
        weight = self.weights(state, scores, real, index)
        if player == "weigher":
            excess = self.divergence(weight) - self.rho
            return (weight * scores).mean(1) + self.budget_penalty * torch.relu(excess)
        fake = self.generate(state, batch.latent)
        differentiated = torch.is_grad_enabled() and any(
            state[key].requires_grad for key in keys_of("critic", self.layers)
        )
        between = torch.lerp(fake, real, batch.mix.unsqueeze(2)).detach().requires_grad_()
        with torch.enable_grad():
            total = self.scores(state, between).sum()
        (slope,) = torch.autograd.grad(total, between, create_graph=differentiated)
        penalty = (vector_norm(slope, dim=2) - 1).square().mean(1)
        return self.scores(state, fake).mean(1) - (weight * scores).mean(1) + self.gradient_penalty * penalty

    def gradient(self, player: str, state: State, batch: PointBatch) -> State | None:
        if player == "generator":
            return self._generator_gradient(state, batch)
        return self._critic_gradient(state, batch) if self.player(player).name == "critic" else None

    def _generator_gradient(self, state: State, batch: PointBatch) -> State:
        made = trace(state, "generator", self.layers, batch.latent)
        judged = trace(state, "critic", self.layers, made.output)
        share = torch.full_like(judged.output, -1 / self.batch)
        slope = input_gradient(state, "critic", backwards(state, "critic", judged.hidden, share)[0])
        return parameter_gradient("generator", backwards(state, "generator", made.hidden, slope), made.hidden)

    def _critic_gradient(self, state: State, batch: PointBatch) -> State:
        fake = trace(state, "generator", self.layers, batch.latent).output
        index, real = self.chosen(state, batch.choice)
        between = torch.lerp(fake, real, batch.mix.unsqueeze(2))
        traced = trace(state, "critic", self.layers, torch.cat([real, fake, between], dim=1))
        weight = self.weights(state, traced.output[:, : self.batch, 0], real, index)
        cotangent = torch.cat([-weight, torch.ones_like(weight)], dim=1) / self.batch
        return penalised_gradient(state, "critic", traced, cotangent, self.gradient_penalty)

    def generate(self, state: State, latent: Float[Tensor, "fleet n latent"]) -> Float[Tensor, "fleet n 2"]:
        """`G(z)`."""
        return apply(state, "generator", self.layers, latent)

    def scores(self, state: State, points: Float[Tensor, "fleet n 2"]) -> Float[Tensor, "fleet n"]:
        """`D(x)`, high where the critic finds data that the generator lacks."""
        return apply(state, "critic", self.layers, points).squeeze(2)

    def chosen(
        self, state: State, choice: Float[Tensor, "fleet batch"]
    ) -> tuple[Int64[Tensor, "fleet batch"], Float[Tensor, "fleet batch 2"]]:
        """The numbers of the real points of a batch, and the points."""
        points = state["data.points"]
        index = (choice * points.shape[1]).long().clamp(max=points.shape[1] - 1)
        return index, points.gather(1, index.unsqueeze(2).expand(-1, -1, 2))

    def weights(
        self,
        state: State,
        scores: Float[Tensor, "fleet n"],
        points: Float[Tensor, "fleet n 2"],
        index: Int64[Tensor, "fleet n"],
    ) -> Float[Tensor, "fleet n"]:
        """`W` of real points with these scores, positions and numbers."""
        if self.rule == "none":
            return torch.ones_like(scores)
        if self.rule == "chi-square":
            return weights(scores, rho=self.rho)
        if self.rule == "trim":
            return weights(scores, ball=CvarBall(share=self.share))
        if self.rule == "network":
            raw = torch.relu(apply(state, "weigher", self.layers, points).squeeze(2)) + 1e-4
        else:
            raw = state["data.weight"].gather(1, index)
        return raw / raw.mean(1, keepdim=True)

    @staticmethod
    def divergence(weight: Float[Tensor, "fleet n"]) -> Float[Tensor, " fleet"]:
        """`mean (W − 1)²/2`: what a batch of weights uses of ρ."""
        return (weight - 1).square().mean(1) / 2
