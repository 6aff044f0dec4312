"""Checkpoints of a fleet: one file a member, all of one step or none."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saddle._files import replacing
from saddle.errors import UserError

__all__ = [
    "CHECKPOINT",
    "Payload",
    "global_randomness",
    "read_checkpoint",
    "read_fleet",
    "restore_randomness",
    "write_fleet",
]

CHECKPOINT = "checkpoint.pt"
NEXT = "checkpoint.next.pt"
FORMAT = 1

Payload = dict[str, Any]
"""One member: `format`, `fleet`, `step`, `state`, `memory`, `average`, `streams`, `randomness` and `clock`."""


def write_fleet(folders: Sequence[Path], payloads: Sequence[Payload]) -> None:
    """Write every member's checkpoint so that a kill at any moment leaves one step that all of them have.

    First all new files under a second name, then all renames: before the last new file is whole, everybody
    still has the old step; after it, `read_fleet` finishes the renames that are missing. Each file names the
    fleet that it was written with.
    """
    names = [folder.name for folder in folders]
    for folder, payload in zip(folders, payloads, strict=True):
        with replacing(folder / NEXT) as temporary:
            torch.save({"format": FORMAT, "fleet": names} | payload, temporary)
    for folder in folders:
        (folder / NEXT).replace(folder / CHECKPOINT)


def read_fleet(folders: Sequence[Path]) -> list[Payload | None]:
    """Each member's checkpoint (None: it has none yet), after finishing an interrupted `write_fleet`.

    A pending file is taken where everybody of the fleet that it was written with has its step, in a pending file
    or already in place, and dropped otherwise.
    """
    for folder in folders:
        pending = _read_if_there(folder / NEXT)
        if pending is None:
            continue
        if all(_has_step(folder.parent / name, pending["step"]) for name in pending["fleet"]):
            (folder / NEXT).replace(folder / CHECKPOINT)
        else:
            (folder / NEXT).unlink()
    return [_read_if_there(folder / CHECKPOINT) for folder in folders]


def _has_step(folder: Path, step: int) -> bool:
    found = (_read_if_there(folder / name) for name in (CHECKPOINT, NEXT))
    return any(payload is not None and payload["step"] == step for payload in found)


def fleet_steps(folders: Sequence[Path]) -> list[int]:
    """The step at which each member stands (0: it has no checkpoint)."""
    return [0 if payload is None else payload["step"] for payload in read_fleet(folders)]


def read_checkpoint(path: Path) -> Payload:
    """Read one checkpoint without unpickling code (`weights_only`); a `UserError` says why it cannot be read."""
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist; train first, or name the folder of a run that has begun."
        ) from None
    except Exception as error:
        reason = str(error).partition("\n")[0][:200]
        raise UserError(
            f"{path} cannot be read as a checkpoint ({reason}); delete it to train this run from its beginning."
        ) from None
    if not _well_formed(payload):
        raise UserError(
            f"{path} is no checkpoint of this version of Saddle, or a damaged one; delete it to train this run again."
        )
    return payload


def _well_formed(payload: Any) -> bool:
    """Whether every part is there and of its type: a checkpoint may come from anywhere."""
    if not isinstance(payload, dict) or payload.get("format") != FORMAT:
        return False
    step, names = payload.get("step"), payload.get("fleet")
    parts = [payload.get(part) for part in ("state", "memory", "average", "streams")]
    return (
        type(step) is int
        and step >= 0
        and isinstance(names, list)
        and all(isinstance(name, str) and Path(name).name == name for name in names)
        and all(map(_is_state, parts))
        and isinstance(payload.get("randomness"), dict)
        and {"torch", "numpy", "python"} <= payload["randomness"].keys()
        and _has_numbers(payload.get("clock"), "seconds", "timed")
        and {"order", "noise", "cursor"} <= payload["streams"].keys()
    )


def _is_state(part: Any) -> bool:
    return isinstance(part, dict) and all(
        isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided and tensor.device.type == "cpu"
        for tensor in part.values()
    )


def _has_numbers(part: Any, *names: str) -> bool:
    return isinstance(part, dict) and all(type(part.get(name)) in (int, float) for name in names)


def global_randomness() -> Payload:
    """States of the generators that Saddle does not use itself, but that a user's own callable may."""
    words: Any = np.random.get_state(legacy=True)  # noqa: NPY002
    kind, keys, position, has_gauss, gauss = words
    version, internal, following = random.getstate()
    state: Payload = {
        "torch": torch.get_rng_state(),
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "python": [version, list(internal), following],
    }
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_randomness(state: Payload) -> None:
    """Undo whatever happened to the global generators since `global_randomness`."""
    torch.set_rng_state(state["torch"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    version, internal, following = state["python"]
    random.setstate((version, tuple(internal), following))
    if "cuda" in state and torch.cuda.is_initialized() and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all(state["cuda"])


def _read_if_there(path: Path) -> Payload | None:
    return read_checkpoint(path) if path.exists() else None
