"""`as_module`: one member as a plain `torch.nn.Module`, for code that knows nothing of fleets."""

from jaxtyping import Float
from torch import Tensor, nn

from saddle.core.state import State
from saddle.networks.network import Network

__all__ = ["as_module"]


def as_module(network: Network, state: State, member: int = 0) -> nn.Module:
    """A module `(batch, …) → (batch, …)` that holds a copy of member `member` of `state`.

    Its `state_dict` has the state's own names. Entries of `network.statistics` in `state` are taken along (as buffers),
    so that samples do not depend on their neighbours; leave them out to train further.
    """
    return _Member(network, state, member)


class _Member(nn.Module):
    def __init__(self, network: Network, state: State, member: int) -> None:
        super().__init__()
        self.network = network
        kept = [key for key in network.statistic_names if key in state]
        self._keys = (*network.parameters, *network.buffers, *kept)
        for key in self._keys:
            value = state[key][member].detach().clone()
            home, _, leaf = key.rpartition(".")
            owner = self._child(home)
            if key in network.parameters:
                owner.register_parameter(leaf, nn.Parameter(value))
            else:
                owner.register_buffer(leaf, value)

    def _child(self, path: str) -> nn.Module:
        """The (possibly new) empty module at `path`: names of entries become a tree, as in any other module."""
        module: nn.Module = self
        for name in path.split("."):
            if name not in module._modules:
                module.add_module(name, nn.Module())
            module = module.get_submodule(name)
        return module

    def forward(self, x: Float[Tensor, "batch *sample"]) -> Float[Tensor, "batch *result"]:
        held = dict(self.named_parameters()) | dict(self.named_buffers())
        state = {key: held[key].unsqueeze(0) for key in self._keys}
        return self.network(state, x.unsqueeze(0)).squeeze(0)

    def extra_repr(self) -> str:
        return repr(self.network)
