"""What the study `gan-diagnosis` computes: the findings of all seeds of one trial a cell."""

from typing import Any

from saddle.studies.cell import Cell, CellResult
from saddle.studies.diagnosis import KINDS, Finding
from saddle.studies.gan_diagnosis.config import GanDiagnosisConfig
from saddle.studies.gan_diagnosis.training import findings_of
from saddle.studies.gan_diagnosis.trials import HEALTHY, PROVOKED, Trial

__all__ = ["VERSION", "cells", "compute", "trials"]

VERSION = "3"


def trials(config: GanDiagnosisConfig) -> list[Trial]:
    """Provocations, then healthy runs."""
    return [*PROVOKED, *(HEALTHY[name] for name in config.healthy)]


def cells(config: GanDiagnosisConfig) -> list[Cell]:
    return [
        Cell(
            name=trial.name,
            settings={
                "trial": trial.name,
                "kind": trial.kind,
                "gan": dict(trial.gan),
                "steps": trial.steps,
                "widths": [trial.width_g, trial.width_d],
                "data": trial.data,
                "seeds": [config.first_seed, config.seeds],
            },
            weight=trial.weight * trial.steps,
        )
        for trial in trials(config)
    ]


def compute(cell: Cell) -> CellResult:
    every = {trial.name: trial for trial in (*PROVOKED, *HEALTHY.values())}
    first, count = cell.settings["seeds"]
    runs = findings_of(every[cell.settings["trial"]], range(first, first + count))
    return CellResult(numbers={kind: _of_kind(kind, runs) for kind in KINDS})


def _of_kind(kind: str, runs: list[tuple[Finding, ...]]) -> dict[str, Any]:
    found = [next(finding for finding in run if finding.kind == kind) for run in runs]
    names = sorted({name for finding in found for name in finding.evidence})
    return {
        "severity": [str(finding.severity) for finding in found],
        "evidence": {name: [finding.evidence.get(name) for finding in found] for name in names},
        "sentence": next((f.sentence for f in found if f.present), found[0].sentence),
        "next_step": next((f.next_step for f in found if f.present), ""),
    }
