"""How well the discriminator tells real images, seen and held out, from generated ones."""

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.gan.losses import Hinge, LeastSquares, Loss, NonSaturating
from saddle.gan.probes.gradients import Readings

__all__ = ["decisions", "ranking", "threshold"]

Logits = Float[Tensor, "fleet _"]


def decisions(loss: Loss, train: Logits, test: Logits | None, fake: Logits) -> Readings:
    """Margins, balanced accuracies and rankings of the logits at training, held-out and generated images.

    `margin/…` is the mean logit. `accuracy/train` and `accuracy/test` are the mean of the share of those real images
    above the loss's `threshold` and the share of generated ones not above it (`accuracy/fake`): 1 separates, ½ guesses.
    `ranking/train` and `ranking/test` are `P(D(x) > D(G(z)))`, ties counting half, which needs no threshold. A
    discriminator that has memorised its training images is far better on `train` than on `test`.
    """
    limit = threshold(loss, train, fake).unsqueeze(1)
    rejected = (fake <= limit).float().mean(1)
    found: Readings = {"margin/fake": fake.mean(1), "accuracy/fake": _known(rejected, fake)}
    for name, real in (("train", train), ("test", test)):
        if real is not None:
            accepted = (real > limit).float().mean(1)
            found[f"margin/{name}"] = real.mean(1)
            found[f"accuracy/{name}"] = _known((accepted + rejected) / 2, real, fake)
            found[f"ranking/{name}"] = _known(ranking(real, fake), real, fake)
    return found


def threshold(loss: Loss, train: Logits, fake: Logits) -> Float[Tensor, " fleet"]:
    """The logit above which an image is called real.

    Where the loss fixes it: 0 for the non-saturating and the hinge loss, ½ for least squares (targets 0 and 1).
    Wasserstein and relativistic critics are known up to a constant only; for them it is half way between the mean
    logits of training and generated images, which no search has fitted, so that chance stays at ½.
    """
    if isinstance(loss, (NonSaturating, Hinge)):
        return torch.zeros_like(fake[:, 0])
    if isinstance(loss, LeastSquares):
        return torch.full_like(fake[:, 0], 0.5)
    return (train.mean(1) + fake.mean(1)) / 2


def ranking(real: Logits, fake: Logits) -> Float[Tensor, " fleet"]:
    """`P(r > f) + ½ P(r = f)` over all pairs: the area under the ROC curve (Mann & Whitney 1947)."""
    difference = real.unsqueeze(2) - fake.unsqueeze(1)
    return ((difference > 0).float() + 0.5 * (difference == 0).float()).mean((1, 2))


def _known(share: Tensor, *logits: Tensor) -> Tensor:
    """NaN where a logit is: a comparison with NaN is false, which would pass for an answer."""
    known = torch.stack([torch.isfinite(each).all(1) for each in logits]).all(0)
    return torch.where(known, share, torch.nan)
