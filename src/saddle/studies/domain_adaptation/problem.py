"""Domain adaptation as a game: a learner with features and classifier against a domain discriminator."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from saddle.core.problem import Player, Problem
from saddle.core.state import State
from saddle.studies.domain_adaptation.batches import AdaptationBatch, AdaptationBatches
from saddle.studies.domain_adaptation.networks import Networks
from saddle.transport import Ball, weights

__all__ = ["DISCRIMINATOR", "LEARNER", "AdaptationProblem", "domain_loss", "outlier_scores", "reversal"]

LEARNER, DISCRIMINATOR = "learner", "discriminator"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptationProblem(Problem):
    """Features `F` and classifier `C` against a discriminator `D`, which tells the domains' features apart.

    With `s` from the source and `t` from the target, and the domain loss

        ℓ(F, D, W) = E_s softplus(−D(F(s))) + E_t [W(t) softplus(D(F(t)))],

    the discriminator descends `ℓ` and the learner descends `E cross-entropy(C(F(s)), label) − λ ℓ`, both at the weights

        W = argmax { E_t [W softplus(D(F(t)))] : W ≥ 0, E W = 1, W in the ball },

    in closed form (`outlier_scores` has the sign). Without a ball `W = 1`, which is adversarial training; without a
    discriminator there is only the cross-entropy, which is training on the source. `λ` rises with the progress of the
    training (`reversal`).

    Source: Ganin et al. 2016, arXiv 1505.07818; the weights: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, whose
    code learns them by a network, with this loss.
    """

    networks: Networks
    source: UInt8[Tensor, "n c s s"]
    labels: Int64[Tensor, " n"]
    target: UInt8[Tensor, "m c s s"]
    "Images of the target domain; nothing here knows their labels."
    adversarial: bool
    ball: Ball | None = None
    batch: int = 64
    steps: int = 1000

    def __post_init__(self) -> None:
        features, classifier, discriminator = self.networks
        learner = Player(name=LEARNER, keys=(*features.parameters, *classifier.parameters))
        judge = Player(name=DISCRIMINATOR, keys=discriminator.parameters)
        object.__setattr__(self, "players", (judge, learner) if self.adversarial else (learner,))

    def init(self, generators: Sequence[torch.Generator]) -> State:
        """Fresh networks; features and classifier of a member are the same with and without a discriminator."""
        features, classifier, discriminator = self.networks
        state = features.init(generators) | classifier.init(generators)
        return state | discriminator.init(generators) if self.adversarial else state

    def batches(self, generators: Sequence[torch.Generator]) -> Iterator[AdaptationBatch]:
        return AdaptationBatches(
            source=self.source,
            labels=self.labels,
            target=self.target,
            generators=generators,
            batch=self.batch,
            steps=self.steps,
            repeats=len(self.players),
        )

    def objective(self, state: State, batch: AdaptationBatch) -> dict[str, Float[Tensor, " fleet"]]:
        return {player.name: self.objective_of(player.name, state, batch) for player in self.players}

    def objective_of(self, player: str, state: State, batch: AdaptationBatch) -> Float[Tensor, " fleet"]:
        if player == DISCRIMINATOR:
            # The features stand still while the discriminator steps, unless someone differentiates its field by them.
            moving = any(state[key].requires_grad for key in self.networks.features.parameters)
            with torch.set_grad_enabled(moving):
                source, target = self._features(state, batch)
            return self._domain_loss(state, source, target)
        if not self.adversarial:
            return self._class_loss(state, self.networks.features(state, batch.source), batch.labels)
        source, target = self._features(state, batch)
        domain = self._domain_loss(state, source, target)
        return self._class_loss(state, source, batch.labels) - reversal(batch.progress) * domain

    def project(self, player: str, state: State) -> State:
        return self.networks.discriminator.refresh(state) if player == DISCRIMINATOR else {}

    def _features(self, state: State, batch: AdaptationBatch) -> tuple[Tensor, Tensor]:
        both = self.networks.features(state, torch.cat([batch.source, batch.target], dim=1))
        return both[:, : batch.source.shape[1]], both[:, batch.source.shape[1] :]

    def _class_loss(self, state: State, features: Tensor, labels: Tensor) -> Float[Tensor, " fleet"]:
        logits = self.networks.classifier(state, features)
        return cross_entropy(logits.transpose(1, 2), labels, reduction="none").mean(1)

    def _domain_loss(self, state: State, source: Tensor, target: Tensor) -> Float[Tensor, " fleet"]:
        both = self.networks.discriminator(state, torch.cat([source, target], dim=1))
        return domain_loss(both[:, : source.shape[1]], both[:, source.shape[1] :], self.ball)


def domain_loss(
    source: Float[Tensor, "fleet n"], target: Float[Tensor, "fleet m"], ball: Ball | None
) -> Float[Tensor, " fleet"]:
    """`E softplus(−source) + E [W softplus(target)]` of the discriminator's logits, at the heaviest weights of the ball.

    The weights carry no gradient: at the maximum the derivative by them is none of the value's (envelope).
    """
    harm = softplus(target)
    if ball is not None:
        heaviest = weights(outlier_scores(target.detach()), ball=ball)
        assert isinstance(heaviest, Tensor)
        harm = harm * heaviest
    return softplus(-source).mean(1) + harm.mean(1)


def outlier_scores(target: Float[Tensor, "*fleet m"]) -> Float[Tensor, "*fleet m"]:
    """`−softplus(D(t))`: high where the discriminator is sure of the target, and there the weight is light.

    Robust transport seeks the reweighted target that is *nearest* to the source. The distance between the domains is
    what the discriminator attains, `max_D −ℓ`; so the weights descend `−ℓ`, that is they ascend `ℓ`, with the learner
    and against the discriminator. `ℓ` has them in `E [W softplus(D(t))]`, so `W` is the maximiser of that mean, and
    the minimiser of `E [W · (−softplus(D(t)))]`: `saddle.transport.weights` of the scores `−softplus(D(t))`.
    A sample that the discriminator cannot confuse with the source (`D(t) → −∞`, score → 0, the highest) is light.
    """
    return -softplus(target)


def reversal(progress: float | int) -> float:
    """`λ = 2 / (1 + exp(−10 p)) − 1`, from 0 to nearly 1 (Ganin et al. 2016, section 5.2.2, as recalled)."""
    return 2 / (1 + math.exp(-10 * progress)) - 1
