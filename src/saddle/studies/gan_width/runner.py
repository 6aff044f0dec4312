"""From options to claims: one sweep a side, extras of every run, one page."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from saddle._files import write_text
from saddle.errors import UserError
from saddle.report import require_packages
from saddle.runs.textfiles import read_object
from saddle.studies.carry_out import STUDY, STUDY_LIMIT, Finished, StudyRun, check_out
from saddle.studies.claims_file import write_claims
from saddle.studies.gan_width.claims import claims
from saddle.studies.gan_width.config import SIDES, GanWidthConfig, Side
from saddle.studies.gan_width.measures import Evidence, measure
from saddle.studies.study import Study, find_study
from saddle.studies.width_sweep.extras import ExtrasOptions, compute_extras, read_extras
from saddle.studies.width_sweep.reading import read_sweep
from saddle.studies.width_sweep.report import build_report
from saddle.studies.width_sweep.sweep import run_sweep

__all__ = ["VERSION", "read", "run"]

VERSION = "1"
NAME = "gan-width"


def run(config: GanWidthConfig) -> StudyRun:
    """Train what is missing on every side, compute the extras of every run, and judge the claims.

    Raises:
        UserError: before anything is written, where it cannot work.
    """
    require_packages()
    study = find_study(NAME)
    check_out(config.out, study, own=SIDES)
    missing, failures, unmeasured, interrupted = 0, {}, {}, False
    for side in config.sides:
        outcome = run_sweep(config.sweep(side))
        # Not before: what the sweep refuses is refused with nothing written.
        _write_study(config)
        failures |= {f"{side}, {key}": message for key, message in outcome.failures.items()}
        interrupted = interrupted or outcome.interrupted
        missing += sum(cell.folder.result() is None for cell in outcome.cells)
        if not interrupted:
            done = compute_extras(config.out / side, _extras(config, side))
            unmeasured |= {f"{side}, {key}": message for key, message in done.failures.items()}
            interrupted = done.interrupted
        build_report(config.out / side)
        if interrupted:
            break
    complete = not interrupted and not missing
    return StudyRun(
        finished=_finish(study, config) if complete else None,
        missing=missing,
        failures=failures,
        interrupted=interrupted,
        unmeasured=unmeasured,
    )


def read(out: Path) -> Finished:
    """The study in a folder: its claims anew from the sweeps' folders, written to `claims.json`.

    Raises:
        UserError: the folder is damaged or a side was never trained.
    """
    advice = f"Run the study again with --out {out}."
    stored = read_object(out / STUDY, limit=STUDY_LIMIT, advice=advice)
    if stored.get("version") != VERSION:
        raise UserError(f"{out / STUDY} was written by another version of {NAME}. {advice}")
    try:
        config = replace(_build(GanWidthConfig, stored.get("config")), out=out)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        raise UserError(
            f"{out / STUDY} is damaged: it does not hold the options of {NAME} ({why:.100}). {advice}"
        ) from error
    for side in config.sides:
        if not (out / side / "sweep.json").is_file():
            raise UserError(f"{out} lacks the side {side}: the study was stopped. {advice}")
    return _finish(find_study(NAME), config)


def _finish(study: Study, config: GanWidthConfig) -> Finished:
    results: dict[str, Evidence] = {side: _evidence(config, side) for side in config.sides}
    found = tuple(claims(config, results))
    write_claims(config.out / "claims.json", study.name, _plain(config), found)
    return Finished(study=study, config=config, out=config.out, results=results, claims=found)


def _evidence(config: GanWidthConfig, side: Any) -> Evidence:
    sweep = read_sweep(config.out / side)
    extras = read_extras(sweep)
    return measure(side, sweep, extras.tables, extras.references)


def _extras(config: GanWidthConfig, side: Side) -> ExtrasOptions:
    # Claims and pictures of divergence and copies are of the main study; a side is asked for its distance alone.
    main = side == "both"
    return ExtrasOptions(
        nnd=config.nnd if main else "none",
        memorisation=main,
        diagnose=config.diagnose,
        device=config.run.device,
        workers=config.run.workers,
    )


def _write_study(config: GanWidthConfig) -> None:
    described = {"study": NAME, "version": VERSION, "config": _plain(config)}
    write_text(config.out / STUDY, json.dumps(described, indent=2) + "\n")


def _plain(config: GanWidthConfig) -> dict[str, Any]:
    """The options as JSON has them; where the folder lies is no part of them."""
    found = json.loads(json.dumps(asdict(config), default=str))
    return {key: value for key, value in found.items() if key not in ("out", "config")}


def _build(kind: type, stored: Any) -> Any:
    """The dataclass that a mapping describes, which is anybody's file; what it does not say keeps its default."""
    if not isinstance(stored, Mapping):
        raise TypeError(f"{stored!r:.40} is no mapping of options")
    hints = get_type_hints(kind)
    unknown = set(stored) - {field.name for field in fields(kind)}
    if unknown:
        raise KeyError(f"{min(unknown)!r:.40} is no option")
    values = {}
    for name, value in stored.items():
        nested = hints[name]
        if isinstance(nested, type) and is_dataclass(nested):
            values[name] = _build(nested, value)
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
