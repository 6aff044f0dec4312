"""A sweep's folder as data: its runs with their status, and the table of scores. Reads, never writes.

A sweep may still be going on, so whatever is missing is missing data, not an error.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, final

from saddle.errors import UserError
from saddle.runs.hashing import config_hash
from saddle.runs.rows import read_rows
from saddle.runs.table import read_table

__all__ = ["Run", "Score", "Sweep", "find", "read_sweep"]


@final
@dataclass(frozen=True, kw_only=True)
class Run:
    """One run folder: a width and a seed."""

    key: str
    folder: Path
    config: Mapping[str, Any]
    result: Mapping[str, Any]
    "Empty while the run has not ended."
    width: int | None
    seed: int | None

    @property
    def status(self) -> str:
        """Return how the run ended, or "unfinished"."""
        return str(self.result.get("status", "unfinished"))

    @property
    def pictures(self) -> dict[int, Path]:
        """Return the sample grids by step."""
        paths = sorted((self.folder / "samples").glob("step-*.png"))
        return {int(path.stem.removeprefix("step-")): path for path in paths if path.stem[5:].isdigit()}

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """Return the rows of `metrics.jsonl`."""
        return read_rows(self.folder / "metrics.jsonl")


@final
@dataclass(frozen=True, kw_only=True)
class Score:
    """One row of `results.csv`: one number with its n."""

    width: int
    seed: int
    run: str
    metric: str
    split: str
    step: int
    value: float
    n_real: int | None
    n_fake: int | None
    floor: float
    status: str


@final
@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Everything a report needs of a sweep's folder."""

    folder: Path
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    runs: tuple[Run, ...]
    scores: tuple[Score, ...] = field(repr=False)

    @property
    def widths(self) -> tuple[int, ...]:
        """Return every width that has a run or a score, ascending."""
        found = {run.width for run in self.runs if run.width is not None}
        return tuple(sorted(found | {score.width for score in self.scores}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return every seed that has a run or a score, ascending."""
        found = {run.seed for run in self.runs if run.seed is not None}
        return tuple(sorted(found | {score.seed for score in self.scores}))


def read_sweep(folder: Path) -> Sweep:
    """Read a sweep's folder.

    The runs are those that the table names, and those of the same family (all but widths and seed equal) that it
    does not hold yet: a folder may also keep runs of another configuration, which are no part of this sweep.

    Raises:
        UserError: the folder does not exist or holds no sweep.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}, so there is nothing to report; check the path.")
    config, table = _json(folder / "sweep.json"), folder / "results.csv"
    paths = sorted(path.parent for path in folder.glob("*/config.json"))
    if not config and not table.exists() and not paths:
        raise UserError(
            f"{folder} holds no sweep: there is no sweep.json, no results.csv and no run folder in it. "
            "Name the folder that was given to saddle sweep as --out."
        )
    scores = tuple(_scores(folder)) if table.exists() else ()
    named = {score.run: (score.width, score.seed) for score in scores}
    runs = [_run(path, named.get(path.name)) for path in paths]
    families = {_family(run) for run in runs if run.key in named} | {config.get("family")} - {None}
    kept = [run for run in runs if not families or _family(run) in families]
    return Sweep(
        folder=folder,
        config=config,
        data=_holder(config, "n_train"),
        runs=tuple(sorted(kept, key=lambda run: (run.width or 0, run.seed or 0, run.key))),
        scores=scores,
    )


def find(config: object, key: str) -> Any:
    """Return the value of `key` at the shallowest depth of nested mappings, or None."""
    return _holder(config, key).get(key)


def _holder(config: object, key: str) -> Mapping[str, Any]:
    """Return the shallowest mapping that has `key`, or an empty one."""
    level = [config]
    while level:
        mappings = [each for each in level if isinstance(each, Mapping)]
        for mapping in mappings:
            if key in mapping:
                return mapping
        level = [value for mapping in mappings for value in mapping.values()]
    return {}


def _run(path: Path, named: tuple[int, int] | None) -> Run:
    config, result = _json(path / "config.json"), _json(path / "result.json")
    merged = {
        **config,
        **{key: result[key] for key in ("width", "width_g", "width_d", "seed") if key in result},
    }
    width = _first_int(merged, "width", "width_g", "width_d")
    seed = _first_int(merged, "seed")
    if named is not None:
        width, seed = named
    return Run(key=path.name, folder=path, config=config, result=result, width=width, seed=seed)


def _family(run: Run) -> str:
    """Return the hash of all that decides a run's numbers but widths and seed (`cells.family`, without torch)."""
    own = ("width", "width_g", "width_d", "seed", "notes")
    return config_hash({key: value for key, value in run.config.items() if key not in own})


def _first_int(config: object, *keys: str) -> int | None:
    for key in keys:
        value = find(config, key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _scores(folder: Path) -> Iterator[Score]:
    for number, row in enumerate(read_table(folder), start=2):
        missing = {"width", "seed", "metric", "split", "step", "value"} - {
            name for name, cell in row.items() if cell is not None or name == "value"
        }
        if missing:
            raise UserError(
                f"Row {number} of {folder / 'results.csv'} has no {' and no '.join(sorted(missing))}. "
                "Run the sweep again with the same --out: it writes the table anew from the run folders."
            )
        yield Score(
            width=int(row["width"]),
            seed=int(row["seed"]),
            run=str(row.get("run") or ""),
            metric=str(row["metric"]),
            split=str(row["split"]),
            step=int(row["step"]),
            value=_number(row["value"]),
            n_real=_whole(row.get("n_real")),
            n_fake=_whole(row.get("n_fake")),
            floor=_number(row.get("floor")),
            status=str(row.get("status") or ""),
        )


def _number(cell: Any) -> float:
    return float(cell) if isinstance(cell, int | float) else math.nan


def _whole(cell: Any) -> int | None:
    return int(cell) if isinstance(cell, int | float) and math.isfinite(cell) else None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
