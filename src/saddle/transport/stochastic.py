"""The robust mean as a maximum over two scalars: unbiased on batches, where the robust mean of a batch is not."""

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.errors import UserError
from saddle.transport.balls import ChiSquareBall
from saddle.transport.weighting import ball_from

__all__ = ["TwoScalarWeights", "two_scalar_objective"]


def two_scalar_objective(
    scores: Float[Tensor, "*fleet n"],
    t: Float[Tensor, "*#fleet"],
    log_l: Float[Tensor, "*#fleet"],
    *,
    rho: float | int | None = None,
    chi2: float | int | None = None,
) -> Float[Tensor, "*fleet"]:
    """`E[t − (c/2)((t − f)₊²/l + l)]` with `c = sqrt(1 + chi2)`, a lower bound of the robust mean of the chi-square ball.

    Its maximum over `t` and `l > 0` is `robust_mean(scores, chi2=chi2)`, attained at the root `t` of the weights and
    `l = sqrt(E(t − f)₊²)`: of `s(f) = max_t t − c sqrt(E(t − f)₊²)` the root is `sqrt(z) = min_l (z/l + l)/2`. As it is a
    mean over samples, a batch estimates it and its gradients (by scores, `t` and `log_l`) without bias, while the
    robust mean of a batch is too high on average: a maximum over the scalars of the batch itself.

    Args:
        scores: a batch on the last axis, a fleet before it.
        t: the level above which samples get no weight.
        log_l: logarithm of `l`, so that any step keeps `l` positive.
        rho: bound on `E (W − 1)²/2`; exactly one of rho and chi2 (= 2 rho).
        chi2: bound on `E (W − 1)²`.

    Source: the dual of Balaji, Chellappa & Feizi 2020 for the chi-square ball; compare Namkoong & Duchi 2017, arXiv
    1610.02581.
    """
    c = _root_of(rho, chi2)
    below = (t[..., None] - scores).clamp_min(0)
    return t - c / 2 * (below.square().mean(-1) * torch.exp(-log_l) + torch.exp(log_l))


@final
class TwoScalarWeights:
    """Sample weights for a stream of batches from two tracked scalars, for batches too small to choose their own.

        tracker = TwoScalarWeights(chi2=0.1)
        for scores in batches:
            w = tracker(scores)          # W = (t − f)₊ / E(t − f)₊

    `t` and the mean come from the batches before this one, so that the weights of a batch need not have mean 1: a
    batch of outliers is light as a whole, and `mean(w f)` has none of the bias of weights chosen on the batch itself.
    The first batch chooses its own.

    Kept are decayed means of `1`, `t − f` and `(t − f)²` over the samples with `f < t`; with them `t` takes the step
    that would end at the root if no sample changed side, and the moments move along. `l = sqrt(E(t − f)₊²)`. Scores
    whose distribution drifts faster than `1/(1 − decay)` batches are followed late.

    Raises:
        UserError: rho and chi2 both or neither, a decay outside [0, 1).
    """

    def __init__(
        self,
        *,
        rho: float | int | None = None,
        chi2: float | int | None = None,
        decay: float | int = 0.99,
    ) -> None:
        self._c2 = _root_of(rho, chi2) ** 2
        if not 0 <= decay < 1:
            raise UserError(f"The decay is {decay!r}; it must be at least 0 and below 1, for example 0.99.")
        self._decay = float(decay)
        self._seen = 0
        self._t: Tensor | None = None
        self._moments: Tensor | None = None

    @property
    def t(self) -> Float[Tensor, "*fleet"]:
        """The level above which samples get no weight."""
        assert self._t is not None, "no batch has come yet"
        return self._t

    @property
    def log_l(self) -> Float[Tensor, "*fleet"]:
        """The logarithm of `l = sqrt(E(t − f)₊²)`."""
        assert self._moments is not None, "no batch has come yet"
        return self._moments[2].log() / 2

    @torch.no_grad()
    def __call__(self, scores: Float[Tensor, "*fleet n"]) -> Float[Tensor, "*fleet n"]:
        """The weights of this batch by what was tracked before it; then it is tracked too."""
        f = scores.double()
        if self._t is None or self._moments is None:
            self._t = f.mean(-1) + f.std(-1, correction=0)
            for _ in range(_STEPS):
                self._step(f, _moments_below(f, self._t))
        moments = self._moments
        assert moments is not None
        below = (self._t[..., None] - f).clamp_min(0)
        first = moments[1][..., None]
        w = torch.where(first > 0, below / first, 1.0)
        # The decay of a mean of few batches is that of a plain mean.
        self._seen += 1
        new = max(1 - self._decay, 1 / self._seen)
        self._step(f, torch.lerp(moments, _moments_below(f, self._t), new))
        return w.to(scores.dtype)

    def _step(self, f: Tensor, moments: Tensor) -> None:
        """Move `t` to the root on the samples below it, and the moments with it."""
        assert self._t is not None
        mass, first, second = moments
        mean = first / mass.clamp_min(1e-300)
        variance = (second / mass.clamp_min(1e-300) - mean.square()).clamp_min(0)
        surplus = self._c2 * mass - 1
        root = (variance / surplus.clamp_min(1e-300)).sqrt() - mean
        # Too few samples below t: raise it to the middle of the others.
        move = torch.where(surplus > 1e-12, root, (f.amax(-1) - self._t).clamp_min(0) / 2)
        self._t = self._t + move
        second = second + 2 * move * first + move.square() * mass
        self._moments = torch.stack([mass, first + move * mass, second])


_STEPS = 30
"Steps on the first batch: as in Newton's method a handful suffices."


def _moments_below(f: Tensor, t: Tensor) -> Tensor:
    """`P(f < t)`, `E(t − f)₊` and `E(t − f)₊²` on the first axis."""
    below = (t[..., None] - f).clamp_min(0)
    return torch.stack([(below > 0).double().mean(-1), below.mean(-1), below.square().mean(-1)])


def _root_of(rho: float | int | None, chi2: float | int | None) -> float:
    """`sqrt(1 + chi2)`."""
    ball = ball_from(rho=rho, chi2=chi2)
    assert isinstance(ball, ChiSquareBall)
    return math.sqrt(1 + ball.chi2)
