"""`Finding`: what one look at a run found, in words with the numbers that they rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, final

from saddle.runs.hashing import null, plain

__all__ = ["Finding", "Severity"]


@final
class Severity(StrEnum):
    """How bad it is."""

    SERIOUS = "serious"
    "The run's result is not what it should be."
    WARNING = "warning"
    "The result stands, and could be better or is at risk."
    FINE = "fine"
    "Looked at, and nothing found."
    UNDECIDED = "not decidable"
    "The numbers that it takes are not there; the sentence says why."


@final
@dataclass(frozen=True, kw_only=True)
class Finding:
    """One kind of failure, looked for in one run. `diagnose` returns one of every kind, whatever it found."""

    kind: str
    "`mode-collapse`, `divergence`, …: one name a kind, the same in every run."
    title: str
    sentence: str
    "What it means for this run; of what is fine, what was looked at."
    evidence: Mapping[str, float]
    "The numbers, each threshold under the name `<number>: threshold`, and `step`."
    next_step: str = ""
    "What to change; empty where nothing was found."
    severity: Severity

    @property
    def present(self) -> bool:
        """Whether the failure was found."""
        return self.severity in (Severity.SERIOUS, Severity.WARNING)

    def to_json(self) -> dict[str, Any]:
        """A dictionary for a JSON file; what is not finite becomes None."""
        return {
            "kind": self.kind,
            "title": self.title,
            "severity": str(self.severity),
            "sentence": self.sentence,
            "evidence": plain(self.evidence, number=null, where="evidence"),
            "next_step": self.next_step,
        }
