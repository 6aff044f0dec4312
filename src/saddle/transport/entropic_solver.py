"""Robust and balanced transport by entropic smoothing: for many samples, on CPU and GPU, with a certificate."""

import time
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch import Tensor

from saddle.errors import UserError
from saddle.transport.balls import Ball
from saddle.transport.entropic_certificate import Lower, Upper, lower_bound, upper_bound
from saddle.transport.entropic_costs import CostBlocks
from saddle.transport.entropic_mixing import Mixing
from saddle.transport.entropic_proximal import Proximal
from saddle.transport.problem import TransportProblem, available_memory, ball_of, transport_problem
from saddle.transport.solution import RobustTransport, TransportStatus

__all__ = ["entropic"]

_DEPTH = 8
"Past steps that the mixing looks at."
_COARSE = 0.03
"Marginal error (in total mass) at which a smoothing that is not the last has done its work."
_FINE = {"float64": 1e-10, "float32": 1e-4}
"Marginal error at which a smoothing that was asked for is done: what the sums can resolve."


def entropic(
    x: Any = None,
    y: Any = None,
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
    ball: Ball | None = None,
    rho_y: float | int | None = None,
    chi2_y: float | int | None = None,
    ball_y: Ball | None = None,
    a: Any = None,
    b: Any = None,
    cost: Any = "euclidean",
    epsilon: float | int | None = None,
    tol: float | int | None = None,
    max_iterations: int | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    device: str | torch.device | None = None,
    memory: int | None = None,
) -> RobustTransport:
    """Solve a transport problem smoothed by entropy, and certify what the answer says of the problem itself.

        min <C, P> + ε KL(P | a bᵀ)    s.t.    P1 = ã in the ball around a,  Pᵀ1 = b̃ in the ball around b,  Σ P = 1

    by ascent in the blocks of its dual, `f = h + ε log W` with `h` the soft minimum of `c − g` and `W` the weights in
    the ball nearest to `exp(−h/ε)` in entropy, in the log domain, with ε halved from the size of the costs downwards.
    A side without a ball is held, so that without any the problem is Sinkhorn's.

    The bounds are of the problem *without* entropy: `lower` from c-transformed potentials and the exact robust mean,
    `upper` from the plan rounded to feasible marginals. A gap of a per cent takes a smoothing of some hundredths of the
    value.

    Args:
        x: points `(n, d)`, or a `TransportProblem`; then y, masses, cost and balls are its own.
        y: points `(m, d)`.
        rho: radius on x's masses; with chi2, ball and the same three for y as in `saddle.transport.robust`.
        a: masses of x; b those of y.
        cost: `"euclidean"`, `"sqeuclidean"`, or the matrix `(n, m)`.
        epsilon: the last smoothing, in units of the cost. None halves it until the bounds agree to tol.
        tol: relative gap of the bounds, 1e-2 by default; small ones are the work of the interior point.
        max_iterations: passes over both sides, 2000 by default.
        dtype: of the sums over the matrix; float32 takes less time. The bounds are always computed in float64.
        device: `"cpu"` or `"cuda"`; where x lies by default.
        memory: bytes that the solver may hold, half of what is free by default. Where the costs and a plan do not fit,
            costs are recomputed from the points in blocks, and the plan of the answer is None.

    Raises:
        UserError: no such problem, a mass-free one, a tolerance or epsilon that is not positive, another dtype or device.

    Source: Cuturi 2013; for penalties on the marginals Chizat et al. 2018, arXiv 1607.05816; balls as here derived.
    """
    start = time.perf_counter()
    name = str(device or (x.device if isinstance(x, Tensor) else "cpu"))
    if dtype not in _FINE or name.split(":")[0] not in ("cpu", "cuda"):
        raise UserError(
            f"dtype is {dtype!r} and device is {name!r}; the sums run in 'float64' or 'float32', and the bounds in "
            "float64, on 'cpu' or 'cuda'."
        )
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(
            f"The device is {name!r}, and this machine or this PyTorch has no CUDA; use device='cpu'."
        )
    device = torch.device(name)
    if isinstance(x, TransportProblem):
        others = (y, rho, chi2, ball, rho_y, chi2_y, ball_y, a, b)
        if any(each is not None for each in others):
            raise UserError(
                "A TransportProblem has its own points, masses and balls; give them to transport_problem."
            )
        problem = x
    else:
        problem = transport_problem(
            x,
            y,
            a=a,
            b=b,
            cost=cost,
            ball_x=ball_of(ball, rho, chi2),
            ball_y=ball_of(ball_y, rho_y, chi2_y, "_y"),
        )
    if problem.mass != "unit":
        raise UserError("The entropic solver ships all mass; solve mass='free' with solver='interior-point'.")
    tol = 1e-2 if tol is None else float(tol)
    for name, value in (("tol", tol), ("epsilon", epsilon)):
        if value is not None and not value > 0:
            raise UserError(f"{name} is {value!r}; it must be larger than 0.")
    n, m = problem.shape
    held = 3 * 8 * n * m <= (_free_bytes(device) // 2 if memory is None else memory)
    costs = CostBlocks(problem, held=held, dtype=getattr(torch, dtype), device=device)
    limit = 2000 if max_iterations is None else max_iterations
    found = _Search(problem=problem, costs=costs, tol=tol, fine=_FINE[dtype]).run(
        None if epsilon is None else float(epsilon), limit
    )
    lower, upper = found.lower, found.upper
    return RobustTransport(
        status=found.status,
        upper=upper.value,
        lower=lower.value,
        tol=tol,
        iterations=found.iterations,
        solver="entropic",
        weights_x=upper.weights_x.cpu().numpy(),
        weights_y=upper.weights_y.cpu().numpy(),
        potential_x=lower.f.cpu().numpy(),
        potential_y=lower.g.cpu().numpy(),
        plan=upper.plan(costs).cpu().numpy() if held else None,
        seconds=time.perf_counter() - start,
    )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    status: TransportStatus
    lower: Lower
    upper: Upper
    iterations: int


@final
class _Search:
    """The ascent: state of the potentials, and the best bounds so far."""

    def __init__(self, *, problem: TransportProblem, costs: CostBlocks, tol: float, fine: float) -> None:
        self.costs, self.tol, self.fine = costs, tol, fine
        self.a, self.b = (torch.from_numpy(z).to(costs.device) for z in (problem.a, problem.b))
        self.balls = problem.ball_x, problem.ball_y
        self.proximal_x = Proximal(self.a, problem.ball_x)
        self.proximal_y = Proximal(self.b, problem.ball_y)
        self.log_a, self.log_b = self.a.log(), self.b.log()
        self.f, self.g = torch.zeros_like(self.a), torch.zeros_like(self.b)
        self.log_w, self.log_v = torch.zeros_like(self.a), torch.zeros_like(self.b)
        self.lower: Lower | None = None
        self.upper: Upper | None = None
        self.iterations = 0

    def run(self, last: float | None, limit: int) -> _Found:
        scale = self.costs.scale
        eps = scale if last is None else max(last, scale)
        accuracy, stale = _COARSE, 0
        while True:
            final_level = last is not None and eps <= last
            arrived = self._ascend(eps, self.fine if final_level else accuracy, limit)
            exhausted = self.iterations >= limit
            dual = float(self.a @ (self.log_w.exp() * self.f) + self.b @ (self.log_v.exp() * self.g))
            if exhausted or final_level or (last is None and eps <= 0.3 * abs(dual)) or eps <= 1e-3 * scale:
                before = self._gap()
                rounding = self._certify(eps)
                stale = 0 if self._gap() < 0.95 * before else stale + 1
                if self._gap() <= self.tol:
                    return self._found(TransportStatus.CERTIFIED)
                if final_level or exhausted:
                    return self._found(TransportStatus.STALLED if arrived else TransportStatus.EXHAUSTED)
                if stale >= 4 or eps <= 1e-9 * scale:
                    return self._found(TransportStatus.STALLED)
                if rounding > 0.3 * self._gap() or stale:
                    # What is lost lies in the marginals rather than in the smoothing.
                    accuracy /= 5
                    if rounding > 0.6 * self._gap():
                        continue
            eps = eps / 2 if last is None else max(eps / 2, last)

    def _ascend(self, eps: float, accuracy: float, limit: int) -> bool:
        """Alternate the two sides until the plan's marginals are those of the weights; whether they are."""
        mixing = Mixing(_DEPTH)
        given = self.g
        while self.iterations < limit:
            self.iterations += 1
            h = self.costs.soft_rows(given, self.log_b, eps)
            self.log_w = self.proximal_x(h, eps)
            self.f = h + eps * self.log_w
            h = self.costs.soft_columns(self.f, self.log_a, eps)
            self.log_v = self.proximal_y(h, eps)
            self.g = h + eps * self.log_v
            # The plan of f and the g that was given has the rows' marginals; this is what its columns miss.
            shipped = ((given - h) / eps).clamp_max(50.0).exp()
            if float(self.b @ (shipped - self.log_v.exp()).abs()) <= accuracy:
                return True
            given = mixing.next(given, self.g)
        return False

    def _certify(self, eps: float) -> float:
        """Bounds at the present potentials; the part of the relative gap that rounding the plan costs."""
        lower = lower_bound(self.costs, self.f, self.a, self.b, *self.balls)
        upper = upper_bound(self.costs, self.f, self.g, eps, self.a, self.b, self.log_w, self.log_v)
        if self.lower is None or lower.value > self.lower.value:
            self.lower = lower
        if self.upper is None or upper.value < self.upper.value:
            self.upper = upper
        return upper.rounding / max(abs(upper.value), 1e-300)

    def _gap(self) -> float:
        if self.lower is None or self.upper is None:
            return float("inf")
        return max(self.upper.value - self.lower.value, 0.0) / max(abs(self.upper.value), 1e-300)

    def _found(self, status: TransportStatus) -> _Found:
        assert self.lower is not None and self.upper is not None
        return _Found(status=status, lower=self.lower, upper=self.upper, iterations=self.iterations)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = available_memory()
    return 2**32 if free is None else free
