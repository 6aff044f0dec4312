"""The Newton system of the interior point, reduced to one Cholesky factor of the smaller side and three scalars."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from saddle.transport.interior_point_passes import assemble
from saddle.transport.interior_point_sides import Change, Curved, Held

__all__ = ["Direction", "Newton"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """Changes of the potentials, of `η`, and of both sides."""

    f: np.ndarray
    g: np.ndarray
    level: float
    x: Change
    y: Change


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """The answer to one right-hand side."""

    f: np.ndarray
    g: np.ndarray
    rows: np.ndarray
    "`(Θ (df ⊕ dg)) 1`: what the first marginal changes by."
    columns: np.ndarray


@final
class Newton:
    """Solves the linearised equations; the arrays are kept between iterations.

    With `Θ = P/Z`, `k = a/(λ_a φ'')` and `l = b/(λ_b φ'')` the potentials change by

        [diag(Θ1 + k)        Θ     ] [df]   [k (dη − φ'_a dλ_a − F) − r]
        [    Θᵀ       diag(Θᵀ1 + l)] [dg] = [  l (−φ'_b dλ_b − G)  − c ]

    with the residuals `F`, `G` of `f = η − λφ'` (l = 0 and the lack of mass instead of G where a side is held). The
    scalars dη, dλ_a, dλ_b add a right-hand side and an equation each. Eliminating the diagonal block leaves

        (diag(Θᵀ1 + l) − AᵀA) dg = …,      A = Θ / sqrt(Θ1 + k)   (row by row).
    """

    def __init__(self, n: int, m: int, unit: bool) -> None:
        self.unit = unit
        self.scaled = np.empty((n, m))
        self.rows, self.root, self.columns = np.empty(n), np.empty(n), np.empty(m)
        self.normal = np.empty((m, m), order="F")

    def prepare(self, plan: np.ndarray, slacks: np.ndarray, x: Held | Curved, y: Held | Curved) -> bool:
        """Factor; False where floats no longer can."""
        self.x, self.y = x, y
        self.lack = 1.0 - float(plan.sum()) if self.unit else 0.0
        assemble(plan, slacks, x.k, self.scaled, self.rows, self.root, self.columns)
        # The transpose of a C array is a Fortran array: nothing is copied.
        self.normal = dsyrk(-1.0, self.scaled.T, c=self.normal, overwrite_c=1, lower=1)
        np.einsum("ii->i", self.normal)[:] += self.columns + y.k
        self.normal, failed = dpotrf(self.normal, lower=1, overwrite_a=1, clean=0)
        if failed or not np.isfinite(self.normal[-1, -1]):
            return False
        borders: list[tuple[np.ndarray, np.ndarray | None]] = [(x.k, None)] if self.unit else []
        if isinstance(x, Curved):
            borders.append((-x.k * x.first, None))
        if isinstance(y, Curved):
            borders.append((np.zeros_like(self.rows), -y.k * y.first))
        self.border = self._answers(
            np.array([first for first, _ in borders]),
            np.array([np.zeros_like(self.columns) if second is None else second for _, second in borders]),
        )
        return True

    def solve(
        self,
        moved_x: np.ndarray,
        moved_y: np.ndarray,
        level: float,
        mu: float,
        before: tuple[Change, Change] = (Change(), Change()),
    ) -> Direction | None:
        """The direction to `P ∘ Z = μ`, where the marginals move by `moved_x`, `moved_y` without the potentials.

        None where it is no finite number.
        """
        x, y = self.x, self.y
        right = x.right(level, before[0], moved_x)[None], y.right(0.0, before[1], moved_y)[None]
        parts = [*self._answers(*right), *self.border]
        table: list[list[float]] = []
        if self.unit:
            table.append([float(part.rows.sum()) for part in parts])
            table[0][0] += float(moved_x.sum()) - self.lack
        for side, old, moved, axis in ((x, before[0], moved_x, 0), (y, before[1], moved_y, 1)):
            if isinstance(side, Curved):
                sums = [part.rows if axis == 0 else part.columns for part in parts]
                row = [-side.multiplier * float(side.first @ each) for each in sums]
                row[0] -= side.multiplier * float(side.first @ moved) + side.need(mu, old)
                row[1 + len(table)] += side.slack
                table.append(row)
        system = np.array(table)
        try:
            scalars = np.linalg.solve(system[:, 1:], -system[:, 0])
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(scalars).all():
            return None
        f, g, rows, columns = (
            sum((s * each for s, each in zip(scalars, arrays[1:], strict=True)), arrays[0])
            for arrays in ([getattr(part, name) for part in parts] for name in ("f", "g", "rows", "columns"))
        )
        rest = [float(value) for value in scalars]
        rise = rest.pop(0) if self.unit else 0.0
        change_x = x.change(rest.pop(0), moved_x + rows, before[0]) if isinstance(x, Curved) else Change()
        change_y = y.change(rest.pop(0), moved_y + columns, before[1]) if isinstance(y, Curved) else Change()
        if not (np.isfinite(f).all() and np.isfinite(g).all()):
            return None
        return Direction(f=f, g=g, level=rise, x=change_x, y=change_y)

    def _answers(self, right_x: np.ndarray, right_y: np.ndarray) -> list[Column]:
        """One for each row of both, together, so that the matrix is read once a product."""
        shrunk = right_x / self.root
        g, failed = dpotrs(self.normal, (right_y - shrunk @ self.scaled).T, lower=1)
        assert failed == 0
        g = g.T
        pushed = g @ self.scaled.T
        f = (shrunk - pushed) / self.root
        rows = self.rows * f + self.root * pushed
        columns = (self.root * f) @ self.scaled + self.columns * g
        return [Column(f=f[i], g=g[i], rows=rows[i], columns=columns[i]) for i in range(len(f))]
