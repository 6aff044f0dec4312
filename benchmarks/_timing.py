"""Interleaved timing: variants run alternately in one process, so that a busy machine slows all of them alike."""

import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one variant, one entry a round."""

    wall: list[float]
    cpu: list[float]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The median of paired ratios and an interval for it."""

    median: float
    low: float
    high: float
    confidence: float
    "That the interval holds the true median, without assumptions on the distribution."
    rounds: int

    def __str__(self) -> str:
        return f"{self.median:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def interleave(
    variants: Mapping[str, Callable[[], Any]], *, rounds: int, warmup: int = 0
) -> tuple[dict[str, Timing], dict[str, Any]]:
    """Run every variant once a round, in turn, reversing the order every other round; return timings and last values."""
    for _ in range(warmup):
        for run in variants.values():
            run()
    wall: dict[str, list[float]] = {name: [] for name in variants}
    cpu: dict[str, list[float]] = {name: [] for name in variants}
    values: dict[str, Any] = {}
    for index in range(rounds):
        for name in list(variants)[:: -1 if index % 2 else 1]:
            began, spent = time.perf_counter(), time.process_time()
            values[name] = variants[name]()
            wall[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - spent)
    return {name: Timing(wall=wall[name], cpu=cpu[name]) for name in variants}, values


def ratio(slow: Sequence[float], fast: Sequence[float], *, confidence: float = 0.95) -> Ratio:
    """Return the median of slow/fast round by round, between order statistics.

    The j-th smallest and j-th largest of n hold the median with probability 1 - 2 P(Binomial(n, ½) < j); the largest
    j that reaches `confidence` is used, or the whole range where none does (3 rounds: 75 %).
    """
    ratios = sorted(a / b for a, b in zip(slow, fast, strict=True))
    count, chosen = len(ratios), 1

    def holds(j: int) -> float:
        return 1 - 2 * sum(math.comb(count, i) for i in range(j)) / 2**count

    while chosen + 1 <= count // 2 and holds(chosen + 1) >= confidence:
        chosen += 1
    return Ratio(
        median=statistics.median(ratios),
        low=ratios[chosen - 1],
        high=ratios[-chosen],
        confidence=max(holds(chosen), 0.0),
        rounds=count,
    )


def record(name: str, command: str, findings: Mapping[str, Any]) -> Path:
    """Write `results/<name>.json`: the command, the findings, and what they were measured with."""
    versions = {package: version(package) for package in ("torch", "numpy", "scipy")}
    machine = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
    }
    content = {
        "command": command,
        "python": platform.python_version(),
        "versions": versions,
        "machine": machine,
        **{
            key: asdict(value) if isinstance(value, Timing | Ratio) else value
            for key, value in findings.items()
        },
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=asdict) + "\n")
    return path


def _processor() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
