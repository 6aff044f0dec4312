"""What `saddle outliers` prints."""

from pathlib import Path
from typing import Any

from saddle.data.problems import printable
from saddle.studies.outliers.ranking import Ranking

__all__ = ["as_text", "summary"]

WORST = 10


def as_text(ranking: Ranking) -> str:
    """A table of the worst ten, and how sure the transport is."""
    names, order = ranking.photos.files, ranking.order
    heads = ("rank", "weight", "score", "row cost", "flagged", "file")
    rows = [heads] + [
        (
            str(place),
            f"{ranking.weight[i]:.3f}",
            f"{ranking.score[i]:.4g}",
            f"{ranking.row_cost[i]:.4g}",
            "yes" if ranking.flagged[i] else "no",
            printable(names[i]),
        )
        for place, i in enumerate(order[:WORST], 1)
    ]
    widths = [max(len(row[c]) for row in rows) for c in range(len(heads) - 1)]
    lines = [
        "  ".join([*(cell.rjust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
    flagged, transport = int(ranking.flagged.sum()), ranking.detector.transport_
    both = int((ranking.flagged & ranking.flagged_by_cost).sum())
    lines += [
        f"{flagged:,} of {len(names):,} images are flagged ({both:,} of them by the balanced row cost too); "
        f"{int((ranking.weight == 0).sum()):,} have weight 0",
        f"transport in {ranking.features} features: certified gap {transport.gap:.1e}"
        + ("" if transport.certified else " (NOT certified)"),
    ]
    if ranking.reference is None:
        lines.append(
            "no --reference: the densest part of the images themselves served as one, so a rare kind of good images "
            "is flagged, and a crowd inside the rest is not"
        )
    left_out = sum(len(each.images.skipped) for each in (ranking.photos, ranking.reference) if each)
    if left_out:
        lines.append(f"{left_out} unusable file{'s were' if left_out > 1 else ' was'} left out")
    return "\n".join([*lines, *ranking.warnings])


def summary(ranking: Ranking, *, table: Path, page: Path) -> dict[str, Any]:
    """The same for machines, with every flagged image."""
    names, transport, detector = ranking.photos.files, ranking.detector.transport_, ranking.detector
    return {
        "images": len(names),
        "reference": None if ranking.reference is None else len(ranking.reference),
        "skipped": [
            *ranking.photos.images.skipped,
            *(ranking.reference.images.skipped if ranking.reference else ()),
        ],
        "contamination": ranking.contamination,
        "features": ranking.features,
        "ball": detector.ball,
        "rho": detector.rho_,
        "status": transport.status.name.lower(),
        "gap": transport.gap,
        "solved_on": [len(detector.sample_indices_), len(detector.reference_)],
        "flagged": [
            {
                "rank": place,
                "file": printable(names[i]),
                "score": float(ranking.score[i]),
                "weight": float(ranking.weight[i]),
                "row_cost": float(ranking.row_cost[i]),
            }
            for place, i in enumerate(ranking.order, 1)
            if ranking.flagged[i]
        ],
        "table": str(table),
        "page": str(page),
    }
