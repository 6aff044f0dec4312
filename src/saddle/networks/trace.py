"""`preactivations`: what every linear layer of a network puts out."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.networks.composite import Chain, Residual
from saddle.networks.layer import Layer
from saddle.networks.network import Network
from saddle.networks.weighted import Weighted

__all__ = ["preactivations"]


@torch.no_grad()
def preactivations(
    network: Network, state: State, x: Float[Tensor, "fleet batch *sample"]
) -> dict[str, Float[Tensor, "fleet _"]]:
    """The outputs (bias included) of all linear and convolution layers for the inputs `x`, by the layer's full name.

    Flat, member by member, in the order of computation: the last one is the network's score or its image before tanh.
    """
    found: dict[str, Tensor] = {}

    def through(layers: Sequence[Layer], x: Tensor) -> Tensor:
        for layer in layers:
            if isinstance(layer, Chain):
                x = through(layer.layers, x)
            elif isinstance(layer, Residual):
                x = through(layer.body.layers, x) + through(layer.shortcut.layers, x)
            else:
                x = layer.apply(state, x)
            if isinstance(layer, Weighted):
                # Vectors are (F, B, n), maps (B, F·C, H, W); a copy, because the activation may overwrite them.
                apart = x if x.ndim == 3 else x.unflatten(1, (fleet, -1)).transpose(0, 1)
                found[layer.name] = apart.reshape(fleet, -1).clone()
        return x

    fleet = len(x)
    through(network.layers, x)
    return found
