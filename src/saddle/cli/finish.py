"""What `sweep` and `train` print when they end."""

import sys

from saddle.runs import RunFolder
from saddle.studies.width_sweep.report import build_report
from saddle.studies.width_sweep.sweep import SweepOutcome

__all__ = ["finish", "print_scores"]

FAILED, INTERRUPTED = 1, 130


def finish(outcome: SweepOutcome) -> int:
    """Write the report, say what went wrong, print the report's path last, and return the exit code."""
    report = build_report(outcome.folder)
    for note in outcome.notes:
        print(note, file=sys.stderr)
    diverged = [cell for cell in outcome.cells if _status(cell.folder) == "diverged"]
    for cell in diverged:
        result = cell.folder.result() or {}
        print(
            f"width {cell.widths.width}, seed {cell.seed} diverged: {result.get('message', '')}",
            file=sys.stderr,
        )
    for key, message in outcome.failures.items():
        print(
            f"error: {key} failed: {message}; its traceback is in failure.txt in the run's folder",
            file=sys.stderr,
        )
    for key, message in outcome.extras.failures.items():
        print(f"error: {key} failed: {message}", file=sys.stderr)
    if outcome.interrupted:
        print("stopped; the same command goes on from here", file=sys.stderr)
    unfinished = sum(_status(cell.folder) is None for cell in outcome.cells)
    if unfinished and not outcome.interrupted and not outcome.failures:
        print(
            f"{unfinished} runs are being trained by another saddle process; `saddle report {outcome.folder}` "
            "writes the report again when it has finished",
            file=sys.stderr,
        )
    print(report)
    if outcome.interrupted:
        return INTERRUPTED
    return FAILED if outcome.failures or outcome.extras.failures else 0


def print_scores(outcome: SweepOutcome) -> None:
    """Print the last scores of every run that has some."""
    for cell in outcome.cells:
        scored = [row for row in cell.folder.metrics() if row.get("scores")]
        if not scored:
            continue
        print(f"{cell.folder.path}  step {scored[-1]['step']}")
        for score in scored[-1]["scores"]:
            print(
                f"  {score['metric']:30} {score['split']:5} {score['value']:10.4g}   real vs real "
                f"{score['floor']:10.4g}   n = {score['n_fake']} against {score['n_real']}"
            )
        share = (cell.folder.result() or {}).get("probe_share")
        if share:
            print(f"  probes took {100 * share:.1f} % of the training time, beside it")


def _status(folder: RunFolder) -> str | None:
    result = folder.result()
    return None if result is None else result["status"]
