"""Units that do nothing: dead ReLUs, leaky ones that are always negative, saturated outputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from saddle.core.state import State
from saddle.gan.probes.gradients import Readings
from saddle.networks import Activation, Layer, Network
from saddle.networks.composite import Chain, Residual
from saddle.networks.layer import Shape
from saddle.networks.norm import BatchNorm
from saddle.networks.weighted import Weighted

__all__ = ["SATURATED", "observed", "unit_shares"]

SATURATED = 0.999
"An output of tanh beyond this has a slope below 0.002."

Seen = dict[str, list[Tensor]]


def observed(network: Network) -> tuple[Network, Seen]:
    """The same network, which also notes at every activation the share of units that do nothing (see `unit_shares`)."""
    seen: Seen = {}
    layers, _ = _observed(network.layers, seen, network.name)
    return replace(network, layers=tuple(layers), compiler=None), seen


def unit_shares(seen: Seen, fleet: int) -> Readings:
    """What an observed network noted in one call.

    `dead/<layer>`: share of the ReLU units behind the layer that are 0 on the whole batch. `saturated/<layer>`: share of
    the leaky units that are negative on the whole batch, which are linear there. A unit of a map is a channel: it
    counts where it does so at every pixel. `saturated/output`: share of the generator's pixels beyond 0.999.
    """
    # A network may compute its members one after the other.
    return {name: torch.cat(parts)[:fleet] for name, parts in seen.items()}


@final
@dataclass(frozen=True, kw_only=True)
class _Observer(Layer):
    """An activation that notes what it returns."""

    inner: Activation
    name: str
    seen: Seen

    def output_shape(self, shape: Shape) -> Shape:
        return self.inner.output_shape(shape)

    def apply(self, state: State, x: Tensor) -> Tensor:
        y = self.inner.apply(state, x)
        fleet = next(iter(state.values())).shape[0]
        with torch.no_grad():
            self.seen.setdefault(self.name, []).append(self._share(y, fleet))
        return y

    def _share(self, y: Tensor, fleet: int) -> Tensor:
        if self.inner.kind == "tanh":
            # A folded map holds all members' channels side by side; without maps the fleet leads.
            alike = y.unflatten(1, (fleet, -1)).transpose(0, 1) if y.ndim == 4 else y
            return (alike.abs() > SATURATED).flatten(1).float().mean(1)
        highest = y.amax((0, 2, 3)).view(fleet, -1) if y.ndim == 4 else y.amax(1)
        return (highest <= 0).float().mean(1)


def _observed(layers: Sequence[Layer], seen: Seen, name: str) -> tuple[list[Layer], str]:
    """Copies with observers, each called by the last layer with weights before it; returns that layer's name too."""
    found: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Activation):
            label = {"relu": f"dead/{name}", "leaky": f"saturated/{name}", "tanh": "saturated/output"}
            found.append(_Observer(inner=layer, name=label[layer.kind], seen=seen))
        elif isinstance(layer, Chain):
            inside, name = _observed(layer.layers, seen, name)
            found.append(Chain(layers=tuple(inside)))
        elif isinstance(layer, Residual):
            inside, name = _observed(layer.body.layers, seen, name)
            found.append(Residual(body=Chain(layers=tuple(inside)), shortcut=layer.shortcut))
        else:
            if isinstance(layer, (Weighted, BatchNorm)):
                name = layer.name.removesuffix("_norm")
            found.append(layer)
    return found, name
