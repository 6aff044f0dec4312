"""The game around the weights: leading eigenvalues of its Jacobian, and the path angle."""

from collections.abc import Callable

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from saddle.core.flat import moving_keys
from saddle.core.state import State, fleet_size, member
from saddle.errors import UserError
from saddle.gan.probes.batch import ProbeBatch, game_batch
from saddle.gan.probes.gradients import Readings
from saddle.gan.problem import GanProblem
from saddle.theory import JacobianProducts, path_angle
from saddle.theory.spectrum import GameSpectrum

__all__ = ["path_readings", "ritz_values", "spectrum_readings"]

PRODUCTS = 12
"Products with the Jacobian a probe: the dimension of the Krylov space."
TOGETHER = 4_000_000
"Weights of all members above which members are taken one after the other, for the memory of the Krylov space."
ROUNDING = 10
"Machine epsilons of a product below which what remains of it is rounding."
POINTS, REACH = 9, 0.5
"Where the path angle is taken: at 9 places from half way between start and end to as far beyond the end."


def spectrum_readings(
    problem: GanProblem, state: State, batch: ProbeBatch, *, size: int, products: int = PRODUCTS
) -> Readings:
    """Ritz values of the Jacobian `J = Dv(z)` of the game's field, in train mode on `size` images.

    One Krylov space of `products` products `J u`, for all members in the same passes and from the same start, gives
    estimates of the eigenvalues of largest modulus and of the rightmost; `saddle.theory.game_spectrum` iterates until
    they have converged, which has no bound and costs a fleet its members one by one. `spectrum/residual` is
    `‖J x − λ x‖ / |λ|` of the leading one: how far to trust it. In the sign of the field a real part below 0 attracts.
    The field is the players' plain gradients (no Adam).
    """
    values, residual = [], []
    for part in _parts(problem, state):
        jacobian = JacobianProducts.at(problem, part, game_batch(batch, fleet_size(part), size))
        found, error = ritz_values(jacobian.times, like=jacobian.point, count=products)
        values.append(found)
        residual.append(error)
    every, error = torch.cat(values), torch.cat(residual)
    by_real = every.gather(1, every.real.argsort(dim=1, descending=True))
    spectrum = GameSpectrum(
        eigenvalues=every,
        rightmost=by_real,
        complete=False,
        converged=torch.zeros(len(every), dtype=torch.bool),
    )
    leading = every[:, 0]
    return {
        "spectrum/max_real": spectrum.max_real,
        "spectrum/radius": spectrum.radius,
        "spectrum/imaginary_share": spectrum.imaginary_share,
        "spectrum/rotation": (leading.imag / leading.real).abs(),
        "spectrum/residual": error / leading.abs(),
    }


def ritz_values(
    multiply: Callable[[Tensor], Tensor], *, like: Float[Tensor, "fleet p"], count: int
) -> tuple[Complex[Tensor, "fleet k"], Float[Tensor, " fleet"]]:
    """Ritz values of a matrix a member by `count` steps of Arnoldi from one fixed start, largest modulus first.

    With the orthonormal basis V of the Krylov space they are the eigenvalues of `Vᵀ J V`; all of J's after as many
    steps as J has rows. `like` has the shape, type and place of the products. Also the residual `h_{k+1,k} |y_k|` of the first. NaN where a product is not finite.

    Source: Saad 2011, Numerical methods for large eigenvalue problems, 2nd edition, sections 6.2 and 6.3.
    """
    fleet, size = like.shape
    count = min(count, size)
    start = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(like)
    basis = torch.empty(fleet, count + 1, size, dtype=like.dtype, device=like.device)
    basis[:, 0] = start / start.norm()
    matrix = torch.zeros(fleet, count + 1, count, dtype=torch.float64, device=like.device)
    for step in range(count):
        image = multiply(basis[:, step].contiguous()).detach()
        known, whole = basis[:, : step + 1], image.norm(dim=1, keepdim=True)
        for _ in range(2):  # twice is enough (Kahan and Parlett)
            along = torch.bmm(known, image.unsqueeze(2))
            image = image - torch.bmm(along.transpose(1, 2), known).squeeze(1)
            matrix[:, : step + 1, step] += along.squeeze(2).double()
        # A remainder of rounding alone is an invariant subspace: the rest of the basis and of the matrix is zero.
        length = image.norm(dim=1, keepdim=True)
        length = torch.where(length > ROUNDING * torch.finfo(like.dtype).eps * whole, length, 0.0)
        matrix[:, step + 1, step] = length.squeeze(1).double()
        basis[:, step + 1] = torch.where(length > 0, image / length, 0.0)
    matrix = matrix.cpu()
    finite = torch.isfinite(matrix).flatten(1).all(1)
    square = torch.where(finite[:, None, None], matrix[:, :count], 0.0)
    values, vectors = torch.linalg.eig(square)
    order = values.abs().argsort(dim=1, descending=True, stable=True)
    last = vectors[:, -1].abs().gather(1, order)[:, 0]
    values = values.gather(1, order)
    residual = matrix[:, count, count - 1] * last
    bad = ~finite
    values[bad], residual[bad] = complex("nan+nanj"), torch.nan
    return values, residual


def path_readings(
    problem: GanProblem, start: State, state: State, batch: ProbeBatch, *, size: int
) -> Readings:
    """Switch and bump of the path angle from the weights `start` to `state` (see `saddle.theory.path_angle`).

    Empty where the weights have not moved.
    """
    fixed = game_batch(batch, fleet_size(state), size)
    try:
        found = path_angle(problem, start, state, points=POINTS, reach=REACH, batch=fixed)
    except UserError:
        return {}
    return {"path/switch": found.switch, "path/bump": found.bump}


def _parts(problem: GanProblem, state: State) -> list[State]:
    fleet = fleet_size(state)
    size = sum(state[key].numel() for key in moving_keys(problem))
    return [state] if fleet == 1 or size <= TOGETHER else [member(state, index) for index in range(fleet)]
