"""The robust transport cost as a differentiable loss: by the envelope theorem its gradient is its optimal plan."""

from typing import Any, no_type_check

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from saddle.errors import UserError
from saddle.transport.balls import Ball
from saddle.transport.problem import Mass
from saddle.transport.solution import RobustTransport
from saddle.transport.solve import Solver, robust

__all__ = ["point_gradients", "robust_loss"]


def robust_loss(
    x: Tensor | None = None,
    y: Tensor | None = None,
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
    rho_y: float | int | None = None,
    chi2_y: float | int | None = None,
    ball_y: Ball | None = None,
    a: Tensor | np.ndarray | None = None,
    b: Tensor | np.ndarray | None = None,
    cost: Any = "euclidean",
    mass: Mass = "unit",
    solver: Solver = "auto",
    tol: float | int | None = None,
    max_iterations: int | None = None,
) -> Float[Tensor, ""]:
    """The value of `robust` with the same arguments, differentiable by `x`, `y`, a cost matrix, `a` and `b`.

    With the optimal plan `P` (it is not differentiated: the envelope theorem) and the multipliers of the balls,

        dV/dc_ij = P_ij,   dV/dx_i = Σ_j P_ij ∂c(x_i, y_j)/∂x_i,   dV/da_i = min over W of [W (f_i − η) + λ φ(W)] + const.

    The Euclidean cost has gradient 0 at distance 0. The gradient by the masses is for directions that keep their sum.
    Where the optimum is not unique, this is one of its subgradients; values and gradients are computed in float64 on
    the CPU and returned in the type and on the device of the inputs.

    Raises:
        NotCertifiedError: the bounds do not agree to `tol`.
        UserError: as in `robust`.
    """
    if solver == "entropic":
        raise UserError(
            "robust_loss needs the plan of an exact solver; use solver='auto' or 'interior-point'."
        )
    if not any(isinstance(each, Tensor) for each in (x, y, cost, a, b)):
        raise UserError("robust_loss is for tensors; for arrays use saddle.transport.robust(…).value.")
    options = {
        "rho": rho, "chi2": chi2, "ball": ball, "rho_y": rho_y, "chi2_y": chi2_y, "ball_y": ball_y,
        "mass": mass, "solver": solver, "tol": tol, "max_iterations": max_iterations,
    }  # fmt: skip
    return _Loss.apply(x, y, cost, a, b, options)


def point_gradients(
    solution: RobustTransport, x: np.ndarray, y: np.ndarray, ground: str
) -> tuple[np.ndarray, np.ndarray]:
    """`dV/dx` and `dV/dy`, `(n, d)` and `(m, d)`, from the plan.

    Squared Euclidean: `Σ_j P_ij 2 (x_i − y_j)`; Euclidean: `Σ_j P_ij (x_i − y_j)/‖x_i − y_j‖`, 0 at distance 0.
    """
    assert solution.plan is not None
    coupling = 2 * solution.plan
    if ground == "euclidean":
        from scipy.spatial.distance import cdist

        distance = cdist(x, y)
        coupling = np.divide(solution.plan, distance, out=np.zeros_like(distance), where=distance > 0)
    by_x = coupling.sum(axis=1)[:, None] * x - coupling @ y
    by_y = coupling.sum(axis=0)[:, None] * y - coupling.T @ x
    return by_x, by_y


@no_type_check
class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, cost, a, b, options):
        solution = robust(x, y, cost=cost, a=a, b=b, **options)
        value = solution.value
        ctx.gradients = _gradients(solution, x, y, cost, a, b)
        tensors = [each for each in (x, y, cost, a, b) if isinstance(each, Tensor)]
        like = next((each for each in tensors if each.is_floating_point()), None)
        # Tensors of whole numbers: their type would cut the value off.
        dtype = torch.float64 if like is None else like.dtype
        return torch.tensor(value, dtype=dtype, device=(like if like is not None else tensors[0]).device)

    @staticmethod
    def backward(ctx, outer):  # type: ignore[bad-override]
        return *(
            None if each is None else outer.to(each.device, each.dtype) * each for each in ctx.gradients
        ), None


def _gradients(solution: RobustTransport, *inputs: Any) -> list[Tensor | None]:
    """One for each input that asks for it, in its type and on its device."""
    wanted = [isinstance(each, Tensor) and each.requires_grad for each in inputs]
    arrays: list[Any] = [None] * 5
    x, y, cost = inputs[:3]
    if isinstance(cost, str) and (wanted[0] or wanted[1]):
        arrays[:2] = point_gradients(solution, _numpy(x), _numpy(y), cost)
    arrays[2:] = solution.plan, solution.gradient_a, solution.gradient_b
    return [
        torch.as_tensor(array, dtype=each.dtype, device=each.device) if want and array is not None else None
        for each, want, array in zip(inputs, wanted, arrays, strict=True)
    ]


def _numpy(points: Any) -> np.ndarray:
    points = points.detach().cpu().double().numpy() if isinstance(points, Tensor) else points
    return np.asarray(points, dtype=np.float64)
