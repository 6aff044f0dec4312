"""How much a run trusted each training image: a running mean of the weights that it gave it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from saddle._files import write_bytes
from saddle.errors import UserError

__all__ = ["TRUST", "RunningWeights", "StoredTrust", "read_trust", "write_trust"]

TRUST = "trust.npz"
DECAY = 0.9
"Of the running mean: the last ten visits count for two thirds of it."
LIMIT = 2**32  # bytes of a trust.npz that is read


@final
class RunningWeights:
    """For every member and training image, `m ← m + max(1/v, 1 − 0.9) (w − m)` at its `v`-th visit.

    That is the plain mean over the first ten visits, and then an exponential moving average over visits. An image that
    was never seen stands at 1. Everything stays on the device, and nothing waits for it.
    """

    def __init__(self, members: int, images: int, device: torch.device) -> None:
        self.mean = torch.ones(members, images, device=device)
        self.visits = torch.zeros(members, images, dtype=torch.int64, device=device)

    def update(self, index: Int64[Tensor, "members batch"], weights: Tensor) -> None:
        """Images `index` (all different in a row) were given these weights."""
        visits = self.visits.gather(1, index) + 1
        rate = visits.reciprocal().clamp_min(1 - DECAY)
        mean = self.mean.gather(1, index)
        self.mean.scatter_(1, index, mean + rate * (weights.float() - mean))
        self.visits.scatter_(1, index, visits)

    def member_state(self, member: int) -> dict[str, Tensor]:
        """What a checkpoint keeps of one member."""
        return {"trust": self.mean[member].cpu(), "visits": self.visits[member].cpu()}

    def load(self, states: list[Mapping[str, Tensor]]) -> None:
        """Go on from these `member_state`s; those of another form are a `UserError`."""
        for name, target in (("trust", self.mean), ("visits", self.visits)):
            for member, state in enumerate(states):
                found = state.get(name)
                if found is None or found.shape != target[member].shape or found.dtype != target.dtype:
                    raise UserError(
                        "A checkpoint's running weights of the training images are missing or of another form; delete "
                        "it to train the run from its beginning."
                    )
                target[member] = found.to(target.device)


@final
@dataclass(frozen=True, kw_only=True)
class StoredTrust:
    """`trust.npz` of a run."""

    step: int
    weights: Float32[np.ndarray, " n"]
    "Running mean of every training image's weight; 1 where it was never seen."
    visits: Int64[np.ndarray, " n"]
    "How often each was seen by the discriminator."
    final: Float32[np.ndarray, " n"] | None = None
    "Weights of the whole training set at once under the last discriminator; None before the end of the run."


def write_trust(path: Path, trust: StoredTrust) -> None:
    """Write it whole or not at all; arrays only, no pickle."""
    arrays: dict[str, Any] = {"step": np.int64(trust.step), "weights": trust.weights, "visits": trust.visits}
    if trust.final is not None:
        arrays["final"] = trust.final
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def read_trust(path: Path, images: int | None = None) -> StoredTrust | None:
    """A run's `trust.npz`; None where it is missing, damaged, or not of as many images."""
    try:
        if path.stat().st_size > LIMIT:
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = {name: stored[name] for name in ("step", "weights", "visits", "final") if name in stored}
        n = len(found["weights"]) if images is None else images
        weights, visits = found["weights"].astype(np.float32), found["visits"].astype(np.int64)
        final = found["final"].astype(np.float32) if "final" in found else None
        if any(array is not None and array.shape != (n,) for array in (weights, visits, final)):
            return None
        return StoredTrust(step=int(found["step"]), weights=weights, visits=visits, final=final)
    except Exception:  # whatever a hostile archive can do to a reader
        return None
