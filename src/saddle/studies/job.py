"""What a worker process of a study does: compute the cells that nobody else has taken, one after the other."""

import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from saddle._files import write_text
from saddle.errors import UserError
from saddle.runs import RunFolder, Stopped, stopping
from saddle.studies.stored_cells import cell_of, computed, write_cell

__all__ = ["FAILURE", "compute_cells"]

FAILURE = "failure.txt"


def compute_cells(
    *, package: str, root: str, runs: list[str], wait: bool, report: Callable[..., None]
) -> None:
    """Compute those of the run folders `runs` under `root` that are not computed and that no other process has.

    All workers of a study get the same list: the locks of the run folders divide it among them, and among any other
    saddle processes. With `wait`, cells of others are waited for. A cell that raises leaves `failure.txt` and the
    next one begins. `package` is the study's. Raises `Stopped` between two cells when a stop was asked for.
    """
    cells = import_module(f"{package}.cells")
    for number, name in enumerate(runs):
        if stopping():
            raise Stopped("stopped; the same command goes on with the cells that are left")
        folder = RunFolder.open(Path(root) / name)
        if computed(folder):
            continue
        lock = folder.wait_for_lock(give_up=stopping) if wait else folder.try_lock()
        if lock is None:
            continue
        with lock:
            # Asked again under the lock: another process may have just computed it.
            if computed(folder):
                continue
            report(number, len(runs), folder.config["cell"], run=name)
            _compute(cells, folder)


def _compute(cells: object, folder: RunFolder) -> None:
    failure = folder.path / FAILURE
    began = time.process_time()
    try:
        result = cells.compute(cell_of(folder))  # type: ignore[attr-defined]
    except Stopped:
        raise
    except UserError as error:
        write_text(failure, f"{error}\n")
    except Exception as error:
        # The whole traceback is for whoever reports the bug; the terminal shows its first line.
        last = traceback.format_exception_only(error)[-1].strip().splitlines()[0]
        write_text(failure, f"{last}\n\n{traceback.format_exc()}")
    else:
        write_cell(folder, result, seconds=time.process_time() - began)
        failure.unlink(missing_ok=True)
