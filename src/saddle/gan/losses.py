"""Objectives of the two players; both descend. Logits are (fleet, batch), values are (fleet,)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu, softplus

__all__ = ["Hinge", "LeastSquares", "Loss", "NonSaturating", "Relativistic", "Wasserstein", "make_loss"]

Logits = Float[Tensor, "fleet batch"]
Values = Float[Tensor, " fleet"]


class Loss(ABC):
    """A pair of objectives of the logits `r = D(x)` at real and `f = D(G(z))` at generated images."""

    paired: ClassVar[bool] = False
    "Whether the generator's objective needs the real logits too."

    @abstractmethod
    def discriminator(self, real: Logits, fake: Logits) -> Values:
        """What the discriminator descends."""

    @abstractmethod
    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        """What the generator descends."""


@final
@dataclass(frozen=True)
class NonSaturating(Loss):
    """D: E s(−r) + E s(f),  G: E s(−f),  s = softplus. Source: Goodfellow et al. 2014, section 3."""

    def discriminator(self, real: Logits, fake: Logits) -> Values:
        return softplus(-real).mean(1) + softplus(fake).mean(1)

    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        return softplus(-fake).mean(1)


@final
@dataclass(frozen=True)
class LeastSquares(Loss):
    """D: ½E(r − 1)² + ½E f²,  G: ½E(f − 1)². Source: Mao et al. 2017, arXiv 1611.04076, equation 9."""

    def discriminator(self, real: Logits, fake: Logits) -> Values:
        return 0.5 * ((real - 1).square().mean(1) + fake.square().mean(1))

    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        return 0.5 * (fake - 1).square().mean(1)


@final
@dataclass(frozen=True)
class Hinge(Loss):
    """D: E max(0, 1 − r) + E max(0, 1 + f),  G: −E f. Source: Lim & Ye 2017, arXiv 1705.02894."""

    def discriminator(self, real: Logits, fake: Logits) -> Values:
        return relu(1 - real).mean(1) + relu(1 + fake).mean(1)

    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        return -fake.mean(1)


@final
@dataclass(frozen=True)
class Wasserstein(Loss):
    """D: E f − E r,  G: −E f. Source: Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1."""

    def discriminator(self, real: Logits, fake: Logits) -> Values:
        return fake.mean(1) - real.mean(1)

    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        return -fake.mean(1)


@final
@dataclass(frozen=True)
class Relativistic(Loss):
    """D: E s(f − r),  G: E s(r − f), image by image in pairs, s = softplus.

    Source: Jolicoeur-Martineau 2018, arXiv 1807.00734; with R1 and R2: Huang et al. 2024, arXiv 2501.05441.
    """

    paired: ClassVar[bool] = True

    def discriminator(self, real: Logits, fake: Logits) -> Values:
        return softplus(fake - real).mean(1)

    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        assert real is not None
        return softplus(real - fake).mean(1)


def make_loss(name: str) -> Loss:
    """The loss that `GanConfig.loss` names."""
    losses: dict[str, Loss] = {
        "non-saturating": NonSaturating(),
        "least-squares": LeastSquares(),
        "hinge": Hinge(),
        "wasserstein": Wasserstein(),
        "relativistic": Relativistic(),
    }
    return losses[name]
