"""The discriminator at images: logits, and gradients with respect to its input."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.networks import Network

__all__ = ["input_gradients", "logits"]

Images = Float[Tensor, "fleet _ channels height width"]


def logits(
    critic: Network, state: State, images: Sequence[Images], *, size: int
) -> list[Float[Tensor, "fleet n"]]:
    """`D(x)` at each set of images.

    With batch norm every set is computed apart from the others and in batches of `size`, as in training; an incomplete
    last batch of more than one image counts as one.
    """
    with torch.no_grad():
        if critic.statistic_names:
            return [_in_batches(critic, state, each, size) for each in images]
        both = critic(state, torch.cat(list(images), dim=1))
        return list(both.float().split([each.shape[1] for each in images], dim=1))


def input_gradients(critic: Network, state: State, images: Sequence[Images]) -> list[Float[Tensor, " fleet"]]:
    """The mean norm of `∂ΣD/∂x` over each set of images; of a linear critic `w·x + b` it is `‖w‖` everywhere.

    Without batch norm `D(xᵢ)` depends on `xᵢ` alone, and this is the norm that gradient penalties push to 1 or 0.
    """
    sets = list(images) if critic.statistic_names else [torch.cat(list(images), dim=1)]
    found: list[Tensor] = []
    for each in sets:
        at = each.detach().clone().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(critic(state, at).float().sum(), at)
        found.append(torch.linalg.vector_norm(gradient.flatten(2), dim=2))
    if not critic.statistic_names:
        found = list(found[0].split([each.shape[1] for each in images], dim=1))
    return [each.mean(1) for each in found]


def _in_batches(critic: Network, state: State, images: Tensor, size: int) -> Tensor:
    parts = [part for part in images.split(size, dim=1) if part.shape[1] > 1 or images.shape[1] == 1]
    return torch.cat([critic(state, part).float() for part in parts], dim=1)
