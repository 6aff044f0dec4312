"""How much memory is free, asked before anything large is allocated."""

import os
from pathlib import Path

from saddle.errors import UserError

__all__ = ["SHARE", "available_memory", "check_memory"]

SHARE = 0.8
"The largest share of the free memory that one set of images may take."


def available_memory() -> int:
    """Bytes that can be allocated: what the system has free, within the control group's limit if there is one."""
    free = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else [2**33]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        pass  # Not Linux: the physical memory is the bound.
    try:
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        free.append(max(0, limit - int((group / "memory.current").read_text())))
    except (OSError, ValueError):
        pass  # No control group, or "max".
    return min(free)


def check_memory(needed: int, where: str, what: str) -> None:
    """Raise `UserError` where `needed` bytes are more than `SHARE` of the free memory."""
    free = available_memory()
    if needed > SHARE * free:
        raise UserError(
            f"{where} needs {binary_size(needed)} of memory for {what}, and only {binary_size(free)} are free (Saddle "
            f"takes at most {SHARE:.0%} of it). Pass --limit for fewer images or a smaller --resize."
        )


def binary_size(n: int) -> str:
    return f"{n / 2**30:.1f} GiB" if n >= 2**30 else f"{n / 2**20:.1f} MiB"
