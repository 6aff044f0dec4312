"""The weights of least mean in a Kullback-Leibler ball: an exponential tilt, its temperature by a safeguarded Newton."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["kullback_leibler_weights"]

_ITERATIONS = 100
"Bisection alone halves the logarithm of the bracket; Newton ends it in fewer than ten as a rule."


def kullback_leibler_weights(
    scores: Float[Tensor, "*fleet n"], masses: Float[Tensor, "*#fleet n"], rho: float | int
) -> Float[Tensor, "*fleet n"]:
    """`argmin { E[W f] : W ≥ 0, E W = 1, E[W log W] ≤ rho }` for scores `f` with masses of sum 1.

    The minimum is `W = exp(−θ f) / E exp(−θ f)` with `θ ≥ 0` the root of

        K(θ) = E[W log W] = rho,    dK/dθ = θ Var_W(f) ≥ 0,

    and `1/S` on the least scores, of mass `S`, where `rho ≥ −log S`. The root is found without a graph, by Newton steps
    on `log K` over `log θ` (a line while θ is small) inside a bracket that halves when a step leaves it; the graph is
    attached by one more Newton step, which gives exact first derivatives (implicit differentiation).
    """
    live = masses > 0
    least = torch.where(live, scores, torch.inf).amin(-1, keepdim=True).detach()
    ties = (scores == least).to(scores.dtype)
    limit = (ties * masses).sum(-1, keepdim=True)
    alone = limit.log().neg() <= rho  # all of the mass may go to the least scores
    if rho == 0:
        return torch.where(alone, ties / limit, torch.ones_like(scores))

    shifted = scores - least
    with torch.no_grad():
        theta = _root(shifted, masses, live, rho, alone)
    tilt, divergence, slope = _tilted(shifted, masses, theta)
    if divergence.requires_grad:
        theta = theta - (divergence - divergence.detach()) / torch.where(slope > 0, slope, torch.inf).detach()
        tilt, _, _ = _tilted(shifted, masses, theta)
    return torch.where(alone, ties / limit.detach(), tilt)


def _tilted(shifted: Tensor, masses: Tensor, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The weights at `θ`, their divergence, and its derivative by `θ`."""
    exponent = -theta * shifted
    peak = torch.where(masses > 0, exponent, -torch.inf).amax(-1, keepdim=True).detach()
    # A sample without mass may lie below all others; its weight does not count, and must not overflow.
    exponent = (exponent - peak).clamp_max(700.0)
    log_mean = (masses * exponent.exp()).sum(-1, keepdim=True).log()
    log_w = exponent - log_mean
    w = log_w.exp()
    # Terms of one sign, equal in sum to E[W log W] as E W = 1: nothing cancels for small radii.
    divergence = (masses * (w * log_w - torch.expm1(log_w))).sum(-1, keepdim=True)
    mean = (masses * w * shifted).sum(-1, keepdim=True)
    variance = (masses * w * (shifted - mean).square()).sum(-1, keepdim=True)
    return w, divergence, theta * variance


def _root(shifted: Tensor, masses: Tensor, live: Tensor, rho: float | int, settled: Tensor) -> Tensor:
    """`θ` with `K(θ) = rho`, and any positive number where there is none (`settled`)."""
    positive = live & (shifted > 0)
    span = torch.where(positive, shifted, 0.0).amax(-1, keepdim=True)
    nearest = torch.where(positive, shifted, torch.inf).amin(-1, keepdim=True)
    settled = settled | ~(span > 0)
    # Hoeffding: K(θ) ≤ θ² span²/8. At θ = 800/nearest every weight but the least scores' is zero in floats.
    low = torch.where(settled, 0.0, 0.5 * (math.log(8 * rho) - 2 * span.log()))
    high = torch.where(settled, 0.0, math.log(800.0) - nearest.log()).maximum(low)
    mean = (masses * shifted).sum(-1, keepdim=True)
    variance = (masses * (shifted - mean).square()).sum(-1, keepdim=True)
    u = torch.where(settled, 0.0, 0.5 * (math.log(2 * rho) - variance.log())).clamp(low, high)
    for iteration in range(_ITERATIONS):
        _, divergence, slope = _tilted(shifted, masses, u.exp())
        above = divergence > rho
        high, low = torch.where(above, u, high), torch.where(above, low, u)
        step = (rho / divergence).log() * divergence / (slope * u.exp())
        new = u + step
        new = torch.where((new > low) & (new < high), new, (low + high) / 2)
        moved = torch.where(settled, 0.0, (new - u).abs())
        u = new
        # Asking whether all have arrived waits for an accelerator, so there it is asked rarely.
        if (u.device.type == "cpu" or iteration % 10 == 9) and not bool(
            (moved > 4e-15 * (1 + u.abs())).any()
        ):
            break
    return u.exp()
