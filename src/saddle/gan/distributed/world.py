"""`World`: the processes that train one GAN together, and what they tell each other."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor
from torch import distributed as dist

from saddle.errors import UserError

__all__ = ["ALONE", "World", "add_up", "current"]


@final
@dataclass(frozen=True, kw_only=True)
class World:
    """This process's place among all of them; a world of one needs no `torch.distributed`.

    All processes call the same methods in the same order.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one process that writes files."""
        return self.rank == 0

    @property
    def part(self) -> tuple[int, int]:
        """`(process, processes)`, as `GanBatches` takes it."""
        return (self.rank, self.size)

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true in some process."""
        if self.size == 1:
            return flag
        found = torch.tensor([int(flag)])
        add_up(found)
        return bool(found[0])

    def from_first(self, make: Callable[[], Any]) -> Any:
        """What `make()` returns in the first process, in all of them: tensors, numbers, texts, lists, dictionaries."""
        if self.size == 1:
            return make()
        stored = _bytes(make()) if self.first else torch.empty(0, dtype=torch.uint8)
        length = torch.tensor([len(stored)])
        with others_needed():
            dist.broadcast(length, 0)
            if not self.first:
                stored = torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(stored, 0)
        return torch.load(io.BytesIO(stored.numpy().tobytes()), weights_only=True)


ALONE = World()


def current() -> World:
    """The world that this process has joined."""
    if dist.is_available() and dist.is_initialized():
        return World(rank=dist.get_rank(), size=dist.get_world_size())
    return ALONE


def add_up(tensor: Tensor) -> None:
    """Replace a contiguous `tensor` by its sum over all processes."""
    with others_needed():
        dist.all_reduce(tensor)


@contextmanager
def others_needed() -> Iterator[None]:
    """A `UserError` where another process is no longer there."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).partition("\n")[0].rpartition("] ")[2].partition(". ")[0][:160]
        raise UserError(
            f"Another process of this training has ended, and it cannot go on alone ({reason}); its message says why. "
            "The last checkpoint is whole: start the same command again to go on from there."
        ) from None


def _bytes(value: Any) -> Tensor:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)
