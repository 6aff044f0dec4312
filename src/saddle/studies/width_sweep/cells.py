"""The cells of a sweep: one run folder a width and seed, and which of them train together."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, final

from saddle._files import write_text
from saddle.data import Split
from saddle.errors import UserError
from saddle.gan.acceleration.execution import PLAIN, Execution
from saddle.gan.config import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.runs import RunFolder, canonical_json, config_hash

__all__ = ["Cell", "FleetRecord", "Widths", "family", "fleets", "identity", "record_fleet", "records"]

FORMAT = 1
"Raised when the same configuration would give other numbers: old runs are then no longer taken for new ones."
GAN_OPTIONS_OF_FORMAT_1 = frozenset((
    "arch", "latent", "norm_d", "spectral_norm", "loss", "gradient_penalty", "r1", "r2", "penalty_every", "critic_steps",
    "scheme", "lr_g", "lr_d", "beta1", "beta2", "ema", "batch", "precision",
))  # fmt: skip
"Those that stand in every identity. A later option stands there only where it is used: older runs keep their folders."
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
        "gan": _used(gan),
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


def _used(gan: GanConfig) -> dict[str, Any]:
    """The options of format 1, and those that came later and do not stand at their defaults."""
    defaults = {field.name: field.default for field in fields(gan)}
    return {
        name: value
        for name, value in asdict(gan).items()
        if name in GAN_OPTIONS_OF_FORMAT_1 or value != defaults[name]
    }


def family(config: Mapping[str, Any]) -> str:
    """Hash of everything but widths and seed: runs of one family can stand in one figure."""
    own = ("width", "width_g", "width_d", "seed")
    return config_hash({key: value for key, value in config.items() if key not in own})


@final
@dataclass(frozen=True)
class FleetRecord:
    """`fleet.json`: with whom, on how many threads and how computed a run began, which decides its kernels' rounding."""

    members: tuple[str, ...]
    threads: int
    execution: Execution = PLAIN


def fleets(cells: Sequence[Cell], *, steps: int, limit: int | None) -> list[list[Cell]]:
    """Group unfinished cells into fleets of one width each.

    Runs that have begun go on with everybody that they began with, named by the command or not, because its
    kernels' rounding is theirs; new ones of a width form fleets of at most `limit` seeds.
    """
    begun = records({cell.folder.path.parent for cell in cells})
    groups: dict[tuple[Widths, FleetRecord | None], dict[str, Cell]] = {}
    for cell in cells:
        if not cell.folder.finished(steps):
            record = begun.get(cell.key)
            mates = [cell] if record is None else [cell, *_mates(cell, record.members, steps)]
            groups.setdefault((cell.widths, record), {}).update({mate.key: mate for mate in mates})
    found = []
    for (_, record), group in groups.items():
        members = sorted(group.values(), key=lambda cell: cell.seed)
        size = len(members) if limit is None or record is not None else limit
        found += [members[start : start + size] for start in range(0, len(members), size)]
    return found


def _mates(cell: Cell, names: Sequence[str], steps: int) -> list[Cell]:
    """The other unfinished runs of the fleet that `cell` began in; what is no such run any more is left out."""
    found = []
    for name in names:
        try:
            folder = RunFolder.open(cell.folder.path.parent / name)
        except UserError:
            continue
        config, own = folder.config, cell.folder.config
        same = {**config, "seed": None} == {**own, "seed": None} and type(config.get("seed")) is int
        if name != cell.key and same and not folder.finished(steps):
            found.append(Cell(widths=cell.widths, seed=config["seed"], folder=folder))
    return found


def records(roots: Iterable[Path]) -> dict[str, FleetRecord]:
    """The fleet that every run in these folders began in: its own record's, or that of a mate which names it.

    The second is for a kill between the writing of two mates' records.
    """
    found = {path.parent.name: _read(path) for root in roots for path in sorted(root.glob(f"*/{FLEET}"))}
    own = {name: record for name, record in found.items() if record is not None and name in record.members}
    named = {name: record for record in own.values() for name in record.members}
    return named | own


def record_fleet(folders: Sequence[RunFolder], record: FleetRecord) -> None:
    """Write `record` into every one of `folders` that does not hold it. Call it with all locks held."""
    text = canonical_json(asdict(record))
    for folder in folders:
        assert folder.path.name in record.members, "a record is of the runs that it names"
        if _read(folder.path / FLEET) != record:
            write_text(folder.path / FLEET, text)


def _read(path: Path) -> FleetRecord | None:
    """A `fleet.json`; None where it is missing or damaged."""
    try:
        stored = json.loads(path.read_text())
        members, threads = stored["members"], stored["threads"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    good = isinstance(members, list) and all(isinstance(m, str) and Path(m).name == m for m in members)
    if not (good and type(threads) is int and threads > 0):
        return None
    # Without a record, or with one of another version, steps are computed as they always were.
    return FleetRecord(tuple(members), threads, Execution.read(stored.get("execution")) or PLAIN)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
