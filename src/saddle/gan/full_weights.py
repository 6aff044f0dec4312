"""The weights of the whole training set under one discriminator, in one pass."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle.core.state import State
from saddle.gan.batches import member_generators
from saddle.gan.problem import GanProblem
from saddle.gan.sampling import fixed_latents, standing_statistics
from saddle.gan.weighing import ball_of
from saddle.transport import weights

__all__ = ["full_weights", "real_terms"]

FAKES = 64
"Generated images that every real one is paired with, where a loss takes pairs."
BATCH = 256
FAKE_LATENTS, SHUFFLE = 10, 11  # purpose numbers


def full_weights(
    problem: GanProblem, state: State, images: UInt8[Tensor, "n channels height width"]
) -> Float[Tensor, " n"]:
    """The minimiser of `−E[W ℓ(D(x))]` over the ball of `problem` and all `images`, for a fleet of one.

    Free of a batch's bias. For every `robust_by` it is the closed form, on the ball of the configuration; whoever
    trained with a weight network gets the weights that the network should have learnt.
    """
    found = weights(-real_terms(problem, state, images), ball=ball_of(problem.config))
    assert isinstance(found, Tensor)
    return found.float()


@torch.no_grad()
def real_terms(
    problem: GanProblem, state: State, images: UInt8[Tensor, "n channels height width"]
) -> Float[Tensor, " n"]:
    """The discriminator's loss at every image, `ℓ(D(x))`; the mean over `FAKES` generated ones where it takes pairs.

    Images pass in shuffled batches of one size, because a batch norm's statistics are those of the batch.
    """
    order = torch.randperm(len(images), generator=member_generators([0], SHUFFLE)[0])
    logits = torch.empty(len(images), device=images.device)
    for at in order.to(images.device).split(BATCH):
        # The last batch is filled up with images of the first.
        filled = torch.cat([at, order[: BATCH - len(at)].to(at.device)])
        pixels = images[filled].float().div_(127.5).sub_(1)[None]
        logits[at] = problem.discriminator(state, pixels)[0, : len(at)].float()
    if not problem.loss.paired:
        real = logits[None]
        return problem.loss.real_terms(real, real)[0]
    latents = fixed_latents(0, FAKES, problem.config.latent, purpose=FAKE_LATENTS).to(images.device)
    frozen = state | standing_statistics(problem.generator, state)
    fakes = problem.discriminator(state, problem.generator(frozen, latents))[0].float()
    total = torch.zeros_like(logits)
    for fake in fakes:
        total += problem.loss.real_terms(logits[None], fake.expand(1, len(logits)))[0]
    return total / FAKES
