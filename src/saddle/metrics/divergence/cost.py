"""What the critic maximises, and what the divergence is: minus the cost of WGAN-GP, penalty included."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["gain"]

Folded = Float[Tensor, "batch folded height width"]
FLOOR = 1e-8
"Inside the root, as in the published code: the norm has a derivative where the gradient vanishes."


def gain(
    critic: Callable[[Tensor], Tensor],
    real: Folded,
    fake: Folded,
    mix: Float[Tensor, "batch fleet"],
    *,
    penalty: float,
    trains: bool,
) -> Float[Tensor, " fleet"]:
    """`E D(x) - E D(y) - λ E (|∇D(x + u (y - x))| - 1)²` of each member, with u = `mix` uniform on [0, 1].

    Of any critic this is at most `E [r + r²/4λ]` with r = |x - y| over independent pairs: the difference is
    `E ∇D(x + u (y - x))·(x - y) ≤ E r |∇D|` over the very points of the penalty, and `r s - λ (s - 1)²` is largest
    at s = 1 + r/2λ. For two point masses the bound is attained.

    With `trains` the result can be differentiated by the critic's parameters; otherwise nothing is kept.

    Source: Gulrajani et al. 2017, arXiv 1704.00028, algorithm 1; Gulrajani, Raffel & Metz 2019 for its value.
    """
    fleet = mix.shape[1]
    channels = real.shape[1] // fleet
    weight = mix.repeat_interleave(channels, 1)[:, :, None, None]
    between = torch.lerp(real, fake, weight).requires_grad_()
    with torch.set_grad_enabled(trains):
        scores = critic(torch.cat([real, fake]))
    # The interpolates apart from the rest: only their graph is differentiated twice.
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=trains)
    norm = (gradient.reshape(len(real), fleet, -1).square().sum(2) + FLOOR).sqrt()
    real_scores, fake_scores = scores.split(len(real))
    return (real_scores - fake_scores - penalty * (norm - 1).square()).mean(0)
