"""`saddle diagnose`: what went wrong in a run, in words and pictures."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

import tyro

from saddle.cli.parse import parse
from saddle.errors import UserError

__all__ = ["DiagnoseConfig", "command"]


@final
@dataclass(frozen=True)
class DiagnoseConfig:
    """Look for nine failures in a run or in every run of a sweep: each with its evidence and what to change. Trains nothing."""

    folder: tyro.conf.Positional[Path]
    """A run folder, or the folder of a sweep or of `saddle train`."""
    out: Path | None = None
    """Where to write the page; default: diagnosis.html in the folder."""
    spectrum: Literal["auto", "yes", "no"] = "auto"
    """Leading eigenvalues of the game at the checkpoint; auto: where they take seconds, and for one run only."""
    json: bool = False
    """Print the findings as one JSON object, and write no page."""


def command(words: Sequence[str]) -> int:
    """Print what was found; the last line names the page."""
    config = parse(DiagnoseConfig, words, name="diagnose")
    from saddle.studies.diagnosis.runs import diagnose_run, runs_in

    folders = runs_in(config.folder)
    asked = {"auto": None if len(folders) == 1 else False, "yes": True, "no": False}[config.spectrum]
    found = []
    for folder in folders:
        try:
            found.append(diagnose_run(folder, spectrum=asked))
        except UserError as error:
            # One damaged run must not hide what the others say.
            if len(folders) == 1:
                raise
            print(f"left out: {error}", file=sys.stderr)
    if not found:
        raise UserError(f"none of the {len(folders)} runs in {config.folder} can be read; train them again.")
    if config.json:
        runs = [
            {"run": str(run.folder), "label": run.label, "findings": [f.to_json() for f in run.findings]}
            for run in found
        ]
        print(json.dumps({"format": 1, "runs": runs}, indent=2, ensure_ascii=False))
        return 0
    from saddle.report import require_packages
    from saddle.studies.diagnosis.page import write_page
    from saddle.studies.diagnosis.text import run_text, sweep_text

    require_packages()
    print(run_text(found[0]) if len(found) == 1 else sweep_text(found))
    print()
    print(write_page(found, config.out or config.folder / "diagnosis.html"))
    return 0
