"""What the study claims; every band was set before the first run."""

from collections.abc import Mapping

import numpy as np

from saddle.core import Band, Claim, Measured
from saddle.studies.cell import CellResult
from saddle.studies.width_transfer.best import Transfer, transfer
from saddle.studies.width_transfer.cells import check_name
from saddle.studies.width_transfer.config import WidthTransferConfig
from saddle.studies.width_transfer.coordinates import Coordinates

__all__ = ["claims", "coordinates_of"]

THEORY = (
    "maximal_update's table: a step h moves a standard hidden layer by order h times width, in mup by order h"
)
MOVED = 0.25
"A slope of the best step up to this is no movement: a factor of 1.2 a doubling."
FLAT, STEEP = 0.15, 0.5
"Slopes of the coordinate check, whose limits are 0 and 1."


def claims(config: WidthTransferConfig, results: Mapping[str, CellResult]) -> list[Claim]:
    """Six for every architecture."""
    found: list[Claim] = []
    for arch in config.archs:
        both = {name: transfer(config, results, arch, name) for name in ("standard", "mup")}
        found += [
            *_coordinates(config, results, arch),
            _slope(config, arch, "standard", both["standard"], Band.at_most(-MOVED)),
            _slope(config, arch, "mup", both["mup"], Band(-MOVED, MOVED)),
            _cost(config, arch, "standard", both["standard"], Band.at_least(MOVED)),
            _cost(config, arch, "mup", both["mup"], Band.at_most(MOVED)),
        ]
    return found


def coordinates_of(
    config: WidthTransferConfig, results: Mapping[str, CellResult], arch: str, parameterisation: str
) -> Coordinates:
    """The coordinate check as it came back from its folder."""
    result = results[check_name(arch, parameterisation)]
    return Coordinates(
        layers=tuple(result.numbers["layers"]),
        widths=config.widths_of(arch),
        value=result.arrays["value"],
        change=result.arrays["change"],
    )


def _coordinates(config: WidthTransferConfig, results: Mapping[str, CellResult], arch: str) -> list[Claim]:
    slopes: dict[str, np.ndarray] = {}
    for name in ("standard", "mup"):
        check = coordinates_of(config, results, arch, name)
        hidden = results[check_name(arch, name)].numbers["hidden"]
        slopes[name] = np.array([check.slope(layer, config.check_steps) for layer in hidden])
    when = f"{arch}, {config.data}, widths {_span(config, arch)}: after {config.check_steps} steps"
    return [
        Claim(
            statement=f"{when}, the standard network's hidden layers have moved further the wider they are (smallest "
            "slope of log change against log width).",
            source=THEORY,
            certainty="derived",
            predicted=Band.at_least(STEEP),
            measured=Measured.mean(slopes["standard"].min(axis=0)),
            note="The limit is 1. What a layer moves because the layer below moved has slope 0, and at small widths that part is "
            "not small beside its own; and the smallest of several noisy slopes is below their mean.",
        ),
        Claim(
            statement=f"{when}, mup's hidden layers have moved equally far at all widths (largest size of that slope).",
            source=THEORY,
            certainty="derived",
            predicted=Band.at_most(FLAT),
            measured=Measured.mean(np.abs(slopes["mup"]).max(axis=0)),
            note="The limit is 0. The largest of several noisy sizes is above 0 even so.",
        ),
    ]


def _slope(config: WidthTransferConfig, arch: str, name: str, found: Transfer, band: Band) -> Claim:
    how = "falls with the width" if name == "standard" else "does not move with the width"
    return Claim(
        statement=f"{arch}, {config.data}, {name}, widths {_span(config, arch)}, {config.iterations} iterations: the "
        f"best step {how} (slope of log₂ best step against log₂ width).",
        source=THEORY,
        certainty="derived",
        predicted=band,
        measured=found.slope,
        note=_note(found),
    )


def _cost(config: WidthTransferConfig, arch: str, name: str, found: Transfer, band: Band) -> Claim:
    how = "costs much" if name == "standard" else "costs little"
    return Claim(
        statement=f"{arch}, {config.data}, {name}: the narrowest network's best step at the widest one {how} (log₂ of the "
        "factor of the distance).",
        source=THEORY,
        certainty="derived",
        predicted=band,
        measured=found.cost,
        note=_note(found),
    )


def _span(config: WidthTransferConfig, arch: str) -> str:
    widths = config.widths_of(arch)
    return f"{widths[0]} to {widths[-1]}"


def _note(found: Transfer) -> str:
    parts: list[str] = []
    if found.at_ends:
        parts.append(
            f"{found.at_ends} of {found.best.size} best steps stand at an end of the grid and may lie beyond it, so the "
            "true slope may be steeper."
        )
    if found.diverged:
        parts.append(f"{found.diverged} of {found.levels.size} runs diverged.")
    return " ".join(parts)
