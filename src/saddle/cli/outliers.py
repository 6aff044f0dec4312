"""`saddle outliers`: which images do not belong."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, final

import tyro

from saddle.cli.parse import parse
from saddle.errors import UserError

__all__ = ["OutliersConfig", "command"]


@final
@dataclass(frozen=True, kw_only=True)
class OutliersConfig:
    """Rank images by how little they belong to a clean set; writes a table and a page of the worst beside it."""

    photos: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PHOTOS")]
    """Images to rank: anything that `saddle sweep --data` takes (of train and test parts, the training part)."""
    reference: str | None = None
    """Clean images of the same kind, likewise; without it, the densest part of the images themselves."""
    contamination: float = 0.05
    """Share of the images that do not belong: so many are flagged, and it sets how much weight may be taken away."""
    out: Path = Path("ranking.csv")
    """The table to write, with a page of the same name and the ending .html beside it."""
    list: Path | None = None
    """Also write the paths of the flagged images into this file, one a line, for `xargs -d '\\n'` and the like."""
    clean: Path | None = None
    """Also copy the files that are not flagged into this new folder, sub-folders kept; nothing is moved or deleted."""
    features: str = "auto"
    """What images are compared by: as `saddle sweep --features` (auto: efficientnet-lite0 for colour, random for grey)."""
    weights: str | None = None
    """Path of the Inception weights (.safetensors, or a state dict saved by torch)."""
    max_size: int = 1000
    """Most images a side in the transport problem; more are drawn down to so many, and all are scored by its potential."""
    resize: int | None = None
    """Crop every image to its middle square and scale it to this many pixels a side."""
    channels: Literal[1, 3] | None = None
    """1 makes every image grey, 3 makes it RGB."""
    limit: int | None = None
    """Use only this many images of each set, drawn at random but always the same ones."""
    skip_bad: bool = False
    """Leave out files that cannot be used, instead of stopping; says how many."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute features."""
    overwrite: bool = False
    """Replace files that exist already (never a folder)."""
    json: bool = False
    """Print one JSON object instead of a table."""

    def __post_init__(self) -> None:
        if not 0 < self.contamination <= 0.5:
            raise UserError(
                f"--contamination is {self.contamination:g}; it is the share of images that do not belong, above 0 and "
                "at most 0.5 (0.05 is 5 %)."
            )
        if self.max_size < 2:
            raise UserError(f"--max-size is {self.max_size}; it must be at least 2.")
        if not self.out.name:
            raise UserError("--out names no file; give a name such as ranking.csv.")
        if self.out.suffix.lower() in (".html", ".htm"):
            raise UserError(
                f"--out {self.out} names the page; name the table, {self.out.with_suffix('.csv')} say, and the page "
                "is written beside it."
            )
        # What is read is not to be written over either, whatever --overwrite says.
        taken = {Path(self.photos).expanduser().resolve(): "PHOTOS"}
        if self.reference is not None:
            taken.setdefault(Path(self.reference).expanduser().resolve(), "--reference")
        for option, path in (
            ("--out", self.out),
            ("the page beside --out", self.page),
            ("--list", self.list),
            ("--clean", self.clean),
        ):
            if path is not None:
                self._check_target(option, path, taken)

    def _check_target(self, option: str, path: Path, taken: dict[Path, str]) -> None:
        """Raise `UserError` where `path` is taken, by a file or by an entry of `taken`, or cannot be written."""
        if path.is_dir():
            raise UserError(f"{option} {path} exists already, as a folder; choose another name.")
        if path.exists() and (option == "--clean" or not self.overwrite):
            more = "name a folder that is not there yet" if option == "--clean" else "or add --overwrite"
            raise UserError(f"{option} {path} exists already; choose another name, {more}.")
        if not path.absolute().parent.is_dir():
            raise UserError(
                f"{option} {path} lies in a folder that does not exist; make {path.parent} first."
            )
        if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
            raise UserError(
                f"{option} {path} lies in a folder that you may not write to; choose another place."
            )
        whole = path.resolve()
        if whole in taken:
            raise UserError(f"{taken[whole]} and {option} are both {path}; give each a name of its own.")
        taken[whole] = option

    @property
    def page(self) -> Path:
        """Where the page goes."""
        return self.out.with_suffix(".html")


def command(words: Sequence[str]) -> int:
    """Rank, write, and print the worst and the path of the page."""
    config = parse(OutliersConfig, words, name="outliers")
    from saddle.report import require_packages

    require_packages()
    from saddle.studies.outliers import files
    from saddle.studies.outliers.page import page_of
    from saddle.studies.outliers.ranking import rank, read_pair
    from saddle.studies.outliers.text import as_text, summary

    photos, reference = read_pair(
        config.photos,
        config.reference,
        resize=config.resize,
        channels=config.channels,
        limit=config.limit,
        skip_bad=config.skip_bad,
    )
    if config.list is not None:
        files.check_list(photos)
    if config.clean is not None:
        files.check_clean(photos, reference, config.clean)
    ranking = rank(
        photos,
        reference,
        contamination=config.contamination,
        features=config.features,
        weights=config.weights,
        max_size=config.max_size,
        device=config.device,
        say=lambda text: print(text, file=sys.stderr),
    )
    page = page_of(ranking).render()
    files.write_table(ranking, config.out)
    files.write_text(config.page, page)
    if config.list is not None:
        files.write_list(ranking, config.list)
    if config.clean is not None:
        files.copy_clean(ranking, config.clean)
    if config.json:
        print(json.dumps(summary(ranking, table=config.out, page=config.page), indent=2))
        return 0
    print(as_text(ranking))
    for path in (config.list, config.clean, config.out, config.page):
        if path is not None:
            print(path)
    return 0
