"""`Look`: the one kind of failure that a module looks for, and the four ways in which looking ends."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from saddle.studies.diagnosis.finding import Finding, Severity

__all__ = ["Look", "percent", "short"]

Numbers = Mapping[str, float | int]


@final
@dataclass(frozen=True)
class Look:
    """Makes the findings of one kind."""

    kind: str
    title: str

    def serious(self, sentence: str, numbers: Numbers, next_step: str) -> Finding:
        """The run's result is not what it should be."""
        return self._made(Severity.SERIOUS, sentence, numbers, next_step)

    def warning(self, sentence: str, numbers: Numbers, next_step: str) -> Finding:
        """The result could be better, or is at risk."""
        return self._made(Severity.WARNING, sentence, numbers, next_step)

    def fine(self, sentence: str, numbers: Numbers) -> Finding:
        """Looked at, and nothing found."""
        return self._made(Severity.FINE, sentence, numbers, "")

    def undecided(self, why: str, numbers: Numbers | None = None) -> Finding:
        """The numbers that it takes are not there."""
        return self._made(Severity.UNDECIDED, f"Not decidable: {why}.", numbers or {}, "")

    def _made(self, severity: Severity, sentence: str, numbers: Numbers, next_step: str) -> Finding:
        kept = {name: float(value) for name, value in numbers.items() if math.isfinite(value)}
        return Finding(
            kind=self.kind,
            title=self.title,
            sentence=sentence,
            evidence=kept,
            next_step=next_step,
            severity=severity,
        )


def percent(share: float | int) -> str:
    """A share in whole percent."""
    return f"{100 * share:.0f} %"


def short(value: float | int) -> str:
    """A number in two or three digits."""
    return f"{value:.3g}"
