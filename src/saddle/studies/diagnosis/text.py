"""Findings as text for a terminal."""

import textwrap
from collections.abc import Mapping, Sequence

from saddle.report.tables import format_number
from saddle.studies.diagnosis.finding import Finding, Severity
from saddle.studies.diagnosis.judge import KINDS, TITLES
from saddle.studies.diagnosis.runs import Diagnosed

__all__ = ["SIGNS", "numbers_line", "run_text", "sweep_text"]

SIGNS = {Severity.SERIOUS: "✗", Severity.WARNING: "!", Severity.FINE: "✓", Severity.UNDECIDED: "?"}
WIDTH = 100
THRESHOLD = ": threshold"
SHORT = {
    "divergence": "diverges",
    "data-normalisation": "data",
    "mode-collapse": "collapse",
    "vanishing-generator-gradient": "vanishing",
    "dead-units": "dead",
    "oscillation": "oscillates",
    "memorisation": "memorises",
    "discriminator-overfit": "D overfits",
    "under-training": "under-trained",
}


def run_text(run: Diagnosed) -> str:
    """Everything that was found in one run, and what was looked at."""
    evidence = run.examined.evidence
    lines = [f"{run.folder}  {run.label}, step {evidence.step:,}, {evidence.status}", ""]
    for finding in run.found:
        lines += [
            f"{SIGNS[finding.severity]} {finding.title} ({finding.severity})",
            *_wrapped(finding.sentence),
            *_wrapped(numbers_line(finding.evidence)),
            *_wrapped(f"Next: {finding.next_step}"),
            "",
        ]
    if not run.found:
        lines += ["✓ Nothing wrong found.", ""]
    for severity in (Severity.UNDECIDED, Severity.FINE):
        lines += [
            line for finding in run.findings if finding.severity == severity for line in _brief(finding)
        ]
    return "\n".join(lines)


def sweep_text(runs: Sequence[Diagnosed]) -> str:
    """A table run × finding, and the sentence of every finding of which one was found, once."""
    label = max(len(run.label) for run in runs)
    heads = [SHORT[kind] for kind in KINDS]
    lines = [" " * label + "  " + "  ".join(heads)]
    for run in runs:
        by_kind = {finding.kind: finding for finding in run.findings}
        signs = [
            SIGNS[by_kind[kind].severity].center(len(head)) for kind, head in zip(KINDS, heads, strict=True)
        ]
        lines.append(f"{run.label:{label}}  {'  '.join(signs)}".rstrip())
    lines += ["", "✗ serious   ! warning   ✓ nothing found   ? not decidable", ""]
    for kind in KINDS:
        found = [(run, finding) for run in runs for finding in run.found if finding.kind == kind]
        if found:
            run, finding = found[0]
            lines += [
                f"{TITLES[kind]} in {len(found)} of {len(runs)} runs, such as {run.label}:",
                *_wrapped(finding.sentence),
                *_wrapped(f"Next: {finding.next_step}"),
                "",
            ]
    if not any(run.found for run in runs):
        lines += [f"✓ Nothing wrong found in {len(runs)} runs.", ""]
    undecided = sorted({f.sentence for run in runs for f in run.findings if f.severity == Severity.UNDECIDED})
    return "\n".join([*lines, *(line for sentence in undecided for line in _wrapped(f"? {sentence}"))])


def numbers_line(numbers: Mapping[str, float]) -> str:
    """`diversity/pixels 0.12 (threshold 0.5), …, step 1,000`."""
    words = []
    for name, value in numbers.items():
        if not name.endswith(THRESHOLD):
            limit = numbers.get(name + THRESHOLD)
            bound = "" if limit is None else f" (threshold {_number(limit)})"
            words.append(f"{name} {_number(value)}{bound}")
    return ", ".join(words)


def _number(value: float) -> str:
    return format_number(int(value)) if value.is_integer() and abs(value) < 1e9 else format_number(value)


def _brief(finding: Finding) -> list[str]:
    text = f"{SIGNS[finding.severity]} {finding.title}: {finding.sentence}"
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 4, initial_indent="    ", subsequent_indent="    ")
