"""Singular values of the layers' matrices."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.gan.probes.gradients import Readings
from saddle.networks import Layer, Network
from saddle.networks.composite import Composite
from saddle.networks.weighted import Weighted

__all__ = ["layer_singular_values", "singular_values"]


def layer_singular_values(network: Network, state: State) -> Readings:
    """The largest and smallest singular value of every layer's matrix (outputs x everything else), as it computes.

    With spectral norm that is the divided weight, whose largest value is 1 as far as one power iteration a step
    follows. Convolutions are taken as the reshaped kernel, which is what spectral norm bounds, not as the operator on
    maps (whose norm is larger by at most the square root of the number of kernel positions).
    """
    found: Readings = {}
    with torch.no_grad():
        for layer in weighted_layers(network.layers):
            values = singular_values(layer.matrix(layer.weight_of(state)))
            found[f"sigma_max/{layer.name}"] = values[:, 0]
            found[f"sigma_min/{layer.name}"] = values[:, -1]
    return found


def singular_values(matrix: Float[Tensor, "fleet m n"]) -> Float[Tensor, "fleet k"]:
    """All `min(m, n)` singular values, largest first, as roots of the eigenvalues of the smaller Gram matrix.

    In double precision, so that values down to 1e-8 of the largest are right; far faster than a decomposition of a
    flat matrix. NaN for a member whose matrix is not finite.
    """
    wide = matrix.double()
    if wide.shape[1] > wide.shape[2]:
        wide = wide.transpose(1, 2)
    gram = wide @ wide.transpose(1, 2)
    finite = torch.isfinite(gram).flatten(1).all(1)
    if gram.shape[1] == 1:
        return gram[:, 0].sqrt()
    # One member that is not finite would fail the whole batch.
    safe = torch.where(finite[:, None, None], gram, 0.0)
    values = torch.linalg.eigvalsh(safe).flip(1).clamp(min=0).sqrt()
    return torch.where(finite[:, None], values, torch.nan)


def weighted_layers(layers: Sequence[Layer]) -> Iterator[Weighted]:
    """The linear layers and convolutions in `layers` and inside composites."""
    for layer in layers:
        if isinstance(layer, Weighted):
            yield layer
        elif isinstance(layer, Composite):
            yield from weighted_layers(layer.parts)
