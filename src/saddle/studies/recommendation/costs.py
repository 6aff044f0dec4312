"""The measured costs of a sweep's networks, kept in its folder so that asking again takes no time."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import torch

from saddle._files import write_text
from saddle.runs.hashing import config_hash
from saddle.runs.machine import environment
from saddle.runs.textfiles import explained, read_object
from saddle.studies.recommendation.cost_model import CostCurve, Measured
from saddle.studies.recommendation.evidence import Networks
from saddle.studies.recommendation.measure import KINDS, Kind, WidthCosts, clock_of, measure

__all__ = ["COSTS", "Costs", "known_costs", "widths_to_measure"]

COSTS = "costs.json"
LIMIT = 2**24  # bytes
VERSION = 1
MOST = 10
"Widths that are measured at most: the curve serves the others."


@final
@dataclass(frozen=True, kw_only=True)
class Costs:
    """What every measured width costs, and under which conditions."""

    by_width: Mapping[int, WidthCosts]
    conditions: Mapping[str, Any]
    cached: bool
    "Whether they were measured by an earlier command."

    def curve(self, kind: Kind) -> CostCurve:
        """Return cost against width."""
        return CostCurve(points={k: each.milliseconds[kind] for k, each in self.by_width.items()})


def known_costs(
    folder: Path,
    networks: Networks,
    widths: Sequence[int],
    *,
    device: torch.device,
    trained: Sequence[int] = (),
    threads: int = 1,
    again: bool = False,
    seconds: float | int = 10,
) -> Costs:
    """Return the costs that `costs.json` holds for this machine and these networks, or measure and keep them.

    The file has one entry a machine (processor, cores, system, torch, device, threads) and configuration; a damaged
    one is measured anew. It is replaced whole.
    """
    with _threads(threads):
        conditions = _conditions(device)
        key = config_hash({"conditions": conditions, "networks": _described(networks)})
        path = folder / COSTS
        entries = _entries(path)
        if not again:
            found = _parsed(entries.get(key), [*trained, max(widths)])
            if found is not None:
                return Costs(by_width=found, conditions=conditions, cached=True)
        found = measure(networks, widths, device=device, seconds=seconds)
    entries = _entries(path) | {key: _entry(networks, conditions, widths, found)}
    with explained("write", path):
        write_text(
            path, json.dumps({"version": VERSION, "entries": entries}, indent=1, allow_nan=False) + "\n"
        )
    return Costs(by_width=found, conditions=conditions, cached=False)


def widths_to_measure(trained: Sequence[int], candidates: Sequence[int]) -> tuple[int, ...]:
    """Return the trained widths, the largest candidate, and others where the gaps are widest, up to `MOST`."""
    every = sorted({*trained, *candidates})
    chosen = {*trained, every[0], every[-1]}
    while len(chosen) < min(MOST, len(every)):
        left = [k for k in every if k not in chosen]
        chosen.add(max(left, key=lambda k: min(abs(math.log(k / other)) for other in chosen)))
    return tuple(sorted(chosen))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _conditions(device: torch.device) -> dict[str, Any]:
    machine = environment()
    kept = {name: machine[name] for name in ("cpu", "cores", "platform", "torch", "threads")}
    on_gpu = device.type == "cuda"
    return kept | {
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "clock": clock_of(device),
    }


def _described(networks: Networks) -> dict[str, Any]:
    return {**asdict(networks), "gan": asdict(networks.gan)}


def _entry(
    networks: Networks,
    conditions: Mapping[str, Any],
    asked: Sequence[int],
    found: Mapping[int, WidthCosts],
) -> dict[str, Any]:
    return {
        "conditions": dict(conditions),
        "networks": _described(networks),
        "asked": sorted(asked),
        "widths": {str(width): asdict(costs) for width, costs in found.items()},
    }


def _entries(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        stored = read_object(path, limit=LIMIT, advice="")
    except ValueError:
        return {}
    entries = stored.get("entries")
    return entries if stored.get("version") == VERSION and isinstance(entries, dict) else {}


def _parsed(entry: Any, widths: Sequence[int]) -> dict[int, WidthCosts] | None:
    """Read an entry that was asked for all of `widths`; None where it was not, or is not whole."""
    try:
        if not set(widths) <= set(entry["asked"]):
            return None
        found = {int(width): _width_costs(stored) for width, stored in entry["widths"].items()}
        return found if found and min(found) >= 1 else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _width_costs(stored: Any) -> WidthCosts:
    milliseconds: dict[Kind, Measured] = {}
    memory: dict[Kind, int] = {}
    for kind in KINDS:
        numbers = stored["milliseconds"][kind]
        median, low, high = (float(numbers[name]) for name in ("median", "low", "high"))
        rounds, peak = numbers["rounds"], stored["memory"][kind]
        if not (0 < low <= median <= high < math.inf and type(rounds) is int and rounds > 0):
            raise ValueError(f"{kind} is no cost")
        if type(peak) is not int or peak < 0:
            raise ValueError(f"{kind} has no memory")
        milliseconds[kind] = Measured(median=median, low=low, high=high, rounds=rounds)
        memory[kind] = peak
    return WidthCosts(milliseconds=milliseconds, memory=memory)
