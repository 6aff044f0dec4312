"""The tables of the ranking, of its sensitivity, and of the price on clean data."""

import numpy as np

from saddle.core import Measured
from saddle.report import Badge, Column, Table
from saddle.studies.robust_transport.cells import SHIFTS
from saddle.studies.robust_transport.config import CASES, RobustTransportConfig
from saddle.studies.robust_transport.ranking import METHODS
from saddle.studies.robust_transport.reading import Results, aurocs, numbers_of, of_kind, scaled_aurocs

__all__ = ["price_table", "ranking_table", "sensitivity_table"]

CHANCE = 0.5
EVEN = 0.005
"AUROCs this near the best of their row share its mark."


def ranking_table(config: RobustTransportConfig, results: Results, d: int) -> Table:
    """Mean AUROC of every method on every kind of outlier."""
    rows = []
    for case in CASES:
        means = {name: aurocs(results, config, case, d, name).mean(0) for name in METHODS}
        for i, share in enumerate(config.shares):
            best = max(means[name][i] for name in METHODS)
            rows.append(
                (case, f"{share:.0%}", *(_badge(float(means[name][i]), float(best)) for name in METHODS))
            )
    return Table(
        columns=(Column("Outliers", "left"), Column("Share"), *(Column(name) for name in METHODS)),
        rows=tuple(rows),
        caption=f"Mean AUROC in {d} dimensions, {config.points} samples, {config.seeds} draws. Green: within {EVEN:g} of the "
        f"best; red: below {CHANCE:g}, worse than guessing.",
    )


def _badge(value: float, best: float) -> Badge:
    tone = "good" if value >= best - EVEN else "bad" if value < CHANCE else "neutral"
    return Badge(f"{value:.3f}", tone)


def sensitivity_table(config: RobustTransportConfig, results: Results) -> Table:
    """Mean AUROC of robust W1 at half, once and twice rho*."""
    rows = []
    for d in config.dimensions:
        for case in CASES:
            scaled = {
                scale: values.mean(0) for scale, values in scaled_aurocs(results, config, case, d).items()
            }
            for i, share in enumerate(config.shares):
                found = [float(values[i]) for values in scaled.values()]
                rows.append(
                    (case, d, f"{share:.0%}", *(f"{value:.3f}" for value in found), f"{np.ptp(found):.3f}")
                )
    return Table(
        columns=(
            Column("Outliers", "left"), Column("Dimensions"), Column("Share"), Column("rho*/2"), Column("rho*"),
            Column("2 rho*"), Column("Range"),
        ),
        rows=tuple(rows),
        caption="Mean AUROC of robust W1 when the share of outliers is misjudged",
    )  # fmt: skip


def price_table(config: RobustTransportConfig, results: Results) -> Table:
    """What is kept of the balanced cost of clean samples."""
    programs = ("one-sided", "two-sided", "mass-free", "shipped")
    rows = []
    for shift in SHIFTS:
        cells = of_kind(results, f"shrinkage {shift:g}", config)
        rows.append((f"{shift:g}", *(_interval(Measured.mean(numbers_of(cells, name))) for name in programs)))
    return Table(
        columns=(
            Column("Shift of the Gaussian"), Column("One side in the ball"), Column("Both sides"),
            Column("Both, without unit mass"), Column("… which ships of the mass"),
        ),
        rows=tuple(rows),
        caption=f"Part of the balanced W1 between clean samples that is left at R = 0.1: {config.clean_points} points on each "
        f"side in the plane, mean and 95 % interval of {config.seeds} draws",
    )  # fmt: skip


def _interval(measured: Measured) -> str:
    low, high = measured.interval
    return f"{measured.value:.2f}" + (f" ({low:.2f} to {high:.2f})" if np.isfinite(low) else "")
