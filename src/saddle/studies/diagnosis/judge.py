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
    dead_units,
    vanishing_gradient,
    mode_collapse,
    oscillation,
    discriminator_overfit,
    memorisation,
    under_training,
)
KINDS = tuple(judge.LOOK.kind for judge in JUDGES)
"The kinds of findings, causes before what may follow from them."
TITLES = {judge.LOOK.kind: judge.LOOK.title for judge in JUDGES}
ORDER = {Severity.SERIOUS: 0, Severity.WARNING: 0, Severity.UNDECIDED: 1, Severity.FINE: 2}


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """One finding of every kind: those that were found, causes first as in `KINDS`; what is not decidable; what is fine."""
    found = [judge.judge(evidence) for judge in JUDGES]
    return tuple(sorted(found, key=lambda finding: ORDER[finding.severity]))
