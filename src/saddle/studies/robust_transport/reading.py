"""From the cells' results to the numbers that claims and figures share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saddle.studies.cell import CellResult
from saddle.studies.robust_transport.config import RobustTransportConfig

__all__ = ["aurocs", "numbers_of", "of_kind", "problems", "scaled_aurocs"]

Results = Mapping[str, CellResult]


def of_kind(results: Results, kind: str, config: RobustTransportConfig) -> list[Mapping[str, Any]]:
    """The numbers of the cells `kind 0`, `kind 1`, …, one a seed."""
    return [results[f"{kind} {seed}"].numbers for seed in range(config.seeds)]


def numbers_of(rows: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """One number a seed, or one row a seed."""
    return np.array([row[key] for row in rows], dtype=float)


def problems(results: Results, config: RobustTransportConfig) -> dict[str, np.ndarray]:
    """The columns of all random problems of the theorem; a factor that does not apply is NaN."""
    rows = of_kind(results, "theorem", config)
    columns = {key: [value for row in rows for value in row[key]] for key in rows[0]}
    return {
        key: np.array(column, dtype=float if key.startswith("factor") else None)
        for key, column in columns.items()
    }


def aurocs(results: Results, config: RobustTransportConfig, case: str, d: int, method: str) -> np.ndarray:
    """AUROC, seeds x shares."""
    rows = of_kind(results, f"ranking {case} {d}", config)
    return np.array([row["auroc"][method] for row in rows], dtype=float)


def scaled_aurocs(
    results: Results, config: RobustTransportConfig, case: str, d: int
) -> dict[str, np.ndarray]:
    """AUROC of robust W1 at several times rho*: scale → seeds x shares."""
    rows = of_kind(results, f"ranking {case} {d}", config)
    return {
        scale: np.array([row["scaled"][scale] for row in rows], dtype=float) for scale in rows[0]["scaled"]
    }
