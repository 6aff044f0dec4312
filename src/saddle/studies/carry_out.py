"""From a study's name to its claims and page."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any, final

from saddle._files import write_text
from saddle.core import Claim
from saddle.errors import UserError
from saddle.report import require_packages
from saddle.runs import Outcome, RunFolder, config_hash
from saddle.runs.textfiles import read_object
from saddle.studies.cell import Cell
from saddle.studies.claims_file import write_claims
from saddle.studies.execution import compute_missing, failure_of
from saddle.studies.stored_cells import computed, folder_of, identity, read_cell
from saddle.studies.study import Study, find_study

__all__ = ["STUDY", "Finished", "Request", "StudyRun", "check_out", "read_study", "run_study"]

STUDY = "study.json"
STUDY_LIMIT = 2**24  # bytes


@final
@dataclass(frozen=True, kw_only=True)
class Request:
    """What `saddle study run` was asked for."""

    study: Study
    config: Any
    "The study's own configuration."
    out: Path
    workers: int | None = None

    @classmethod
    def of(
        cls, name: str, *, full: bool = False, seeds: int | None = None, out: Path | None = None,
        workers: int | None = None,
    ) -> "Request":  # fmt: skip
        """The quick or full configuration of the study `name`, with its seeds replaced where `seeds` is given."""
        study = find_study(name)
        config = study.config_type.full() if full else study.config_type.quick()
        for option, value in (("--seeds", seeds), ("--workers", workers)):
            if value is not None and value < 1:
                raise UserError(f"{option} is {value}; it must be at least 1.")
        if seeds is not None:
            config = replace(config, seeds=seeds)
        return cls(study=study, config=config, out=out or Path("runs") / name, workers=workers)


@final
@dataclass(frozen=True, kw_only=True)
class Finished:
    """A study all of whose cells are computed, and what follows from them."""

    study: Study
    config: Any
    out: Path
    results: Mapping[str, Any]
    "What the claims rest on: of a study of cells, cell's name → `CellResult`."
    claims: tuple[Claim, ...]
    cells: tuple[Cell, ...] = ()
    folders: tuple[RunFolder, ...] = ()
    "Of the cells."


@final
@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """How `run_study` ended."""

    finished: Finished | None
    "None while cells are missing."
    missing: int
    failures: Mapping[str, str]
    "Cell's name → why it has no result."
    interrupted: bool
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    "What was to be measured on finished cells → why it failed."


def run_study(request: Request) -> StudyRun:
    """Compute the cells that have no result yet, and write `study.json` and, when all are there, `claims.json`.

    Finished cells are never computed again; a stop (Ctrl-C) leaves what is finished, and the same call goes on.

    Raises:
        UserError: `out` cannot be written or holds other things, or a package of the extra `report` is missing.
    """
    require_packages()
    check_out(request.out, request.study)
    cells = request.study.part("cells")
    planned = _planned(request.study, cells, request.config)
    # First of all: a folder that a kill leaves here with nothing but cells would be nobody's.
    request.out.mkdir(parents=True, exist_ok=True)
    _write_study(request, cells, planned)
    work = [(cell, folder_of(request.out, request.study, cells, cell)) for cell in planned]
    study, out = request.study, request.out
    outcomes = compute_missing(study, out, work, workers=request.workers)
    if not _stopped(outcomes) and not _failures(work, outcomes):
        # What other processes had is waited for at the end, when nothing else is left to do.
        outcomes |= compute_missing(study, out, work, workers=1, wait=True)
    missing = sum(not computed(folder) for _, folder in work)
    # Another command may have run here meanwhile; what is written last is about this one.
    _write_study(request, cells, planned)
    finished = None if missing else _finish(request.study, request.config, out, work)
    return StudyRun(
        finished=finished,
        missing=missing,
        failures=_failures(work, outcomes),
        interrupted=_stopped(outcomes),
    )


def read_study(out: Path) -> Finished:
    """Read a study from its folder alone, compute its claims anew, and write `claims.json`.

    Raises:
        UserError: the folder holds no study, was written by another version, is damaged or has cells missing.
    """
    if not (out / STUDY).is_file():
        raise UserError(f"{out} holds no {STUDY}, so it is no folder of saddle study run; name one that is.")
    advice = f"Run the study again with --out {out}."
    stored = read_object(out / STUDY, limit=STUDY_LIMIT, advice=advice)
    study = find_study(str(stored.get("study")))
    if study.own_options:
        return study.part("runner").read(out)
    config = _build(study, stored.get("config"), out / STUDY, advice)
    cells = study.part("cells")
    if stored.get("version") != cells.VERSION:
        raise UserError(f"{out / STUDY} was written by another version of {study.name}. {advice}")
    planned = _planned(study, cells, config)
    work = [(cell, folder_of(out, study, cells, cell)) for cell in planned]
    missing = sum(not computed(folder) for _, folder in work)
    if missing:
        raise UserError(f"{out} lacks {missing} of {len(work)} cells: the study was stopped. {advice}")
    return _finish(study, config, out, work)


def _finish(study: Study, config: Any, out: Path, work: Sequence[tuple[Cell, RunFolder]]) -> Finished:
    results = {cell.name: read_cell(folder) for cell, folder in work}
    claims = tuple(study.part("claims").claims(config, results))
    write_claims(out / "claims.json", study.name, asdict(config), claims)
    return Finished(
        study=study,
        config=config,
        out=out,
        cells=tuple(cell for cell, _ in work),
        folders=tuple(folder for _, folder in work),
        results=results,
        claims=claims,
    )


def _planned(study: Study, cells: ModuleType, config: Any) -> list[Cell]:
    planned = list(cells.cells(config))
    assert len({cell.name for cell in planned}) == len(planned), f"two cells of {study.name} have one name"
    return planned


def _stopped(outcomes: Mapping[str, Outcome]) -> bool:
    return any(outcome.status == "interrupted" for outcome in outcomes.values())


def _failures(work: Sequence[tuple[Cell, RunFolder]], outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """Cells that failed, and workers that died without a word of their cell."""
    cells = {cell.name: message for cell, folder in work if (message := failure_of(folder)) is not None}
    dead = {key: outcome.message for key, outcome in outcomes.items() if outcome.status == "failed"}
    return cells | dead


def _write_study(request: Request, cells: ModuleType, planned: Sequence[Cell]) -> None:
    described = {
        "study": request.study.name,
        "version": cells.VERSION,
        "config": asdict(request.config),
        "cells": {cell.name: config_hash(identity(request.study, cells, cell)) for cell in planned},
    }
    write_text(request.out / STUDY, json.dumps(described, indent=2) + "\n")


def _build(study: Study, stored: Any, file: Path, advice: str) -> Any:
    """The configuration in a `study.json`, which is anybody's file."""
    kind = study.config_type
    known = {field.name for field in fields(kind)}
    if not isinstance(stored, dict) or set(stored) != known:
        raise UserError(f"{file} is damaged: it does not hold the options of {study.name}. {advice}")
    try:
        return kind(**{name: _tuples(value) for name, value in stored.items()})
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{file} is damaged: {error}. {advice}") from error


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def check_out(out: Path, study: Study, *, own: Collection[str] = ()) -> None:
    """Refuse an --out that cannot be written, or that holds other things; what `own` names is no other thing."""
    there = next(path for path in (out.absolute(), *out.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        what = "" if there == out.absolute() else f" lies below {there}, which"
        raise UserError(f"--out {out}{what} is no folder; name a folder, new or of an earlier run.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"--out {out} cannot be made: {there} may not be written; name another folder.")
    if (out / STUDY).is_file():
        name = read_object(out / STUDY, limit=STUDY_LIMIT, advice="Name another folder.").get("study")
        if name != study.name:
            raise UserError(f"--out {out} holds the study {name}; name another folder for {study.name}.")
    # Another command may just be writing its study.json, or was killed while it did.
    elif out.is_dir() and not all(p.name in own or p.name.startswith(f".{STUDY}.") for p in out.iterdir()):
        raise UserError(f"--out {out} holds other things and no study; name a new folder.")
