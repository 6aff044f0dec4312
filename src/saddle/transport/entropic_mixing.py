"""Anderson mixing: a fixed-point iteration taken faster to its end from a few of its past steps."""

from typing import final

import torch
from jaxtyping import Float64
from torch import Tensor

__all__ = ["Mixing"]


@final
class Mixing:
    """Guess the fixed point of `g = G(g)` from the last `depth` pairs of `g` and `G(g)`.

    With residuals `r = G(g) − g` and differences of successive ones `ΔR`, `ΔG`, the next input is `G(g) − ΔG γ` for the
    least-squares `γ` of `ΔR γ ≈ r`. When the residual doubles over the best one the history is dropped, and the
    plain step is taken.

    Source: Anderson 1965; Walker & Ni 2011, doi 10.1137/10078356X.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._best = float("inf")

    def next(self, given: Float64[Tensor, " m"], got: Float64[Tensor, " m"]) -> Float64[Tensor, " m"]:
        """The input to try after `G(given) = got`; both are defined up to a constant, which is taken out."""
        residual = got - given
        size = float((residual - residual.mean()).norm())
        if size > 2 * self._best:
            self._inputs, self._outputs, self._best = [], [], size
            return got
        self._best = min(self._best, size)
        self._inputs = [*self._inputs, given - given.mean()][-self._depth - 1 :]
        self._outputs = [*self._outputs, got - got.mean()][-self._depth - 1 :]
        if len(self._inputs) < 2:
            return got
        outputs = torch.stack(self._outputs, 1)
        residuals = outputs - torch.stack(self._inputs, 1)
        steps, target = residuals.diff(dim=1), residuals[:, -1]
        gram = steps.T @ steps
        gram.diagonal().add_(1e-10 * gram.diagonal().sum() + 1e-300)
        gamma = torch.linalg.solve(gram.cpu(), (steps.T @ target).cpu()).to(gram.device)
        return got - outputs.diff(dim=1) @ gamma
