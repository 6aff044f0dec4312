"""The run folder of a cell: its settings, then its arrays, then its numbers.

<out>/<hash>/config.json   study, version, name and settings
             arrays.npz    the arrays, no pickle
             result.json   the numbers; written last, so that its presence means: computed
"""

import io
import zipfile
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from saddle._files import write_bytes
from saddle.errors import UserError
from saddle.runs import RunFolder, environment
from saddle.runs.textfiles import explained
from saddle.studies.cell import Cell, CellResult
from saddle.studies.study import Study

__all__ = ["cell_of", "computed", "folder_of", "identity", "read_cell", "write_cell"]

FORMAT = 1
ARRAYS = "arrays.npz"
ARRAYS_LIMIT = 2**31  # bytes


def identity(study: Study, cells: ModuleType, cell: Cell) -> dict[str, Any]:
    """What decides a cell's numbers, and so its folder's name."""
    return {
        "format": FORMAT,
        "kind": "study",
        "study": study.name,
        "version": cells.VERSION,
        "cell": cell.name,
        "settings": dict(cell.settings),
    }


def folder_of(out: Path, study: Study, cells: ModuleType, cell: Cell) -> RunFolder:
    """Make, or find again, the folder of a cell."""
    return RunFolder.create(out, identity(study, cells, cell))


def cell_of(folder: RunFolder) -> Cell:
    """The cell that a folder belongs to."""
    return Cell(name=folder.config["cell"], settings=folder.config["settings"], out=folder.path.parent)


def computed(folder: RunFolder) -> bool:
    """Whether the cell's numbers are there."""
    return folder.result() is not None


def write_cell(folder: RunFolder, result: CellResult, *, seconds: float) -> None:
    """Store what a cell computed. Call it with the folder's lock held."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, allow_pickle=False, **{name: np.asarray(a) for name, a in result.arrays.items()}
    )  # type: ignore[arg-type]
    with explained("write", folder.path / ARRAYS):
        write_bytes(folder.path / ARRAYS, buffer.getvalue())
    folder.write_result(
        {
            "status": "done",
            "step": 1,
            "numbers": dict(result.numbers),
            "seconds": seconds,
            "environment": environment(),
        }
    )


def read_cell(folder: RunFolder) -> CellResult:
    """Read what a cell computed; `UserError` when it is damaged or not there."""
    stored = folder.result()
    advice = f"Delete {folder.path}, and run the same command again."
    if stored is None:
        raise UserError(f"{folder.path} has no result yet. Run the same command again to compute it.")
    numbers = stored.get("numbers")
    if not isinstance(numbers, dict):
        raise UserError(f"{folder.path / 'result.json'} is damaged: it holds no numbers. {advice}")
    file = folder.path / ARRAYS
    try:
        if file.stat().st_size > ARRAYS_LIMIT:
            raise ValueError(f"it is larger than {ARRAYS_LIMIT} bytes")
        with file.open("rb") as stream:
            found = np.load(stream, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it is no archive of arrays")
            arrays = {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{file} is damaged: {error}. {advice}") from error
    return CellResult(numbers=numbers, arrays=arrays)
