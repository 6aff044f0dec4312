"""Conformance of a network: what every pure function of a fleet's state must obey."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from saddle.core.state import State
from saddle.networks.network import Network

__all__ = ["check_network"]

TOLERANCE = 1e-10


def check_network(network: Network, *, fleet: int = 3, batch: int = 4, seed: int = 0) -> None:
    """Hold `network` to what a network promises, in float64, with `fleet` members of `batch` samples.

    Held to: names of parameters and buffers that are disjoint and complete, with counts equal to the tensors'; member
    i's fresh state from its generator alone; outputs of the promised shape, the same each time, with inputs and state
    left alone; a fleet equal to its members computed alone, together or one after the other; members that never mix,
    bit for bit, even when one is NaN; a gradient for every parameter; a penalty on the input's gradient that reaches
    the parameters; standing statistics that reproduce the batch they come from and make samples independent of their
    neighbours; power iterations that return buffers without a graph; a `repr` that says what it is.

    Raises AssertionError with a sentence that says which promise broke.
    """
    assert fleet >= 2, "whether members mix shows from two members on"
    state = _fresh(network, range(seed, seed + fleet))
    x = torch.randn(
        fleet, batch, *network.input_shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    _check_names(network, state)
    _check_init(network, state, seed)
    _check_output(network, state, x)
    _check_fleet(network, state, x)
    _check_mixing(network, state, x)
    _check_penalty(network, state, x)
    _check_statistics(network, state, x)
    _check_refresh(network, state)
    assert f"{network.parameter_count:,}" in repr(network), "repr does not tell the parameter count"


def _fresh(network: Network, seeds: Sequence[int]) -> State:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return {key: entry.double() for key, entry in network.init(generators).items()}


def _check_names(network: Network, state: State) -> None:
    names = [*network.parameters, *network.buffers]
    assert len(set(names)) == len(names), "a name is both a parameter and a buffer, or occurs twice"
    assert set(names) == set(state), "a fresh state has other entries than parameters and buffers"
    count = sum(state[key][0].numel() for key in network.parameters)
    assert count == network.parameter_count, f"parameter_count is {network.parameter_count}, not {count}"


def _check_init(network: Network, state: State, seed: int) -> None:
    fleet = len(next(iter(state.values())))
    alone = _fresh(network, [seed + fleet - 1])
    for key, entry in state.items():
        assert torch.equal(entry[-1:], alone[key]), (
            f"the last member's fresh {key} depends on the other members"
        )


def _check_output(network: Network, state: State, x: Tensor) -> None:
    kept, kept_state = x.clone(), {key: entry.clone() for key, entry in state.items()}
    first = network(state, x)
    assert first.shape == (*x.shape[:2], *network.output_shape), f"the output has shape {tuple(first.shape)}"
    assert first.isfinite().all(), "a fresh network returns numbers that are not finite"
    assert torch.equal(first, network(state, x)), "two calls with the same state and input differ"
    assert torch.equal(x, kept), "the call changed its input"
    assert all(torch.equal(state[key], kept_state[key]) for key in state), "the call changed the state"


def _check_fleet(network: Network, state: State, x: Tensor) -> None:
    alone = torch.cat(
        [network({k: v[i : i + 1] for k, v in state.items()}, x[i : i + 1]) for i in range(len(x))]
    )
    for limit, how in ((2**62, "together"), (0, "one after the other")):
        error = (replace(network, together_up_to=limit)(state, x) - alone).abs().max()
        assert error <= TOLERANCE * max(1.0, float(alone.abs().max())), f"members {how} are off by {error}"


def _check_mixing(network: Network, state: State, x: Tensor) -> None:
    together = replace(network, together_up_to=2**62)
    output, gradients = _gradients(together, state, x)
    for key in network.parameters:
        # In one member at least: in a narrow network all ReLUs of a layer can be off.
        assert gradients[key].ne(0).any(), f"no gradient reaches {key}"
    spoilt = {key: entry.clone() for key, entry in state.items()}
    for key in network.parameters:
        spoilt[key][1] = torch.nan
    other, spoilt_gradients = _gradients(together, spoilt, x)
    assert torch.equal(output[0], other[0]), "a member's output depends on another member"
    assert other[1].isnan().all(), "NaN parameters do not show in their own member"
    for key in network.parameters:
        same = torch.equal(gradients[key][0], spoilt_gradients[key][0])
        assert same, f"a member's gradient for {key} depends on another member"


def _gradients(network: Network, state: State, x: Tensor) -> tuple[Tensor, State]:
    live = state | {key: state[key].detach().requires_grad_() for key in network.parameters}
    output = network(live, x)
    # Cubes, not the sum: after a batch norm a plain sum has no gradient.
    gradients = torch.autograd.grad((output + output**3).sum(), [live[key] for key in network.parameters])
    return output.detach(), dict(zip(network.parameters, gradients, strict=True))


def _check_penalty(network: Network, state: State, x: Tensor) -> None:
    live = state | {key: state[key].detach().requires_grad_() for key in network.parameters}
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(live, x).sum(), x, create_graph=True)
    weights = [live[key] for key in network.parameters if key.endswith(".weight")]
    # Summed scores no longer depend on a last layer's shift, and may not on other single entries: None is right there.
    seconds = torch.autograd.grad(slope.square().sum(), weights, allow_unused=True)
    assert any(second is not None and second.ne(0).any() for second in seconds), (
        "a gradient penalty has no gradient"
    )
    assert all(second is None or second.isfinite().all() for second in seconds), (
        "a second derivative is not finite"
    )


def _check_statistics(network: Network, state: State, x: Tensor) -> None:
    live = state | {key: state[key].detach().requires_grad_() for key in network.parameters}
    found = network.statistics(live, x)
    assert set(found) == set(network.statistic_names), "statistics returns other entries than statistic_names"
    assert not any(entry.requires_grad for entry in found.values()), "statistics recorded a graph"
    standing = network(state | found, x)
    error = (standing - network(state, x)).abs().max()
    assert error <= 1e-8 * max(1.0, float(standing.abs().max())), f"standing statistics are off by {error}"
    few = network(state | found, x[:, :1])
    error = (few - standing[:, :1]).abs().max()
    scale = max(1.0, float(standing.abs().max()))
    assert error <= TOLERANCE * scale, "with standing statistics a sample depends on its neighbours"


def _check_refresh(network: Network, state: State) -> None:
    live = state | {key: state[key].detach().requires_grad_() for key in network.parameters}
    fresh = network.refresh(live)
    assert set(fresh) == set(network.buffers), "refresh returns other entries than the buffers"
    for key, entry in fresh.items():
        assert entry.shape == state[key].shape and not entry.requires_grad, f"refresh spoils {key}"
