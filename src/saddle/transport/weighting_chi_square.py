"""The weights of least mean in a chi-square ball: clipped affine in the score, found by one sort."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["chi_square_weights"]


def chi_square_weights(
    scores: Float[Tensor, "*fleet n"], masses: Float[Tensor, "*#fleet n"], chi2: float | int
) -> Float[Tensor, "*fleet n"]:
    """`argmin { E[W f] : W ≥ 0, E W = 1, E (W − 1)² ≤ R }` for scores `f` with masses of sum 1 and `R = chi2`.

    The minimum is `W = (t − f)₊ / E(t − f)₊` with `t` the root of `E(t − f)₊² / (E(t − f)₊)² = 1 + R`, a function that
    falls from one over the mass of the least scores to 1. On the samples with `f < t`, of mass `S`, mean `m` and
    variance `v` of their scores, the root is closed:

        W = (1 − s (f − m)) / S,    s = 1/(t − m) = sqrt((R S − (1 − S)) / v).

    The sort and its sums of prefixes say which samples these are; `S`, `m` and `v` are then summed anew around `m`, so
    that nothing cancels. Autograd runs through this last form only, where it is exact: the set does not change in the
    small. `R = 0` gives 1, equal scores give 1, and an `R` that lets all mass go to the least scores gives `1/S` on
    them.
    """
    with torch.no_grad():
        centred = scores - _least(scores, masses)
        ascending, order = centred.sort(-1)
        p = masses.expand_as(scores).gather(-1, order)
        pg = p * ascending
        s0, s1, s2 = p.cumsum(-1), pg.cumsum(-1), (pg * ascending).cumsum(-1)
        # E(t − f)₊² ≥ (1 + R)(E(t − f)₊)² at t = each score, multiplied by S and freed of what cancels.
        surplus = chi2 * s0 - (s0[..., -1:] - s0)
        below = s0 * s2 - s1.square() >= (ascending * s0 - s1).square() * surplus
        last = ascending.gather(-1, (below.sum(-1, keepdim=True) - 1).clamp_min(0))
        active = (centred <= last).to(scores.dtype)
        origin = (masses * active * scores).sum(-1, keepdim=True) / (masses * active).sum(-1, keepdim=True)

    share = masses * active
    total = share.sum(-1, keepdim=True)
    shifted = scores - origin
    deviation = shifted - (share * shifted).sum(-1, keepdim=True) / total
    variance = (share * deviation.square()).sum(-1, keepdim=True) / total
    surplus = chi2 * total - (masses * (1 - active)).sum(-1, keepdim=True)
    spread = (variance > 0) & (surplus > 0)
    ratio = torch.where(spread, surplus, 1.0) / torch.where(spread, variance, 1.0)
    slope = torch.where(spread, ratio.sqrt(), 0.0)
    return active * (1 - slope * deviation).clamp_min(0) / total


def _least(scores: Tensor, masses: Tensor) -> Tensor:
    """The least score that carries mass, kept as a last axis of length 1."""
    return torch.where(masses > 0, scores, torch.inf).amin(-1, keepdim=True)
