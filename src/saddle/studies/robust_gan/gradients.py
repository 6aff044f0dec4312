"""Gradients of a critic with a gradient penalty, and of a generator, in closed form.

For a network of leaky ReLUs with layers `h_l = σ(W_l h_{l−1} + b_l)` write `s_l = σ′` for its slopes at a point and

    d_L = 1,    d_l = s_l ∘ (W_{l+1}ᵀ d_{l+1}),    ∇ₓ D(x) = W_1ᵀ d_1.

The gradient of `Σ_i c_i D(x_i)` by `W_l` is `Σ_i c_i d_l h_{l−1}ᵀ`. A penalty `Σ_j p(∇ D(x_j))` with `v_j = ∇p` is, the
slopes being constant almost everywhere, a function of the weights alone, with the gradient `Σ_j d_l a_{l−1}ᵀ` where

    a_0 = v_j,    a_l = s_l ∘ (W_l a_{l−1}):

the same sum with another right-hand factor. So the second differentiation is one more sweep forwards.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.linalg import vector_norm

from saddle.core import State
from saddle.studies.robust_gan.layers import SLOPE, Traced

__all__ = ["backwards", "input_gradient", "parameter_gradient", "penalised_gradient"]


def backwards(
    state: State, player: str, hidden: list[Tensor], cotangent: Float[Tensor, "fleet batch out"]
) -> list[Tensor]:
    """`d_1, …, d_L` for the output's cotangent `d_L`."""
    sweep = [cotangent]
    for i in range(len(hidden), 1, -1):
        before = torch.bmm(sweep[0], state[f"{player}.weight{i}"])
        # The values have the signs of what they were made of, so they tell the slopes.
        sweep.insert(0, torch.ops.aten.leaky_relu_backward(before, hidden[i - 1], SLOPE, True))
    return sweep


def input_gradient(
    state: State, player: str, first: Float[Tensor, "fleet batch width"]
) -> Float[Tensor, "fleet batch in"]:
    """`W_1ᵀ d_1`."""
    return torch.bmm(first, state[f"{player}.weight1"])


def parameter_gradient(player: str, sweep: list[Tensor], hidden: list[Tensor]) -> State:
    """`Σ d_l h_{l−1}ᵀ` and `Σ d_l` of every layer."""
    gradient: State = {}
    for i, (d, h) in enumerate(zip(sweep, hidden, strict=True), start=1):
        gradient[f"{player}.weight{i}"] = torch.bmm(d.mT, h)
        gradient[f"{player}.bias{i}"] = d.sum(1)
    return gradient


def penalised_gradient(
    state: State,
    player: str,
    traced: Traced,
    cotangent: Float[Tensor, "fleet scored"],
    factor: float | int,
) -> State:
    """The gradient of `Σ_i c_i D(x_i) + factor · mean_j (|∇D(x_j)| − 1)²` by the network's entries.

    Args:
        traced: the network at the scored points `x_i`, and after them at the penalised ones `x_j`.
        cotangent: `c`; how many there are says where the penalised points begin.
    """
    hidden, scored = traced.hidden, cotangent.shape[1]
    penalised = hidden[0].shape[1] - scored
    ones = cotangent.new_ones(len(cotangent), penalised)
    sweep = backwards(state, player, hidden, torch.cat([cotangent, ones], dim=1).unsqueeze(2))
    slope = input_gradient(state, player, sweep[0][:, scored:])
    norm = vector_norm(slope, dim=2, keepdim=True)
    # Where the gradient is zero its norm has no derivative; autograd takes 0 there, and so does this.
    unit = slope / torch.where(norm > 0, norm, torch.ones_like(norm))
    right = (slope - unit) * (2 * factor / penalised)
    gradient: State = {}
    for i, (d, h) in enumerate(zip(sweep, hidden, strict=True), start=1):
        weight = state[f"{player}.weight{i}"]
        own = torch.bmm(d[:, :scored].mT, h[:, :scored])
        gradient[f"{player}.weight{i}"] = torch.baddbmm(own, d[:, scored:].mT, right)
        gradient[f"{player}.bias{i}"] = d[:, :scored].sum(1)
        if i < len(hidden):
            ahead = torch.bmm(right, weight.mT)
            right = torch.ops.aten.leaky_relu_backward(ahead, hidden[i][:, scored:], SLOPE, True)
    return gradient
