"""The table, the list of flagged files and the folder of the others. Nothing that is there is moved or deleted."""

import csv
import io
import os
import shutil
import tempfile
from pathlib import Path

from saddle._files import write_bytes, write_text
from saddle.errors import UserError
from saddle.studies.outliers.ranking import Named, Ranking

__all__ = ["HEADS", "check_clean", "check_list", "copy_clean", "write_list", "write_table", "write_text"]

HEADS = ("rank", "file", "score", "weight", "row_cost", "flagged")


def write_table(ranking: Ranking, path: Path) -> None:
    """Write the CSV, the least trusted image first; UTF-8, with undecodable bytes of names as `\\udcff`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADS)
    names = ranking.photos.files
    for place, i in enumerate(ranking.order, 1):
        writer.writerow(
            (
                place,
                names[i],
                f"{ranking.score[i]:.9g}",
                f"{ranking.weight[i]:.6g}",
                f"{ranking.row_cost[i]:.9g}",
                int(ranking.flagged[i]),
            )
        )
    write_bytes(path, text.getvalue().encode("utf-8", "backslashreplace"))


def check_list(photos: Named) -> None:
    """Raise `UserError` where a name cannot stand on one line."""
    broken = next((name for name in photos.images.names if "\n" in name), None)
    if broken is not None:
        raise UserError(
            f"{photos.source} holds a file whose name has a line break, {broken!r}, and --list writes one path a line; "
            "rename it, or use --clean."
        )


def write_list(ranking: Ranking, path: Path) -> None:
    """Write the paths of the flagged images, byte for byte, the least trusted first."""
    names = ranking.photos.files
    write_bytes(path, b"".join(os.fsencode(names[i]) + b"\n" for i in ranking.order if ranking.flagged[i]))


def check_clean(photos: Named, reference: Named | None, folder: Path) -> None:
    """Raise `UserError` where there are no files to copy, or the copy would lie among them or in the reference."""
    if not photos.of_files:
        raise UserError(
            f"--clean copies files, and the images of {photos.source} are no files of a folder; take the rows that are "
            "not flagged from the table instead."
        )
    for each in (photos, reference):
        if each is not None and folder.resolve().is_relative_to(Path(each.source).expanduser().resolve()):
            raise UserError(f"--clean {folder} lies inside {each.source}; name a folder beside it.")


def copy_clean(ranking: Ranking, folder: Path) -> None:
    """Copy the files that are not flagged; the folder is there whole or not at all."""
    root = Path(ranking.photos.source).expanduser()
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.absolute().parent))
    try:
        for name, flagged in zip(ranking.photos.images.names, ranking.flagged, strict=True):
            if not flagged:
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, temporary / name)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o777 & ~umask)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
