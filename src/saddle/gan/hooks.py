"""What a training loop is told, what it tells and asks on the way, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from saddle.core.state import State

__all__ = ["Cadence", "Ending", "Hooks", "Member"]

Row = dict[str, Any]


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """One GAN of the fleet."""

    seed: int
    folder: Path
    "Where its checkpoint and sample grids go."


@final
@dataclass(frozen=True, kw_only=True)
class Cadence:
    """Steps between the things that are not training; none of them changes what is trained."""

    log: int = 50  # losses
    sample: int = 1000  # grids of fixed latents
    evaluate: int = 1000  # scores
    checkpoint: int = 1000


@final
@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the loop tells and asks its surroundings."""

    record: Callable[[int, list[Row]], None]  # rows of member number i, in step order
    resume: Callable[[int, int], None]  # member i goes on from this step: forget later rows
    looking: Callable[[], None] = lambda: None  # before anything but training: grids or scores come next
    evaluate: Callable[[State, int], list[Row]] | None = None  # a member's averaged weights and its seed
    progress: Callable[[int, str], None] = lambda step, text: None  # called every step: must be cheap
    stopping: Callable[[], bool] = lambda: False
    ended: Callable[[int, "Ending"], None] = lambda index, ending: None  # as soon as it is known


@final
@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a member's training ended."""

    status: Literal["done", "diverged", "interrupted"]
    step: int
    message: str
    seconds_per_step: float
    "Measured seconds of training per step and member (evaluation, probes and checkpoints not counted)."
    probe_seconds: float = 0.0
    "Measured seconds of probes for this member, in the whole run."

    @property
    def probe_share(self) -> float:
        """Time in probes over time in training."""
        training = self.seconds_per_step * self.step
        return self.probe_seconds / training if training > 0 else 0.0
