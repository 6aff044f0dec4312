"""Peak memory of training alone: scoring and sampling have their own peaks, which say nothing about a width."""

from contextlib import suppress
from pathlib import Path

import torch

from saddle.runs.machine import release_freed_memory

__all__ = ["TrainingMemory"]

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class TrainingMemory:
    """The largest memory from now until `stop`, in bytes.

    On a GPU what torch allocated on it; on a CPU the resident memory of the process, with torch itself and the
    images in it (Linux; 0 where the kernel does not tell).
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._stopped = device, False
        self.peak = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            self._stopped = not _reset_high_water()

    def look(self) -> None:
        """Note the peak so far."""
        if not self._stopped:
            self.peak = max(self.peak, self._read())

    def stop(self) -> None:
        """Note the peak, and no later one."""
        self.look()
        self._stopped = True

    def _read(self) -> int:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        with suppress(OSError):
            for line in STATUS.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0


def _reset_high_water() -> bool:
    """Set the process's high-water mark to the memory in use; False where the system does not let us."""
    release_freed_memory()
    try:
        CLEAR.write_text("5")  # proc(5), clear_refs
    except OSError:
        return False
    return True
