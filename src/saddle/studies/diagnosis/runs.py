"""Which runs a folder holds, and what is found in each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from saddle.errors import UserError
from saddle.runs import RunFolder
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.judge import diagnose
from saddle.studies.diagnosis.reading import Examined, examine
from saddle.studies.width_sweep.reading import read_sweep

__all__ = ["Diagnosed", "diagnose_run", "runs_in"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Diagnosed:
    """A run and what was found in it."""

    folder: Path
    examined: Examined
    findings: tuple[Finding, ...]

    @property
    def label(self) -> str:
        """Width and seed, as tables name a run."""
        config = self.examined.config
        widths = [config.get(key) for key in ("width_g", "width_d")]
        width = f"{widths[0]}" if widths[0] == widths[1] else f"G {widths[0]}, D {widths[1]}"
        return f"width {width}, seed {config.get('seed')}"

    @property
    def found(self) -> tuple[Finding, ...]:
        """The failures that were found."""
        return tuple(finding for finding in self.findings if finding.present)


def runs_in(folder: Path) -> list[Path]:
    """The run folder itself, or the GAN runs of the sweep in it (of its last command's family).

    Raises:
        UserError: there is no such folder, or no run of a GAN in it.
    """
    if not folder.is_dir():
        raise UserError(
            f"{folder} is no folder; name a run folder, or what was given to saddle sweep as --out."
        )
    if (folder / "config.json").is_file():
        return [folder]
    if (folder / "sweep.json").is_file():
        found = [run.folder for run in read_sweep(folder).runs]
    else:
        found = list(_runs_below(folder))
    if not found:
        raise UserError(
            f"{folder} holds no run of a GAN; name a run folder of saddle train or saddle sweep, or a sweep's folder."
        )
    return found


def diagnose_run(folder: Path, *, spectrum: bool | None = None) -> Diagnosed:
    """Read one run and look for every failure. Raises `UserError` where it cannot be read."""
    examined = examine(folder, spectrum=spectrum)
    return Diagnosed(folder=folder, examined=examined, findings=diagnose(examined.evidence))


def _runs_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*/config.json")):
        try:
            if RunFolder.open(path.parent).config.get("kind") == "gan":
                yield path.parent
        except UserError:
            continue  # of something else
