"""Spectral normalisation: weights divided by an estimate of their largest singular value."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

__all__ = ["power_iteration", "spectral_scale"]


def spectral_scale(
    matrix: Float[Tensor, "fleet m n"], u: Float[Tensor, "fleet m"], v: Float[Tensor, "fleet n"]
) -> Float[Tensor, "fleet 1 1"]:
    """The estimate `σ = uᵀ W v` of every member's largest singular value.

    Gradients flow through `W` and never through `u` and `v`, so that ∇(W/σ) has the extra term of the source.

    Source: Miyato et al. 2018, arXiv 1802.05957, equations 7-8 and 12.
    """
    # Not in reduced precision: u and v were iterated in full, and σ divides every weight of the layer.
    with torch.autocast(matrix.device.type, enabled=False):
        return torch.bmm(u.detach().unsqueeze(1), torch.bmm(matrix, v.detach().unsqueeze(2)))


@torch.no_grad()
def power_iteration(
    matrix: Float[Tensor, "fleet m n"], u: Float[Tensor, "fleet m"], iterations: int = 1
) -> tuple[Float[Tensor, "fleet m"], Float[Tensor, "fleet n"]]:
    """`v ← Wᵀu / |Wᵀu|`, then `u ← Wv / |Wv|`, `iterations` times (source: algorithm 1 of Miyato et al. 2018)."""
    assert iterations >= 1, "v is known only after one iteration"
    v = u
    for _ in range(iterations):
        v = normalize(torch.bmm(u.unsqueeze(1), matrix).squeeze(1), dim=1, eps=1e-12)
        u = normalize(torch.bmm(matrix, v.unsqueeze(2)).squeeze(2), dim=1, eps=1e-12)
    return u, v
