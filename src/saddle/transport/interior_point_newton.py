"""The Newton system of the interior point, reduced to one Cholesky factor of the smaller side and three scalars."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg.blas import dsymv, dsyrk  # type: ignore[missing-module-attribute]
from scipy.linalg.lapack import dpotrf, dpotrs  # type: ignore[missing-module-attribute]

from saddle.transport.interior_point_passes import assemble, spread
from saddle.transport.interior_point_sides import Change, Curved, Held

__all__ = ["Direction", "Newton"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """Changes of the potentials and of both sides."""

    f: np.ndarray
    g: np.ndarray
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

    def plus(self, other: "Column", factor: float = 1.0) -> "Column":
        """`self + factor · other`."""
        return Column(
            f=self.f + factor * other.f,
            g=self.g + factor * other.g,
            rows=self.rows + factor * other.rows,
            columns=self.columns + factor * other.columns,
        )


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
        self.plan, self.slacks, self.x, self.y = plan, slacks, x, y
        self.lack = 1.0 - float(plan.sum()) if self.unit else 0.0
        assemble(plan, slacks, x.k, self.scaled, self.rows, self.root, self.columns)
        # The transpose of a C array is a Fortran array: nothing is copied.
        self.normal = dsyrk(-1.0, self.scaled.T, c=self.normal, overwrite_c=1, lower=1)
        # diag(Θᵀ1 + l) − AᵀA cancels where a pair is tight (Θ ~ 1e12). But the matrix times 1 is l + Θᵀ(k/(Θ1 + k)), and
        # outside its diagonal it has one sign: the diagonal is a sum of positive numbers.
        diagonal = np.einsum("ii->i", self.normal)
        diagonal[:] = 0.0
        outside = dsymv(-1.0, self.normal, np.ones_like(self.columns), lower=1)
        diagonal[:] = outside + (x.k / self.root) @ self.scaled + y.k
        self.normal, failed = dpotrf(self.normal, lower=1, overwrite_a=1, clean=0)
        if failed or not np.isfinite(self.normal[-1, -1]):
            return False
        borders: list[tuple[np.ndarray, np.ndarray | None]] = [(x.k, None)] if self.unit else []
        if isinstance(x, Curved):
            borders.append((-x.k * (x.first - x.centre), None))
        if isinstance(y, Curved):
            borders.append((np.zeros_like(self.rows), -y.k * (y.first - y.centre)))
        self.border_x = np.array([first for first, _ in borders])
        self.border_y = np.array(
            [np.zeros_like(self.columns) if second is None else second for _, second in borders]
        )
        self.border = self._answers(self.border_x, self.border_y)
        balls = [side.slack for side in (x, y) if isinstance(side, Curved)]
        self.diagonal = np.array([0.0, *balls] if self.unit else balls)
        return True

    def solve(
        self,
        moved_x: np.ndarray,
        moved_y: np.ndarray,
        mu: float,
        before: tuple[Change, Change] = (Change(), Change()),
        *,
        careful: bool = False,
    ) -> Direction | None:
        """The direction to `P ∘ Z = μ`, where the marginals move by `moved_x`, `moved_y` without the potentials.

        Refined once against the equations themselves where `careful`: near a vertex the normal matrix has lost the
        digits that keep the marginals. None where the direction is no finite number.
        """
        x, y = self.x, self.y
        right_x, right_y = x.right(before[0], moved_x), y.right(before[1], moved_y)
        right: list[float] = [self.lack - float(moved_x.sum())] if self.unit else []
        for side, old, moved in ((x, before[0], moved_x), (y, before[1], moved_y)):
            if isinstance(side, Curved):
                right.append(side.need(mu, old) + side.multiplier * float(side.first @ moved))
        found = self._bordered(right_x, right_y, np.array(right))
        if found is not None and careful:
            column, scalars = found
            rows, columns = np.empty_like(right_x), np.empty_like(right_y)
            spread(self.plan, self.slacks, column.f, column.g, rows, columns)
            exact = Column(f=column.f, g=column.g, rows=rows, columns=columns)
            rest_x = right_x + scalars @ self.border_x - x.k * column.f - rows
            rest_y = right_y + scalars @ self.border_y - y.k * column.g - columns
            rest = np.array(right) - self._equations(exact) - self.diagonal * scalars
            more = self._bordered(rest_x, rest_y, rest)
            if more is not None:
                found = exact.plus(more[0]), scalars + more[1]
        if found is None:
            return None
        column, scalars = found
        remaining = [float(value) for value in scalars]
        rise = remaining.pop(0) if self.unit else 0.0
        change_x = change_y = Change()
        if isinstance(x, Curved):
            change_x = x.change(rise, remaining.pop(0), moved_x + column.rows, before[0])
        if isinstance(y, Curved):
            change_y = y.change(0.0, remaining.pop(0), moved_y + column.columns, before[1])
        return Direction(f=column.f, g=column.g, x=change_x, y=change_y)

    def _equations(self, column: Column) -> np.ndarray:
        """The left sides of the equations of the scalars, but for the scalars themselves."""
        values = [float(column.rows.sum())] if self.unit else []
        for side, moved in ((self.x, column.rows), (self.y, column.columns)):
            if isinstance(side, Curved):
                values.append(-side.multiplier * float(side.first @ moved))
        return np.array(values)

    def _bordered(
        self, right_x: np.ndarray, right_y: np.ndarray, right: np.ndarray
    ) -> tuple[Column, np.ndarray] | None:
        """The whole system: potentials and scalars."""
        constant = self._answers(right_x[None], right_y[None])[0]
        table = np.stack([self._equations(column) for column in self.border], axis=1) + np.diag(self.diagonal)
        try:
            scalars = np.linalg.solve(table, right - self._equations(constant))
        except np.linalg.LinAlgError:
            return None
        for scalar, column in zip(scalars, self.border, strict=True):
            constant = constant.plus(column, float(scalar))
        finite = (
            np.isfinite(scalars).all() and np.isfinite(constant.f).all() and np.isfinite(constant.g).all()
        )
        return (constant, scalars) if finite else None

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
