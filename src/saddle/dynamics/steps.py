"""Step sizes, one a player."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from saddle.errors import UserError

__all__ = ["Steps"]


@final
@dataclass(frozen=True)
class Steps:
    """A positive step for every player: `by_player` where it names one, else `default`.

    Two time scales are two numbers: `Steps(by_player={"discriminator": 4e-4, "generator": 1e-4})`.
    """

    default: float | None = None
    by_player: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = {**self.by_player} if self.default is None else {**self.by_player, "default": self.default}
        for player, step in named.items():
            if not (math.isfinite(step) and step > 0):
                raise UserError(f"The step of {player!r} is {step}; a step must be positive and finite.")

    @classmethod
    def equal(cls, step: float) -> "Steps":
        """The same step for every player."""
        return cls(default=step)

    def of(self, player: str) -> float:
        """The step of `player`."""
        step = self.by_player.get(player, self.default)
        if step is None:
            known = ", ".join(self.by_player) or "nobody"
            raise UserError(
                f"There is no step for player {player!r} (steps are given for: {known}); add one."
            )
        return step
