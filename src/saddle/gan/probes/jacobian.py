"""The generator's Jacobian: how much its images move with each direction of the latent."""

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.gan.probes.gradients import Readings
from saddle.gan.probes.singular import singular_values
from saddle.networks import Network

__all__ = ["effective_rank", "generator_jacobian", "jacobian_readings"]

POINTS = 4
"Latents at which a probe takes the Jacobian."


def generator_jacobian(
    network: Network, state: State, latent: Float[Tensor, "fleet latent"]
) -> Float[Tensor, "fleet latent pixels"]:
    """`(∂G/∂z)ᵀ` of every member at its `latent`, with standing statistics in `state`: row i is `∂G/∂zᵢ`.

    Exact: in a batch that holds the latent once for every direction `eᵢ`, `Jᵀ w` is a linear function of w, and its
    backward pass gives `J eᵢ` for all i at once. Three passes over as many images as there are latents, where one
    backward pass a pixel would be far more; needs nothing but second derivatives, which penalties need too.
    """
    fleet, size = latent.shape
    points = latent.unsqueeze(1).repeat(1, size, 1).requires_grad_()
    directions = torch.eye(size, dtype=latent.dtype, device=latent.device).expand(fleet, -1, -1)
    with torch.enable_grad():
        images = network(state, points)
        weights = torch.zeros_like(images).requires_grad_()
        (transposed,) = torch.autograd.grad(images, points, weights, create_graph=True)
        (found,) = torch.autograd.grad(transposed, weights, directions)
    return found.flatten(2).float()


def jacobian_readings(
    network: Network,
    state: State,
    latents: Float[Tensor, "fleet k latent"],
    *,
    points: int = POINTS,
) -> Readings:
    """σ_max, σ_min and effective rank of `∂G/∂z`, means over the first `points` latents, and the condition number.

    Batch norms use their statistics over all of `latents`, so that an image depends on its own latent only. The
    condition number is the geometric mean of `σ_max / σ_min` (a high one, Odena et al. 2018, arXiv 1802.08768, found
    with bad scores).
    """
    frozen = state | network.statistics(state, latents)
    found = torch.stack(
        [
            singular_values(generator_jacobian(network, frozen, latents[:, point]))
            for point in range(min(points, latents.shape[1]))
        ],
        dim=1,
    )
    largest, smallest = found[..., 0], found[..., -1]
    return {
        "jacobian/sigma_max": largest.mean(1),
        "jacobian/sigma_min": smallest.mean(1),
        "jacobian/effective_rank": effective_rank(found).mean(1),
        "jacobian/condition": (largest / smallest).log().mean(1).exp(),
    }


def effective_rank(values: Float[Tensor, "*n k"]) -> Float[Tensor, "*n"]:
    """`exp(−Σ pᵢ ln pᵢ)` with `pᵢ = σᵢ / Σσ`: k for equal singular values, 1 for a single one.

    Source: Roy & Vetterli 2007, "The effective rank", EUSIPCO, definition 1.
    """
    shares = values / values.sum(-1, keepdim=True)
    return torch.special.entr(shares).sum(-1).exp()
