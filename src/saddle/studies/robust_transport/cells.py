"""What the study `robust-transport` computes: one kind of problem and one seed a cell."""

from saddle.studies.cell import Cell, CellResult
from saddle.studies.robust_transport.config import CASES, RobustTransportConfig
from saddle.studies.robust_transport.knee import knee
from saddle.studies.robust_transport.limits import limits, shrinkage
from saddle.studies.robust_transport.modes import matched, minority
from saddle.studies.robust_transport.pictures import pictures
from saddle.studies.robust_transport.ranking import ranking
from saddle.studies.robust_transport.theorem import theorem

__all__ = ["SHIFTS", "VERSION", "cells", "compute"]

VERSION = "4"
SHIFTS = (0.0, 1.0, 3.0)
"Distances of the clean Gaussians whose price is measured."


def cells(config: RobustTransportConfig) -> list[Cell]:
    found = [Cell(name="pictures", settings={"kind": "pictures", "seed": 0})]
    for seed in range(config.seeds):
        own = {"seed": seed}
        sizes = {"instances": config.instances, "other_instances": config.other_instances}
        found += [
            Cell(name=f"theorem {seed}", settings={"kind": "theorem", **own, **sizes}, weight=3.0),
            Cell(name=f"limits {seed}", settings={"kind": "limits", **own}),
            Cell(name=f"minority {seed}", settings={"kind": "minority", **own}, weight=2.0),
            Cell(name=f"matched {seed}", settings={"kind": "matched", **own}),
        ]
        for count in config.ring_outliers:
            settings = {"kind": "knee", **own, "outliers": count, "radii": config.ring_radii}
            found.append(Cell(name=f"knee {count} {seed}", settings=settings, weight=2.0))
        for shift in SHIFTS:
            settings = {"kind": "shrinkage", **own, "shift": shift, "points": config.clean_points}
            found.append(Cell(name=f"shrinkage {shift:g} {seed}", settings=settings))
        for d in config.dimensions:
            for case in CASES:
                settings = {
                    "kind": "ranking", **own, "case": case, "d": d, "shares": list(config.shares),
                    "points": config.points,
                }  # fmt: skip
                found.append(Cell(name=f"ranking {case} {d} {seed}", settings=settings, weight=10.0))
    return found


def compute(cell: Cell) -> CellResult:
    settings = dict(cell.settings)
    kind = settings.pop("kind")
    if kind == "pictures":
        return CellResult(arrays=pictures(**settings))
    kinds = {
        "theorem": theorem,
        "limits": limits,
        "minority": minority,
        "matched": matched,
        "knee": knee,
        "shrinkage": shrinkage,
        "ranking": ranking,
    }
    return CellResult(numbers=kinds[kind](**settings))
