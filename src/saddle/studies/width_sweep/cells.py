"""The cells of a sweep: one run folder a width and seed, and which of them train together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from saddle._files import write_text
from saddle.data import Split
from saddle.gan.config import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.runs import RunFolder, canonical_json, config_hash

__all__ = ["Cell", "FleetRecord", "Widths", "family", "fleets", "identity", "record_fleet", "recorded"]

FORMAT = 1
"Raised when the same configuration would give other numbers: old runs are then no longer taken for new ones."
FLEET = "fleet.json"


@final
@dataclass(frozen=True, kw_only=True)
class Widths:
    """One point of the sweep: the swept width and what it makes of each network."""

    width: int
    generator: int
    discriminator: int


@final
@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run: a width and a seed."""

    widths: Widths
    seed: int
    folder: RunFolder

    @property
    def key(self) -> str:
        return self.folder.path.name

    @property
    def family(self) -> str:
        return family(self.folder.config)


def identity(
    widths: Widths, seed: int, *, split: Split, gan: GanConfig, metrics: MetricsConfig, samples: int
) -> dict[str, Any]:
    """What decides a run's numbers, and so its folder's name. Images and weights count by content, not by path."""
    return {
        "format": FORMAT,
        "kind": "gan",
        "data": {
            "train": split.train.digest,
            "test": split.test.digest,
            "size": split.train.size,
            "channels": split.train.channels,
        },
        "gan": asdict(gan),
        "metrics": {
            "features": metrics.features,
            "weights": None if metrics.weights is None else _digest(Path(metrics.weights)),
            "samples": samples,
            "neighbours": metrics.neighbours,
        },
        "width": widths.width,
        "width_g": widths.generator,
        "width_d": widths.discriminator,
        "seed": seed,
    }


def family(config: Mapping[str, Any]) -> str:
    """Hash of everything but widths and seed: runs of one family can stand in one figure."""
    own = ("width", "width_g", "width_d", "seed")
    return config_hash({key: value for key, value in config.items() if key not in own})


def fleets(cells: Sequence[Cell], *, steps: int, limit: int | None) -> list[list[Cell]]:
    """Group unfinished cells into fleets of one width each.

    Runs that have begun go on with everybody that they began with, named by the command or not, because its
    kernels' rounding is theirs; new ones of a width form fleets of at most `limit` seeds.
    """
    groups: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        if cell.folder.finished(steps):
            continue
        record = recorded(cell.folder)
        mates = [cell] if record is None else [cell, *_mates(cell, record.members, steps)]
        group = groups.setdefault(
            canonical_json({"widths": asdict(cell.widths), "begun": record and record.members}), {}
        )
        group |= {mate.key: mate for mate in mates}
    found = []
    for group in groups.values():
        members = sorted(group.values(), key=lambda cell: cell.seed)
        size = len(members) if limit is None or recorded(members[0].folder) is not None else limit
        found += [members[start : start + size] for start in range(0, len(members), size)]
    return found


def _mates(cell: Cell, names: Sequence[str], steps: int) -> list[Cell]:
    """The other unfinished runs of the fleet that `cell` began in."""
    folders = [cell.folder.path.parent / name for name in names if name != cell.key]
    opened = [RunFolder.open(folder) for folder in folders if (folder / "config.json").is_file()]
    return [
        Cell(widths=cell.widths, seed=folder.config["seed"], folder=folder)
        for folder in opened
        if not folder.finished(steps)
    ]


@final
@dataclass(frozen=True, kw_only=True)
class FleetRecord:
    """`fleet.json`: with whom and on how many threads a run began, which decides the rounding of its kernels."""

    members: list[str]
    threads: int


def record_fleet(folders: Sequence[RunFolder], threads: int) -> FleetRecord:
    """What the runs began with: the record of the first that has one, else this fleet, written down for all.

    Call it with all locks held.
    """
    known = [record for record in map(recorded, folders) if record is not None]
    record = known[0] if known else FleetRecord(members=[f.path.name for f in folders], threads=threads)
    for folder in folders:
        if recorded(folder) is None:
            write_text(folder.path / FLEET, canonical_json(asdict(record)))
    return record


def recorded(folder: RunFolder) -> FleetRecord | None:
    """The run's `fleet.json`; None where it has not begun, or where the file is damaged."""
    try:
        stored = json.loads((folder.path / FLEET).read_text())
        members, threads = stored["members"], stored["threads"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    good = isinstance(members, list) and all(isinstance(m, str) and Path(m).name == m for m in members)
    return (
        FleetRecord(members=members, threads=threads)
        if good and type(threads) is int and threads > 0
        else None
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
