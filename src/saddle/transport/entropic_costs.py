"""The cost matrix in blocks: what the entropic solver sums and minimises over, without holding all of it."""

from collections.abc import Iterator
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.transport.problem import Cost, TransportProblem

__all__ = ["CostBlocks"]

_ENTRIES = {"cpu": 2**17, "cuda": 2**26}
"Entries of a block: the work on it stays in the cache of a core, and fills an accelerator."


@final
class CostBlocks:
    """Costs `c_ij` between points, held as a matrix or recomputed a block of rows or columns at a time.

    Sums run over blocks in `dtype`; their results, and everything with `exact=True`, are float64 with distances from
    differences of coordinates (the fast ones, by a product of matrices, lose digits where points nearly coincide).
    """

    def __init__(
        self, problem: TransportProblem, *, held: bool, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.n, self.m = problem.shape
        self.dtype, self.device, self.held = dtype, device, held or problem.matrix is not None
        self._ground: Cost = problem.ground
        self._entries = _ENTRIES.get(device.type, 2**24)
        self._exact: Tensor | None = None
        if problem.matrix is not None:
            matrix = problem.matrix if problem.matrix.flags.writeable else problem.matrix.copy()
            self._exact = torch.from_numpy(matrix).to(device)
        else:
            assert problem.x is not None and problem.y is not None
            # Distances do not change with the origin; products of matrices are exact near it.
            origin = problem.x.mean(0)
            self._x, self._y = (torch.from_numpy(z - origin).to(device) for z in (problem.x, problem.y))
            if held:
                self._exact = self._distances(self._x, self._y)
            self._fast = tuple((z.to(dtype), z.to(dtype).square().sum(1)) for z in (self._x, self._y))
        self._matrix = None if self._exact is None else self._exact.to(dtype)

    @property
    def scale(self) -> float:
        """The mean size of some thousand costs: a first size of things; 1 where all are 0."""
        step_n, step_m = -(-self.n // 64), -(-self.m // 64)
        if self._exact is not None:
            return float(self._exact[::step_n, ::step_m].abs().mean()) or 1.0
        return float(self._distances(self._x[::step_n], self._y[::step_m]).mean()) or 1.0

    def soft_rows(self, g: Tensor, log_b: Tensor, eps: float, *, exact: bool = False) -> Float[Tensor, " n"]:
        """`h_i = −ε log Σ_j b_j exp((g_j − c_ij)/ε)`."""
        offset = g / eps + log_b
        return -eps * self._gathered(self.n, ((i, _log_sum(c, offset, eps, 1)) for i, c in self._rows(exact)))

    def soft_columns(
        self, f: Tensor, log_a: Tensor, eps: float, *, exact: bool = False
    ) -> Float[Tensor, " m"]:
        """`h_j = −ε log Σ_i a_i exp((f_i − c_ij)/ε)`."""
        offset = (f / eps + log_a)[:, None]
        return -eps * self._gathered(
            self.m, ((j, _log_sum(c, offset, eps, 0)) for j, c in self._columns(exact))
        )

    def hard_rows(self, g: Tensor) -> Float[Tensor, " n"]:
        """`min_j c_ij − g_j`."""
        return self._gathered(self.n, ((i, (c - g).amin(1)) for i, c in self._rows(True)))

    def hard_columns(self, f: Tensor) -> Float[Tensor, " m"]:
        """`min_i c_ij − f_i`."""
        return self._gathered(self.m, ((j, (c - f[:, None]).amin(0)) for j, c in self._columns(True)))

    def plan_rows(
        self, log_left: Tensor, log_right: Tensor, eps: float
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Blocks of rows of `exp(log_left_i + log_right_j − c_ij/ε)` with their costs."""
        for rows, c in self._rows(True):
            yield rows, (c * (-1 / eps)).add_(log_left[rows, None]).add_(log_right).exp_(), c

    def _gathered(self, count: int, parts: Iterator[tuple[slice, Tensor]]) -> Tensor:
        """The parts in one vector that exists before them: kept small tensors would lie between the freed blocks."""
        whole = torch.empty(count, dtype=torch.float64, device=self.device)
        for where, part in parts:
            whole[where] = part
        return whole

    def _rows(self, exact: bool) -> Iterator[tuple[slice, Tensor]]:
        for rows in _slices(self.n, self._entries // self.m):
            yield rows, self._block(rows, slice(None), exact)

    def _columns(self, exact: bool) -> Iterator[tuple[slice, Tensor]]:
        # At least 16 columns: narrower ones would read a whole cache line of the matrix for a few numbers.
        for columns in _slices(self.m, max(self._entries // self.n, 16)):
            yield columns, self._block(slice(None), columns, exact)

    def _block(self, rows: slice, columns: slice, exact: bool) -> Tensor:
        matrix = self._exact if exact else self._matrix
        if matrix is not None:
            return matrix[rows, columns]
        if exact:
            return self._distances(self._x[rows], self._y[columns])
        (x, xx), (y, yy) = self._fast
        squares = torch.addmm(xx[rows, None] + yy[None, columns], x[rows], y[columns].T, alpha=-2)
        squares.clamp_min_(0)
        return squares.sqrt_() if self._ground == "euclidean" else squares

    def _distances(self, x: Tensor, y: Tensor) -> Tensor:
        """Costs from differences of coordinates."""
        distances = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
        return distances if self._ground == "euclidean" else distances.square_()


def _slices(count: int, width: int) -> list[slice]:
    width = max(width, 1)
    return [slice(start, min(start + width, count)) for start in range(0, count, width)]


def _log_sum(c: Tensor, offset: Tensor, eps: float, axis: int) -> Tensor:
    """`log Σ exp(offset − c/ε)` along the axis, in float64."""
    terms = (c * (-1 / eps)).add_(offset.to(c.dtype))
    peak = terms.amax(axis, keepdim=True)
    # Below exp(−80) lie float32's denormal numbers, on which a CPU is slow; beside exp(0) they add nothing.
    sums = terms.sub_(peak).clamp_min_(-80.0).exp_().sum(axis).double()
    return sums.log_().add_(peak.squeeze(axis).double())
