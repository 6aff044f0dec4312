"""The weights of least mean in the total-variation and the CVaR ball: the highest scores are trimmed."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["cvar_weights", "total_variation_weights"]

_ROUNDING = 1e-12
"Masses that differ by less are equal: the sums of prefixes round."


def cvar_weights(
    scores: Float[Tensor, "*fleet n"], masses: Float[Tensor, "*#fleet n"], share: float | int
) -> Float[Tensor, "*fleet n"]:
    """`argmin { E[W f] : 0 ≤ W ≤ 1/(1 − share), E W = 1 }`: the highest scores go, up to the mass `share`.

    Equal scores get equal weights, also where the cut goes through them.
    """
    kept = torch.full_like(scores[..., :1], 1 - share)
    return _lowest(scores, masses, kept) / (1 - share)


def total_variation_weights(
    scores: Float[Tensor, "*fleet n"], masses: Float[Tensor, "*#fleet n"], rho: float | int
) -> Float[Tensor, "*fleet n"]:
    """`argmin { E[W f] : W ≥ 0, E W = 1, E|W − 1| ≤ 2 rho }`: the mass `rho` moves from the highest to the least scores.

    What already lies on the least scores, of mass `S`, stays: at most `1 − S` moves. Equal scores get equal weights.
    """
    with torch.no_grad():
        least = torch.where(masses > 0, scores, torch.inf).amin(-1, keepdim=True)
        ties = (scores == least).to(scores.dtype)
    floor = (ties * masses).sum(-1, keepdim=True)
    moved = (1 - floor).clamp(0, rho)
    return _lowest(scores, masses, 1 - moved) + ties * moved / floor


def _lowest(scores: Tensor, masses: Tensor, kept: Tensor) -> Tensor:
    """The part of each sample, in [0, 1], that belongs to the lowest scores of total mass `kept`."""
    with torch.no_grad():
        ascending, order = scores.sort(-1)
        filled = masses.expand_as(scores).gather(-1, order).cumsum(-1)
        cut = (filled < kept - _ROUNDING).sum(-1, keepdim=True).clamp_max(scores.shape[-1] - 1)
        threshold = ascending.gather(-1, cut)
        below, at = (scores < threshold).to(scores.dtype), (scores == threshold).to(scores.dtype)
    mass_at = (at * masses).sum(-1, keepdim=True)
    rest = kept - (below * masses).sum(-1, keepdim=True)
    part = torch.where(mass_at > 0, rest / torch.where(mass_at > 0, mass_at, 1.0), 0.0).clamp(0, 1)
    return below + at * part
