"""What went wrong in a run: findings with their evidence and a next step."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.studies.diagnosis.evidence import Evidence as Evidence
    from saddle.studies.diagnosis.finding import Finding as Finding
    from saddle.studies.diagnosis.finding import Severity as Severity
    from saddle.studies.diagnosis.judge import KINDS as KINDS
    from saddle.studies.diagnosis.judge import diagnose as diagnose
    from saddle.studies.diagnosis.reading import read_evidence as read_evidence

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Evidence": "evidence",
        "Finding": "finding",
        "KINDS": "judge",
        "Severity": "finding",
        "diagnose": "judge",
        "read_evidence": "reading",
    },
)
