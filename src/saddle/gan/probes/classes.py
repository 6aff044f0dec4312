"""Which class an image shows, by linear discriminants in a feature space."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saddle.gan.probes.pictures import Classify

__all__ = ["classifier_of", "discriminants"]

RIDGE = 1e-3
"Of the mean variance, on the covariance's diagonal: some features never vary."


def classifier_of(
    features: Callable[[UInt8[Tensor, "n channels height width"]], Float[Tensor, "n d"]],
    images: UInt8[Tensor, "n channels height width"],
    labels: Int64[Tensor, " n"],
    *,
    classes: int,
) -> Classify:
    """Classify as the linear discriminants of `features` at labelled `images` do."""
    weight, bias = discriminants(features(images), labels, classes=classes)

    def classify(shown: Tensor) -> Tensor:
        return (features(shown).double() @ weight.T + bias).argmax(1)

    return classify


def discriminants(
    features: Float[Tensor, "n d"], labels: Int64[Tensor, " n"], *, classes: int
) -> tuple[Float[Tensor, "classes d"], Float[Tensor, " classes"]]:
    """Fisher's linear discriminants `x ↦ μᶜᵀ Σ⁻¹ x − ½ μᶜᵀ Σ⁻¹ μᶜ + ln πᶜ`, with one ridged covariance for all classes.

    A class without an image is never chosen.

    Source: Fisher 1936; Hastie, Tibshirani & Friedman 2009, equation 4.10.
    """
    x, labels = features.double(), labels.to(features.device)
    member = torch.nn.functional.one_hot(labels, classes).double()
    counts = member.sum(0)
    means = (member.T @ x) / counts.clamp(min=1).unsqueeze(1)
    centred = x - means[labels]
    covariance = centred.T @ centred / max(len(x) - classes, 1)
    ridge = RIDGE * covariance.diagonal().mean() + torch.finfo(torch.float64).tiny
    covariance.diagonal().add_(ridge)
    weight = torch.linalg.solve(covariance, means.T).T
    return weight, (counts / len(x)).log() - 0.5 * (weight * means).sum(1)
