"""The cells of a sweep: one run folder a width and seed, and which of them train together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from saddle._files import write_text
from saddle.data import Split
from saddle.gan.config import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.runs import RunFolder, canonical_json, config_hash
from saddle.runs.textfiles import read_object

__all__ = ["Cell", "Widths", "family", "fleets", "identity", "record_fleet"]

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
    """What decides a run's numbers, and so its folder's name. The images count by content, not by path."""
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
            "weights": metrics.weights,
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

    Runs that have begun stay with the fleet that they began in (its rounding is theirs), at the step where they
    stand; new ones of a width form fleets of at most `limit` seeds.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.folder.finished(steps):
            continue
        result = cell.folder.result()
        begun = {"members": _recorded(cell), "step": None if result is None else result["step"]}
        groups.setdefault(canonical_json(asdict(cell.widths) | begun), []).append(cell)
    found = []
    for group in groups.values():
        size = len(group) if limit is None or _recorded(group[0]) else limit
        found += [group[start : start + size] for start in range(0, len(group), size)]
    return found


def record_fleet(cells: Sequence[Cell]) -> None:
    """Write down who trains with whom, before the first step."""
    for cell in cells:
        members = [other.key for other in cells]
        if members != _recorded(cell):
            write_text(cell.folder.path / FLEET, canonical_json({"members": members}))


def _recorded(cell: Cell) -> list[str]:
    path = Path(cell.folder.path / FLEET)
    if not path.exists():
        return []
    return list(read_object(path, limit=2**20, advice="Delete it.").get("members", []))
