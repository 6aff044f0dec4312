"""From options to claims: prepare the images of every pair, compute the cells that are missing, judge."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from saddle._files import write_text
from saddle.errors import UserError
from saddle.report import require_packages
from saddle.runs import Outcome, RunFolder
from saddle.runs.textfiles import read_object
from saddle.studies.carry_out import STUDY, STUDY_LIMIT, Finished, StudyRun, check_out
from saddle.studies.cell import Cell
from saddle.studies.claims_file import write_claims
from saddle.studies.domain_adaptation import cells as cells_module
from saddle.studies.domain_adaptation.cells import CACHE, VERSION, cells_of
from saddle.studies.domain_adaptation.claims import claims
from saddle.studies.domain_adaptation.config import DomainAdaptationConfig
from saddle.studies.domain_adaptation.domains import load_others, load_pair, store
from saddle.studies.execution import compute_missing, failure_of
from saddle.studies.stored_cells import computed, folder_of, read_cell
from saddle.studies.study import Study, find_study

__all__ = ["read", "run"]

NAME = "domain-adaptation"
Work = Sequence[tuple[Cell, RunFolder]]
Data = Mapping[str, Mapping[str, str]]


def run(config: DomainAdaptationConfig) -> StudyRun:
    """Compute the cells that have no result yet, and judge the claims when all are there.

    Raises:
        UserError: before anything is written, where the options or the images cannot work.
    """
    require_packages()
    study = find_study(NAME)
    check_out(config.out, study, own=(CACHE,))
    loaded = {pair: load_pair(config, pair) for pair in config.chosen_pairs}
    others = {
        pair: load_others(config, round(config.share * len(images.target)), images.source.shape[1])
        for pair, images in loaded.items()
        if "images" in config.contaminations
    }
    config.out.mkdir(parents=True, exist_ok=True)
    data = {
        pair: {
            "images": store(config.out / CACHE, images),
            "others": store(config.out / CACHE, others[pair]) if pair in others else "",
        }
        for pair, images in loaded.items()
    }
    _write_study(config, data)
    work = _work(study, config, data)
    outcomes = compute_missing(study, config.out, work, workers=config.workers)
    interrupted = _stopped(outcomes)
    if not interrupted and not any(failure_of(folder) for _, folder in work):
        # What other processes had is waited for at the end, when nothing else is left to do.
        outcomes |= compute_missing(study, config.out, work, workers=1, wait=True)
        interrupted = _stopped(outcomes)
    missing = sum(not computed(folder) for _, folder in work)
    _write_study(config, data)
    failures = {cell.name: message for cell, folder in work if (message := failure_of(folder)) is not None}
    failures |= {key: outcome.message for key, outcome in outcomes.items() if outcome.status == "failed"}
    return StudyRun(
        finished=None if missing else _finish(study, config, work),
        missing=missing,
        failures=failures,
        interrupted=interrupted,
    )


def read(out: Path) -> Finished:
    """The study in a folder, from its cells alone: its claims anew, written to `claims.json`.

    Raises:
        UserError: the folder is damaged, of another version, or has cells missing.
    """
    advice = f"Run the study again with --out {out}."
    stored = read_object(out / STUDY, limit=STUDY_LIMIT, advice=advice)
    if stored.get("version") != VERSION:
        raise UserError(f"{out / STUDY} was written by another version of {NAME}. {advice}")
    study = find_study(NAME)
    try:
        config = replace(_build(stored["config"]), out=out)
        work = _work(study, config, stored["data"])
    except UserError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        raise UserError(
            f"{out / STUDY} is damaged: it does not hold the options of {NAME} ({why:.100}). {advice}"
        ) from error
    missing = sum(not computed(folder) for _, folder in work)
    if missing:
        raise UserError(f"{out} lacks {missing} of {len(work)} cells: the study was stopped. {advice}")
    return _finish(study, config, work)


def _work(study: Study, config: DomainAdaptationConfig, data: Data) -> Work:
    return [(cell, folder_of(config.out, study, cells_module, cell)) for cell in cells_of(config, data)]


def _finish(study: Study, config: DomainAdaptationConfig, work: Work) -> Finished:
    results = {cell.name: read_cell(folder) for cell, folder in work}
    found = tuple(claims(config, results))
    write_claims(config.out / "claims.json", study.name, _plain(config), found)
    return Finished(
        study=study,
        config=config,
        out=config.out,
        results=results,
        claims=found,
        cells=tuple(cell for cell, _ in work),
        folders=tuple(folder for _, folder in work),
    )


def _stopped(outcomes: Mapping[str, Outcome]) -> bool:
    return any(outcome.status == "interrupted" for outcome in outcomes.values())


def _write_study(config: DomainAdaptationConfig, data: Data) -> None:
    described = {"study": NAME, "version": VERSION, "config": _plain(config), "data": data}
    write_text(config.out / STUDY, json.dumps(described, indent=2) + "\n")


def _plain(config: DomainAdaptationConfig) -> dict[str, Any]:
    """The options as JSON has them. Of the folder of the data only whether there was one; where it lies is nobody's."""
    found = json.loads(json.dumps(asdict(config), default=str))
    found["data"] = None if config.data is None else config.data.name
    return {key: value for key, value in found.items() if key not in ("out", "workers")}


def _build(stored: Any) -> DomainAdaptationConfig:
    if not isinstance(stored, Mapping):
        raise TypeError(f"{stored!r:.40} is no mapping of options")
    unknown = set(stored) - {field.name for field in fields(DomainAdaptationConfig)}
    if unknown:
        raise KeyError(f"{min(unknown)!r:.40} is no option")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    if values.get("data") is not None:
        values["data"] = Path(str(values["data"]))
    return DomainAdaptationConfig(**values)
