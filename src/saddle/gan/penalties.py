"""Penalties on the discriminator's gradient with respect to its input images."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["gradient_penalty", "squared_gradient"]

Images = Float[Tensor, "fleet batch channels height width"]
Critic = Callable[[Tensor], Tensor]


def squared_gradient(logits: Float[Tensor, "fleet batch"], images: Images) -> Float[Tensor, " fleet"]:
    """`E |∇ₓ D(x)|²` at images that `logits` were computed from (R1 at real, R2 at generated images).

    The graph of the gradient is kept, so that the result can be differentiated again. Needs a discriminator
    whose logit `i` depends on image `i` alone (no batch norm).

    Source: Mescheder et al. 2018, arXiv 1801.04406, equations 9 and 10.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(2).sum(2).mean(1)


def gradient_penalty(
    critic: Critic, real: Images, fake: Images, mix: Float[Tensor, "fleet batch"]
) -> Float[Tensor, " fleet"]:
    """`E (|∇ₓ D(x̂)| − 1)²` at `x̂ = u x + (1 − u) G(z)` with `u` = `mix`, uniform on [0, 1].

    Source: Gulrajani et al. 2017, arXiv 1704.00028, algorithm 1.
    """
    weight = mix[:, :, None, None, None]
    between = torch.lerp(fake, real, weight).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norm = torch.linalg.vector_norm(gradient.flatten(2), dim=2)
    return (norm - 1).square().mean(1)
