"""What the players do at a checkpoint: how far the discriminator tells images apart, what the generator learns from it."""

import math
from typing import final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle.core.state import State
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.problem import GanProblem

__all__ = ["Probed", "auc"]

SEED = 2_000_000_011
"Seed of the latents and batches of every measurement; training uses the run's own."
BATCH = 256
"Images a side of a measurement, or as many as there are."


def auc(high: Float[Tensor, " n"], low: Float[Tensor, " m"]) -> float:
    """P(a value of `high` is above one of `low`), ties half: ½ where they do not differ (Mann & Whitney 1947)."""
    difference = high.double().unsqueeze(1) - low.double()
    return float((difference > 0).double().mean() + 0.5 * (difference == 0).double().mean())


@final
class Probed:
    """A GAN at a checkpoint, with the same latents and images for every measurement."""

    def __init__(
        self,
        problem: GanProblem,
        state: State,
        train: UInt8[Tensor, "n c h w"],
        test: UInt8[Tensor, "m c h w"],
    ) -> None:
        self.problem, self.state = problem, state
        # Batch norm sees a batch, so with it all sides have as many images.
        most = min(BATCH, len(train), len(test)) if problem.config.discriminator_norm == "batch" else BATCH
        chosen = torch.Generator().manual_seed(SEED)
        self.train, self.test = (
            _scaled(images[torch.randperm(len(images), generator=chosen)[:most]]) for images in (train, test)
        )
        (generator,) = member_generators([SEED], 1)
        self.latent = torch.randn(1, most, problem.config.latent, generator=generator)
        self.batch = min(problem.config.batch, len(train))
        self._images = train

    def batches(self) -> GanBatches:
        """The run's kind of batches from a stream of their own, from its beginning."""
        return GanBatches(self._images, seeds=[SEED], batch=self.batch, latent=self.problem.config.latent)

    @torch.no_grad()
    def overfit(self) -> dict[str, float]:
        """P(logit of a training image > logit of a held-out one): ½ where D knows no image by heart, and how sure.

        auc/overfit          that probability, over all pairs
        auc/overfit error    its standard error where both sides are alike, √((n + m + 1) / 12 n m)
        """
        network = self.problem.discriminator
        train, test = (network(self.state, x)[0].float() for x in (self.train, self.test))
        n, m = len(train), len(test)
        error = math.sqrt((n + m + 1) / (12 * n * m))
        return {"auc/overfit": auc(train, test), "auc/overfit error": error}

    def signal(self, first: State) -> dict[str, float]:
        """The generator's gradient in its factors, so that one sees which of them has vanished.

        loss_slope/generator   mean |∂ℓ_G/∂D(G(z))| of an image: 1 where the loss passes D's opinion on (of the
                               logistic losses; |D − 1| of least squares), 0 where it has flattened out
        steepness/fake         mean ‖∂D/∂x‖ at generated images over the slope of a straight line from them to real ones,
                               (mean D(x) − mean D(G(z))) / mean ‖x − G(z)‖: far below 1, D is flat where the fakes are
        gain/generator         ‖∇_θ ℓ_G‖ over ‖∂ℓ_G/∂G(z)‖ of a batch, divided by the same with the generator of
                               step 0 (`first`): 0 where outputs are saturated or units dead
        """
        with torch.no_grad():
            fake = self.problem.generator(self.state, self.latent)
            margins = [float(self.problem.discriminator(self.state, x).mean()) for x in (self.train, fake)]
        slope = self._slope(fake)
        apart = float(torch.cdist(self.train[0].flatten(1), fake[0].flatten(1)).mean())
        gap = margins[0] - margins[1]
        generators = {key: first[key] for key in self.problem.generator.parameters}
        before = self._gain(self.state | generators)
        return {
            "loss_slope/generator": self._loss_slope(),
            "steepness/fake": slope * apart / gap if gap > 0 else math.nan,
            "gain/generator": self._gain(self.state) / before if before > 0 else math.nan,
        }

    def _gain(self, state: State) -> float:
        keys = list(self.problem.generator.parameters)
        moving = {key: state[key].detach().requires_grad_() for key in keys}
        images = self.problem.generator(state | moving, self.latent)
        logits = self.problem.discriminator(state, images).float()
        # Only how much the generator passes on is asked, so the loss's own slope is left out.
        at_images, *at_weights = torch.autograd.grad(
            logits.mean(), [images, *moving.values()], allow_unused=True
        )
        weights = math.sqrt(sum(float(g.double().square().sum()) for g in at_weights if g is not None))
        above = float(at_images.double().norm())
        return weights / above if above > 0 else math.nan

    def _slope(self, images: Tensor) -> float:
        x = images.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.problem.discriminator(self.state, x).float().sum(), x)
        return float(gradient.flatten(2).norm(dim=2).mean())

    def _loss_slope(self) -> float:
        with torch.no_grad():
            fake = self.problem.discriminator(self.state, self.problem.generator(self.state, self.latent))
            real = self.problem.discriminator(self.state, self.train)
        logits = fake.float().detach().requires_grad_()
        loss = self.problem.loss.generator(logits, real.float() if self.problem.loss.paired else None)
        (slope,) = torch.autograd.grad(loss.sum(), logits)
        return float(slope.abs().sum())


def _scaled(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "1 n c h w"]:
    return images.unsqueeze(0).to(torch.float32).div_(127.5).sub_(1)
