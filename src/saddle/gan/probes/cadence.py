"""How often a run is probed. Standard library only."""

from dataclasses import dataclass
from typing import final

__all__ = ["ProbeCadence"]

LIGHT, HEAVY = 250, 2000
"Steps between probes at the least, by default: what keeps them below 5 % of the training time (bench_probes.json)."
MOST = 100
"Probes of each kind in a run, about, by default: longer runs are probed as often as this."


@final
@dataclass(frozen=True, kw_only=True)
class ProbeCadence:
    """Steps between probes; 0 is never. None of it changes what is trained."""

    every: int = 0
    spectrum_every: int = 0
    raw: bool = False
    "Whether the last evaluation scores the weights themselves too, beside their moving average."

    @classmethod
    def resolve(
        cls, steps: int, every: int | None, spectrum_every: int | None, *, raw: bool = False
    ) -> "ProbeCadence":
        """Fill in what is None, by the number of steps alone, so that a resumed run is probed at the same steps."""
        if every is None:
            every = _round_up(max(LIGHT, steps / MOST))
        if spectrum_every is None:
            spectrum_every = _round_up(max(HEAVY, steps / MOST))
        return cls(every=every, spectrum_every=spectrum_every, raw=raw)

    def light(self, step: int) -> bool:
        """Whether the light probes are due after `step`."""
        return self.every > 0 and step % self.every == 0

    def heavy(self, step: int) -> bool:
        """Whether the heavy probes are due after `step`."""
        return self.spectrum_every > 0 and step % self.spectrum_every == 0


def _round_up(wanted: float | int) -> int:
    """The smallest of 10, 20, 25, 50, 100, 200, 250, … that is at least `wanted`."""
    return next(
        factor * 10**power
        for power in range(13)
        for factor in (10, 20, 25, 50)
        if factor * 10**power >= wanted
    )
