"""The table of a sweep's folder: one row a width, seed, metric, split and step."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from saddle.errors import UserError
from saddle.runs import RunFolder, rebuild_table
from saddle.runs.table import TableFiles
from saddle.runs.textfiles import read_object
from saddle.studies.width_sweep.cells import family
from saddle.studies.width_sweep.extra_files import read_extra, read_settings
from saddle.studies.width_sweep.extras import divergence_name

__all__ = ["COLUMNS", "collect_rows", "finish_tables", "read_family"]

SWEEP_LIMIT = 2**24  # bytes

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


def read_family(folder: Path) -> str:
    """Which runs of the folder belong together, as its `sweep.json` says; `UserError` where it cannot be read."""
    path, advice = (
        folder / "sweep.json",
        "Run the same command again with this --out; it writes the file anew.",
    )
    found = read_object(path, limit=SWEEP_LIMIT, advice=advice).get("family")
    if not isinstance(found, str):
        raise UserError(f"{path} is damaged: it does not say which runs belong to the sweep. {advice}")
    return found


def collect_rows(folder: Path) -> list[Row]:
    """Every score in the folder's runs, of the family that the last command named."""
    wanted = read_family(folder)
    rows: list[Row] = []
    for path in sorted(folder.glob("*/config.json")):
        run = RunFolder.open(path.parent)
        if run.config.get("kind") == "gan" and family(run.config) == wanted:
            rows += _rows(run)
    return rows


def _divergence(run: RunFolder) -> list[Row]:
    """The neural network divergence, where it was measured; it has no floor of its own."""
    numbers, settings = read_extra(run.path, "nnd"), read_settings(run.path, "nnd")
    if (
        not numbers
        or not isinstance(numbers.get("value"), int | float)
        or type(settings.get("step")) is not int
    ):
        return []
    sizes = {name: numbers.get(name) for name in ("n_real", "n_fake")}
    name = divergence_name(settings)
    return [{"metric": name, "split": "test", "step": settings["step"], "value": numbers["value"], **sizes}]


def _rows(run: RunFolder) -> list[Row]:
    result, metrics = run.result(), run.metrics()
    try:
        common = {
            "width": run.config["width"],
            "width_g": run.config["width_g"],
            "width_d": run.config["width_d"],
            "seed": run.config["seed"],
            "run": run.path.name,
            "status": "unfinished" if result is None else result["status"],
        }
        scored = [
            common | score | {"step": row["step"]} for row in metrics for score in row.get("scores", [])
        ]
        return scored + [common | row for row in _divergence(run)]
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{run.path} is damaged: its files are not those of a run ({error}). Delete it, and run the same command "
            "again."
        ) from None
