"""The weights of a robust GAN: how much each real image of a batch counts in the discriminator's objective.

    min_G min_W max_D  −( E[W ℓ(D(x))] + E ℓ'(D(G(z))) ),    W ≥ 0, E W = 1, W in a ball around 1,

with the discriminator's terms `ℓ` of the real images. The adversary `W` raises the discriminator's loss: an image that the
discriminator tells from the generated ones with ease, because no generated one lies near it, becomes light.

Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, where `ℓ(r) = −r` and `W` is a network.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.gan.config import GanConfig
from saddle.networks import Network
from saddle.transport import Ball, ChiSquareBall, CvarBall, rho_for, weights

__all__ = ["BallWeighing", "NetworkWeighing", "Weighing", "ball_of", "make_weighing", "network_weights"]

FLOOR = 1e-4
"Added to the weight network's outputs, as in the authors' code: no batch is without weight."
PREFIX = "weights."

Terms = Float[Tensor, "fleet batch"]


def ball_of(config: GanConfig) -> Ball:
    """The ball of `config`'s weights: `robust_scale` times the radius that removes the share `robust` completely."""
    if config.robust_by == "trim":
        return CvarBall(share=config.robust * config.robust_scale)
    return ChiSquareBall(rho=config.robust_scale * rho_for(config.robust))


class Weighing(ABC):
    """Abstract: weights of a batch of real images, of mean 1, as constants to whoever differentiates."""

    @abstractmethod
    def __call__(
        self, state: State, images: Float[Tensor, "fleet batch channels height width"], terms: Terms
    ) -> tuple[Terms, Terms]:
        """The weights of these images, whose terms of the discriminator's loss are `terms`; and the whole batch's.

        They differ where several processes share a batch. No gradient is recorded: by the envelope theorem the
        gradient of `min_W` is that at the minimising `W`, held fixed.
        """


def _own(scores: Tensor) -> Tensor:
    return scores


@final
@dataclass(frozen=True, kw_only=True)
class BallWeighing(Weighing):
    """The exact minimiser of `−E[W ℓ]` over a ball, for every batch anew."""

    ball: Ball
    whole: Callable[[Tensor], Tensor] = _own
    "From the terms of this process's part of a batch to all of them."
    part: Callable[[Tensor], Tensor] = _own
    "From all weights to those of this process's part."

    @torch.no_grad()
    def __call__(self, state: State, images: Tensor, terms: Tensor) -> tuple[Tensor, Tensor]:
        found = weights(-self.whole(terms.detach()), ball=self.ball)
        assert isinstance(found, Tensor)
        return self.part(found), found


@final
@dataclass(frozen=True, kw_only=True)
class NetworkWeighing(Weighing):
    """The weights that a third network has learnt; see `network_weights`."""

    network: Network
    rho: float
    "The ball's radius: bound on `E (w − 1)²/2`."

    @torch.no_grad()
    def __call__(self, state: State, images: Tensor, terms: Tensor) -> tuple[Tensor, Tensor]:
        found = network_weights(self.network, state, images.detach())
        return found, found


def network_weights(network: Network, state: State, images: Tensor) -> Terms:
    """`w_i = B r_i / Σ_j r_j` with `r = relu(1 + N(x)) + 1e-4`: positive, of mean 1 over the batch of B.

    `N` starts at 0 for every image, so the weights start at 1 and their network alive, whatever its width.

    Source: Balaji, Chellappa & Feizi 2020, the authors' code (without the 1).
    """
    raw = torch.relu(1 + network(state, images).float()) + FLOOR
    return raw / raw.mean(1, keepdim=True)


def make_weighing(config: GanConfig, *, width: int, size: int, channels: int) -> Weighing | None:
    """The weights that `config` asks for; None without `robust`. `width` is the discriminator's."""
    if config.robust == 0:
        return None
    if config.robust_by == "network":
        from saddle.gan.weight_network import weight_network

        network = weight_network(config.arch, width=width, size=size, channels=channels, prefix=PREFIX)
        return NetworkWeighing(network=network, rho=config.robust_scale * rho_for(config.robust))
    return BallWeighing(ball=ball_of(config))
