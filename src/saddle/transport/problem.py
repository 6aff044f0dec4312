"""A robust transport problem whose input has been checked once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from jaxtyping import Float64
from scipy.spatial.distance import cdist

from saddle.errors import UserError
from saddle.transport.balls import Ball, ChiSquareBall

__all__ = ["Cost", "Mass", "TransportProblem", "ball_of", "transport_problem"]

Cost = Literal["euclidean", "sqeuclidean", "precomputed"]
Mass = Literal["unit", "free"]

MATRICES = 8
"Arrays of n·m numbers that an exact solver holds at its peak, the answer included."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TransportProblem:
    """Move the masses `a` of `n` samples onto the masses `b` of `m` samples, both reweighted inside their balls:

        min Σ c_ij P_ij   s.t.  P ≥ 0,  Σ P = 1,  P1 = ã in ball_x around a,  Pᵀ1 = b̃ in ball_y around b.

    A ball that is None holds its side: `P1 = a` or `Pᵀ1 = b`. With `mass="free"` the row `Σ P = 1` is left out.
    Build it with `transport_problem`, which checks.
    """

    a: Float64[np.ndarray, " n"]
    b: Float64[np.ndarray, " m"]
    ground: Cost
    x: Float64[np.ndarray, "n d"] | None = field(default=None, repr=False)
    "The points, where the cost is computed from them."
    y: Float64[np.ndarray, "m d"] | None = field(default=None, repr=False)
    matrix: Float64[np.ndarray, "n m"] | None = field(default=None, repr=False)
    "The costs, where they were given."
    ball_x: Ball | None = None
    ball_y: Ball | None = None
    mass: Mass = "unit"

    @property
    def shape(self) -> tuple[int, int]:
        """`(n, m)`."""
        return len(self.a), len(self.b)

    @cached_property
    def cost(self) -> Float64[np.ndarray, "n m"]:
        """All costs `c_ij`, computed on first use.

        Raises:
            UserError: an exact solution would not fit into memory.
        """
        if self.matrix is not None:
            return self.matrix
        check_memory(*self.shape)
        assert self.x is not None and self.y is not None and self.ground != "precomputed"
        costs = cdist(self.x, self.y, self.ground)
        if not np.isfinite(costs).all():
            raise UserError(
                "The points lie so far apart that their costs are no finite numbers; divide all coordinates by a large "
                "constant."
            )
        return costs


def transport_problem(
    x: Any = None,
    y: Any = None,
    *,
    a: Any = None,
    b: Any = None,
    cost: Any = "euclidean",
    ball_x: Ball | None = None,
    ball_y: Ball | None = None,
    mass: Mass = "unit",
) -> TransportProblem:
    """Check what a user gave and return it as a problem.

    Args:
        x: points `(n, d)`; ignored (and None) where `cost` is a matrix.
        y: points `(m, d)`.
        a: masses of `x`, at least 0 with sum 1; uniform by default. A sample of mass 0 takes part in nothing.
        b: masses of `y`.
        cost: `"euclidean"`, `"sqeuclidean"`, or the matrix `(n, m)` of costs.
        ball_x: how far the masses of `x` may move; None holds them.
        ball_y: the same for `y`.
        mass: `"unit"`, or `"free"` for the program without the row `Σ P = 1`.

    Raises:
        UserError: what was given is no such problem, and why.
    """
    if mass not in ("unit", "free"):
        raise UserError(f"mass is {mass!r}; it is 'unit' (all mass is shipped) or 'free' (some may stay).")
    if mass == "free" and not all(
        ball is None or isinstance(ball, ChiSquareBall) for ball in (ball_x, ball_y)
    ):
        raise UserError(
            "mass='free' is the published chi-square program; give chi-square balls, or mass='unit'."
        )
    if isinstance(cost, str):
        if cost not in ("euclidean", "sqeuclidean"):
            raise UserError(
                f"The cost {cost!r} is unknown; it is 'euclidean', 'sqeuclidean' or a matrix (n, m)."
            )
        if x is None or y is None:
            raise UserError(
                f"The cost {cost!r} is computed from points; give x (n, d) and y (m, d), or a matrix of costs."
            )
        points_x, points_y = numbers(x, "x", 2), numbers(y, "y", 2)
        if points_x.shape[1] != points_y.shape[1]:
            raise UserError(
                f"The points x have {points_x.shape[1]} coordinates and y have {points_y.shape[1]}; a distance needs the "
                "same number."
            )
        shape = len(points_x), len(points_y)
        given: dict[str, Any] = {"x": points_x, "y": points_y, "ground": cost}
    else:
        matrix = numbers(cost, "cost", 2)
        shape = matrix.shape
        given = {"matrix": matrix, "ground": "precomputed"}
        for points, name, size in ((x, "x", shape[0]), (y, "y", shape[1])):
            samples = size if points is None else (np.shape(points) or (1,))[0]
            if samples != size:
                raise UserError(
                    f"The cost matrix is {shape[0]} x {shape[1]}, but {name} has {samples} samples."
                )
    return TransportProblem(
        a=masses(a, shape[0], "a"),
        b=masses(b, shape[1], "b"),
        ball_x=ball_x,
        ball_y=ball_y,
        mass=mass,
        **given,
    )


def ball_of(
    ball: Ball | None, rho: float | int | None, chi2: float | int | None, side: str = ""
) -> Ball | None:
    """The ball that `ball`, `rho` or `chi2` says, None where none of them is given.

    Raises:
        UserError: two of them are given.
    """
    names = [f"ball{side}", f"rho{side}", f"chi2{side}"]
    given = [name for name, value in zip(names, (ball, rho, chi2), strict=True) if value is not None]
    if len(given) > 1:
        raise UserError(
            f"{' and '.join(given)} are given together; give one: {names[1]} bounds E (W − 1)²/2, {names[2]} = 2 rho "
            f"bounds Σ (ã − a)²/a, {names[0]} is any ball."
        )
    if ball is not None and not isinstance(ball, Ball):
        raise UserError(
            f"{names[0]} is {ball!r}; give a ball, for example saddle.transport.ChiSquareBall(rho=0.05)."
        )
    if rho is not None:
        return ChiSquareBall(rho=rho)
    return ball if chi2 is None else ChiSquareBall(chi2=chi2)


def numbers(values: Any, name: str, dimensions: int) -> np.ndarray:
    """`values` as a C-contiguous float64 array with this many dimensions, none empty, all finite."""
    try:
        # Tensors may live on a GPU, require gradients, or have a type that NumPy lacks; a list may hold some.
        if isinstance(values, list | tuple) and any(hasattr(each, "detach") for each in values):
            values = [each.detach().cpu().tolist() if hasattr(each, "detach") else each for each in values]
        if hasattr(values, "detach"):
            values = values.detach().cpu()
            values = (values if values.is_complex() else values.double()).numpy()
        if np.iscomplexobj(values):
            raise TypeError("it holds complex numbers")
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{name} is no array of numbers ({error}).") from error
    expected = {1: "a list of numbers", 2: "a table: one row a sample"}[dimensions]
    if array.ndim != dimensions or (isinstance(values, Sequence) and not len(values)):
        raise UserError(f"{name} has the shape {array.shape}; it must be {expected}.")
    if not array.size:
        raise UserError(
            f"{name} is empty (shape {array.shape}); transport needs at least one sample on each side."
        )
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        raise UserError(
            f"{name} holds {len(bad)} values that are NaN or infinite, the first at {tuple(map(int, bad[0]))}; remove "
            "these samples."
        )
    return array


def masses(values: Any, count: int, name: str) -> np.ndarray:
    """`count` masses, at least 0 and with sum 1; uniform where None is given."""
    if values is None:
        return np.full(count, 1 / count)
    array = numbers(values, name, 1)
    if len(array) != count:
        raise UserError(f"{name} has {len(array)} masses for {count} samples; give one a sample.")
    if array.min() < 0:
        raise UserError(
            f"{name} holds the negative mass {array.min():g}; masses are at least 0 and sum to 1."
        )
    total = array.sum()
    if abs(total - 1) > 1e-6:
        raise UserError(
            f"The masses {name} sum to {total:.8g}; they must sum to 1: divide them by their sum."
        )
    return array / total


def check_memory(n: int, m: int) -> None:
    """Raise UserError where an exact solution of this size does not fit into the memory that is free."""
    needed, free = MATRICES * n * m * 8, available_memory()
    if free is not None and needed > free:
        raise UserError(
            f"An exact solution for {n} x {m} samples takes about {needed / 2**30:.1f} GiB of memory, and "
            f"{free / 2**30:.1f} GiB are free; use solver='entropic', which works in blocks, or fewer samples."
        )


def available_memory() -> int | None:
    """Bytes that may be allocated, None where the system does not say."""
    information = Path("/proc/meminfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
