"""How the neural network divergence is measured; standard library only, so that `--help` imports no torch."""

from dataclasses import dataclass
from typing import final

from saddle.errors import UserError

__all__ = ["NndConfig"]


@final
@dataclass(frozen=True, kw_only=True)
class NndConfig:
    """The critic and its training. The defaults are the published protocol; two values compare only at equal settings.

    Source: Gulrajani, Raffel & Metz 2019, *Towards GAN benchmarks which require generalization*, with their code.
    """

    width: int = 64
    """Channels of the critic's first convolution; the next two have twice and four times as many."""
    iterations: int = 100_000
    """Training steps of the critic."""
    batch: int = 256
    """Real images, and generated images, of one step and of one evaluation batch."""
    lr: float = 2e-4
    """First step size of Adam with betas (0, 0.9); it falls linearly to 0."""
    penalty: float = 10.0
    """Weight of the gradient penalty, in training and in the value."""
    ema: float = 0.999
    """Decay of the average of the critic's weights that is evaluated."""
    evaluation_batches: int = 10_000
    """Fresh batches that the value is the mean over."""

    def __post_init__(self) -> None:
        for name in ("width", "iterations", "batch", "evaluation_batches"):
            if getattr(self, name) < 1:
                raise UserError(
                    f"The divergence's {name} is {getattr(self, name)}. Pass a whole number from 1."
                )
        for name in ("lr", "penalty"):
            if not 0 < getattr(self, name) < float("inf"):
                raise UserError(f"The divergence's {name} is {getattr(self, name)}. Pass a positive number.")
        if not 0 <= self.ema < 1:
            raise UserError(
                f"The divergence's ema is {self.ema}, and a decay lies in [0, 1). Pass 0.99, or 0 to evaluate the "
                "last weights."
            )

    @classmethod
    def exact(cls) -> "NndConfig":
        """The published protocol: 25.6 million image pairs, which needs a GPU."""
        return cls()

    @classmethod
    def quick(cls) -> "NndConfig":
        """A small critic for a CPU: half a minute a generator at 28x28 on one core.

        It orders generators; its values are not the published ones (docs: The neural network divergence).
        """
        return cls(width=16, iterations=600, batch=64, lr=1e-3, ema=0.98, evaluation_batches=200)
