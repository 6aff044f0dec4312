"""The ends of the radius, the conventions, the program without unit mass, and the price on clean data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saddle.core import Band, Claim, Measured
from saddle.studies.robust_transport.cells import SHIFTS
from saddle.studies.robust_transport.config import RobustTransportConfig
from saddle.studies.robust_transport.reading import Results, numbers_of, of_kind

__all__ = ["limit_claims"]

LIMITS = "Docs, robust transport: limits"
REFERENCE = "our reference run, whose sample sizes are not recorded"
KEPT = {
    "two-sided": (0.60, 0.45, 0.79),
    "one-sided": (0.77, 0.72, 0.90),
    "mass-free": (0.48, 0.37, 0.62),
}
"Parts of the balanced cost that the reference run kept at R = 0.1, by `SHIFTS`."
SLACK = 0.05


def limit_claims(config: RobustTransportConfig, results: Results) -> list[Claim]:
    rows = of_kind(results, "limits", config)
    shipped = numbers_of(rows, "shipped")
    return [
        _worst(rows, "towards_flat", Band(0, 0.005),
               "As R → 0 the value goes to balanced transport: what it has lost at R = 1e-6, relative."),
        _worst(rows, "towards_least", Band.around(0, absolute=1e-4),
               "With unit mass and R ≥ n − 1 on both sides everything goes the cheapest way: value − min C, relative."),
        _worst(rows, "free_at_one", Band.around(0, absolute=1e-4),
               "Without unit mass nothing is shipped from R = 1 on: the value, relative."),
        _worst(rows, "conventions", Band.at_most(1e-6),
               "rho is R/2: the difference between the values at rho and at chi2 = 2 rho, relative."),
        _worst(rows, "rise", Band.at_most(0), "The value falls as R grows: its largest certain rise, relative."),
        _worst(rows, "bulge", Band.at_most(0),
               "The value is convex in R: how far it certainly lies above a chord, relative."),
        _worst(rows, "over_scaled", Band.at_most(0),
               "Without unit mass the value is at most (1 − sqrt R) times balanced transport: the largest certain excess.",
               note=f"At R = 0.08 the plans ship {shipped[:, 3].min():.2f} to {shipped[:, 3].max():.2f} of the mass, at "
               f"R = 0.64 {shipped[:, -1].min():.2f} to {shipped[:, -1].max():.2f}."),
        _worst(rows, "free_over_unit", Band.at_most(0),
               "The program without unit mass is never above the one with it: the largest certain excess, relative."),
        *_price(config, results),
    ]  # fmt: skip


def _worst(
    rows: Sequence[Mapping[str, Any]], key: str, band: Band, statement: str, *, note: str = ""
) -> Claim:
    values = numbers_of(rows, key)
    return Claim(
        statement=statement,
        source=LIMITS,
        certainty="derived",
        predicted=band,
        measured=Measured.exact(
            float(values[np.argmax(np.abs(values))] if band.low > -np.inf else values.max()), len(values)
        ),
        note=note,
    )


def _price(config: RobustTransportConfig, results: Results) -> list[Claim]:
    return [
        Claim(
            statement=f"Part of the balanced cost between clean N(0, I) and its shift by {shift:g} that the {program} "
            "program keeps at R = 0.1.",
            source=REFERENCE,
            certainty="measured",
            predicted=Band.around(reference, absolute=SLACK),
            measured=Measured.mean(numbers_of(of_kind(results, f"shrinkage {shift:g}", config), program)),
            note=f"Here with {config.clean_points} points on each side in the plane, W1; the part depends on the number."
            if shift == 0
            else "",
        )
        for program, references in KEPT.items()
        for shift, reference in zip(SHIFTS, references, strict=True)
    ]
