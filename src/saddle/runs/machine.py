"""What a run ran on: versions and machine, for reports and result files."""

import ctypes
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["environment", "keep_freed_memory", "release_freed_memory", "usable_cores"]

PACKAGES = {"saddle": "saddle-minmax", "torch": "torch", "numpy": "numpy", "scipy": "scipy"}


def environment() -> dict[str, Any]:
    """Return versions, processor, cores and, when torch is already imported, its threads and GPU.

    Imports nothing heavy: versions come from the packages' metadata. A value that is not known is None.
    """
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None
    return {
        **{name: _version(package) for name, package in PACKAGES.items()},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads() if torch is not None else None,
        "gpu": gpu,
    }


def usable_cores() -> int:
    """Count the cores this process may use: its affinity, and a container's quota (cgroup v2), rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return min(cores, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return cores


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for its next tensors; returns whether that was possible (glibc only).

    By default glibc hands every freed block of more than 32 MiB back to the kernel, and takes it page by page
    when the next tensor is made; a training step on a CPU then spends a good part of its time in page faults.
    For programs, not for libraries: it changes the whole process for good.
    """
    trim_threshold, mmap_threshold = -1, -3
    try:
        libc = ctypes.CDLL("libc.so.6")
        return bool(libc.mallopt(mmap_threshold, 1 << 30) and libc.mallopt(trim_threshold, 2**31 - 1))
    except (OSError, AttributeError):
        return False


def release_freed_memory() -> None:
    """Give what is free back to the system once (glibc; elsewhere nothing happens)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str | None:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine() or None
