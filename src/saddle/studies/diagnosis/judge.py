"""`diagnose`: every finding about one run."""

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding, Severity
from saddle.studies.diagnosis.findings import (
    data_normalisation,
    dead_units,
    discriminator_overfit,
    divergence,
    memorisation,
    mode_collapse,
    oscillation,
    under_training,
    vanishing_gradient,
)

__all__ = ["KINDS", "diagnose"]

JUDGES = (
    divergence,
    data_normalisation,
    mode_collapse,
    vanishing_gradient,
    dead_units,
    oscillation,
    memorisation,
    discriminator_overfit,
    under_training,
)
KINDS = tuple(judge.LOOK.kind for judge in JUDGES)
"The kinds of findings, causes before what may follow from them."
TITLES = {judge.LOOK.kind: judge.LOOK.title for judge in JUDGES}
ORDER = (Severity.SERIOUS, Severity.WARNING, Severity.UNDECIDED, Severity.FINE)


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """One finding of every kind in `KINDS`: the serious first, then warnings, what could not be decided, what is fine."""
    found = [judge.judge(evidence) for judge in JUDGES]
    return tuple(sorted(found, key=lambda finding: ORDER.index(finding.severity)))
