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
    """A pair of objectives of the logits `r = D(x)` at real and `f = D(G(z))` at generated images.

    Both are means over the batch. Their terms are apart, because weights of the real images multiply them.
    """

    paired: ClassVar[bool] = False
    "Whether every term of both players belongs to a real and a generated image together."

    @abstractmethod
    def real_terms(self, real: Logits, fake: Logits) -> Logits:
        """The terms of the discriminator's objective that belong to a real image each (to a pair, where paired)."""

    @abstractmethod
    def fake_terms(self, fake: Logits) -> Logits:
        """The terms of the discriminator's objective that belong to a generated image each; 0 where paired."""

    @abstractmethod
    def generator_terms(self, fake: Logits, real: Logits | None = None) -> Logits:
        """The terms of the generator's objective."""

    def discriminator(self, real: Logits, fake: Logits) -> Values:
        """What the discriminator descends."""
        return self.real_terms(real, fake).mean(1) + self.fake_terms(fake).mean(1)

    def generator(self, fake: Logits, real: Logits | None = None) -> Values:
        """What the generator descends."""
        return self.generator_terms(fake, real).mean(1)


@final
@dataclass(frozen=True)
class NonSaturating(Loss):
    """D: E s(−r) + E s(f),  G: E s(−f),  s = softplus. Source: Goodfellow et al. 2014, section 3."""

    def real_terms(self, real: Logits, fake: Logits) -> Logits:
        return softplus(-real)

    def fake_terms(self, fake: Logits) -> Logits:
        return softplus(fake)

    def generator_terms(self, fake: Logits, real: Logits | None = None) -> Logits:
        return softplus(-fake)


@final
@dataclass(frozen=True)
class LeastSquares(Loss):
    """D: ½E(r − 1)² + ½E f²,  G: ½E(f − 1)². Source: Mao et al. 2017, arXiv 1611.04076, equation 9."""

    def real_terms(self, real: Logits, fake: Logits) -> Logits:
        return 0.5 * (real - 1).square()

    def fake_terms(self, fake: Logits) -> Logits:
        return 0.5 * fake.square()

    def generator_terms(self, fake: Logits, real: Logits | None = None) -> Logits:
        return 0.5 * (fake - 1).square()


@final
@dataclass(frozen=True)
class Hinge(Loss):
    """D: E max(0, 1 − r) + E max(0, 1 + f),  G: −E f. Source: Lim & Ye 2017, arXiv 1705.02894."""

    def real_terms(self, real: Logits, fake: Logits) -> Logits:
        return relu(1 - real)

    def fake_terms(self, fake: Logits) -> Logits:
        return relu(1 + fake)

    def generator_terms(self, fake: Logits, real: Logits | None = None) -> Logits:
        return -fake


@final
@dataclass(frozen=True)
class Wasserstein(Loss):
    """D: E f − E r,  G: −E f. Source: Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1."""

    def real_terms(self, real: Logits, fake: Logits) -> Logits:
        return -real

    def fake_terms(self, fake: Logits) -> Logits:
        return fake

    def generator_terms(self, fake: Logits, real: Logits | None = None) -> Logits:
        return -fake


@final
@dataclass(frozen=True)
class Relativistic(Loss):
    """D: E s(f − r),  G: E s(r − f), image by image in pairs, s = softplus.

    Source: Jolicoeur-Martineau 2018, arXiv 1807.00734; with R1 and R2: Huang et al. 2024, arXiv 2501.05441.
    """

    paired: ClassVar[bool] = True

    def real_terms(self, real: Logits, fake: Logits) -> Logits:
        return softplus(fake - real)

    def fake_terms(self, fake: Logits) -> Logits:
        return fake.new_zeros(fake.shape)

    def generator_terms(self, fake: Logits, real: Logits | None = None) -> Logits:
        assert real is not None
        return softplus(real - fake)


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
