"""Probes of the training runs as measures: the median over the last third of each run's rows."""

import statistics
from collections.abc import Mapping
from typing import Any

from saddle.studies.gan_width.measures import Table
from saddle.studies.width_sweep.reading import Run, Sweep

__all__ = ["probe_tables"]


def probe_tables(sweep: Sweep) -> dict[str, Table]:
    """Probe's name → (width, seed) → its median over the last third of training. Empty for runs without probes."""
    found: dict[str, dict[tuple[int, int], float]] = {}
    for run in sweep.runs:
        if run.status == "done" and run.width is not None and run.seed is not None:
            for name, value in _late(run).items():
                found.setdefault(name, {})[run.width, run.seed] = value
    return dict(found)


def _late(run: Run) -> Mapping[str, float]:
    rows = [row for row in run.metrics if isinstance(row.get("probe"), dict)]
    last = max((row["step"] for row in rows), default=0)
    values: dict[str, list[float]] = {}
    for row in rows:
        probe: Mapping[str, Any] = row["probe"]
        for name, value in probe.items():
            if isinstance(value, int | float) and 3 * row["step"] > 2 * last:
                values.setdefault(name, []).append(float(value))
    return {name: statistics.median(each) for name, each in values.items()}
