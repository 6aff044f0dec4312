"""The table of a sweep's folder: one row a width, seed, metric, split and step."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from saddle.runs import RunFolder, rebuild_table
from saddle.runs.table import TableFiles
from saddle.studies.width_sweep.cells import family

__all__ = ["COLUMNS", "collect_rows", "finish_tables"]

Row = dict[str, Any]

COLUMNS = (
    "width",
    "width_g",
    "width_d",
    "seed",
    "run",
    "metric",
    "split",
    "step",
    "value",
    "n_real",
    "n_fake",
    "floor",
    "status",
)


def finish_tables(folder: Path, collect: Callable[[], Sequence[Row]]) -> TableFiles:
    """Write `results.csv` and `results.parquet` from the run folders, one process at a time."""
    return rebuild_table(folder, collect, columns=COLUMNS)


def collect_rows(folder: Path) -> list[Row]:
    """Every score in the folder's runs, of the family that the last command named."""
    wanted = json.loads((folder / "sweep.json").read_text())["family"]
    rows: list[Row] = []
    for path in sorted(folder.glob("*/config.json")):
        run = RunFolder.open(path.parent)
        if run.config.get("kind") == "gan" and family(run.config) == wanted:
            rows += _rows(run)
    return rows


def _rows(run: RunFolder) -> list[Row]:
    result = run.result()
    common = {
        "width": run.config["width"],
        "width_g": run.config["width_g"],
        "width_d": run.config["width_d"],
        "seed": run.config["seed"],
        "run": run.path.name,
        "status": "unfinished" if result is None else result["status"],
    }
    return [
        common | score | {"step": row["step"]} for row in run.metrics() for score in row.get("scores", [])
    ]
