"""What `saddle study run` and `saddle study report` print and write when they end."""

import sys
from collections.abc import Sequence
from pathlib import Path

from saddle.errors import UserError
from saddle.studies import study as known
from saddle.studies.carry_out import STUDY, Finished, StudyRun, read_study
from saddle.studies.claims_file import counted, terminal_table
from saddle.studies.pages import build_page, build_together

__all__ = ["finish_study", "report_studies"]

FAILED, INTERRUPTED = 1, 130


def finish_study(run: StudyRun, out: Path) -> int:
    """Print the claims, write the page, say what is missing, and return the exit code."""
    for name, message in run.failures.items():
        print(
            f"error: {name} failed: {message}; its traceback is in failure.txt in the cell's folder",
            file=sys.stderr,
        )
    for name, message in run.unmeasured.items():
        print(f"error: {name} failed: {message}; the same command tries again", file=sys.stderr)
    if run.interrupted:
        where = f"with {run.missing} cells missing" if run.missing else "while finished cells were measured"
        print(f"stopped {where}; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    if run.finished is None:
        print(f"error: {run.missing} cells are missing in {out}, so no claim was judged", file=sys.stderr)
        return FAILED
    print(terminal_table(run.finished.claims))
    page = build_page(run.finished)
    print(f"\n{page}: {counted(run.finished.claims)}")
    return FAILED if run.failures or run.unmeasured else 0


def report_studies(folders: Sequence[Path], out: Path | None) -> int:
    """Write one page of every study in `folders` and below them; print its path and the verdicts."""
    found = _studies(folders)
    studies: list[Finished] = []
    for folder in found:
        try:
            studies.append(read_study(folder))
        except UserError as error:
            # A study that was stopped must not hide the others, but one that was named must not be missing.
            if folder in folders or len(found) == 1:
                raise
            print(f"left out: {error}", file=sys.stderr)
    if not studies:
        raise UserError(f"none of the {len(found)} studies in {folders[0]} is finished; run them again.")
    order = [study.name for study in known.STUDIES]
    studies.sort(key=lambda study: order.index(study.study.name))
    if out is None and found == [folders[0]]:
        page = build_page(studies[0])
    else:
        page = build_together(studies, out or folders[0] / "studies.html")
    claims = [claim for study in studies for claim in study.claims]
    print(f"{page}: {counted(claims)}")
    return 0


def _studies(folders: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; name what was given to saddle study run as --out.")
        here = [folder] if (folder / STUDY).is_file() else sorted(p.parent for p in folder.glob(f"*/{STUDY}"))
        if not here:
            raise UserError(
                f"{folder} holds no study; run one with `saddle study run`, or name the folder of one."
            )
        found += here
    # A folder that was named twice is one study.
    return list({path.resolve(): path for path in found}.values())
