"""Joining the processes that `torchrun` started."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist

from saddle.errors import UserError
from saddle.gan.distributed.world import ALONE, World

__all__ = ["joined", "launched"]

PATIENCE = timedelta(hours=12)
"One process scores while the others wait; a process that dies is noticed by its closed connection."


def launched() -> bool:
    """Whether `torchrun`, or another launcher with its environment variables, started several processes."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """The world of these processes while the block lasts: gloo between CPUs, nccl between GPUs.

    On CUDA every process takes the GPU of its number on this machine (`LOCAL_RANK`). Raises `UserError` when the
    processes cannot find each other.
    """
    if not launched():
        yield ALONE
        return
    if device.type == "cuda":
        # A launcher that names no number on the machine has started all on this one.
        own, there = int(os.environ.get("LOCAL_RANK", os.environ["RANK"])), torch.cuda.device_count()
        if own >= there:
            raise UserError(
                f"Process {own + 1} of this machine has no GPU of its own: torch sees {there}; start at most {there} "
                "with --nproc-per-node, or train with --device cpu."
            )
        torch.cuda.set_device(own)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0][:160]
        raise UserError(
            f"The processes of this training did not find each other ({reason}); start them with torchrun, and see that "
            "MASTER_ADDR and MASTER_PORT can be reached."
        ) from None
    try:
        yield World(rank=dist.get_rank(), size=dist.get_world_size())
    finally:
        dist.destroy_process_group()
