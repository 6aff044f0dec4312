"""Scores of a trained fleet: accuracy of every class, and how well weights find contaminants."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from scipy.stats import rankdata
from torch import Tensor

from saddle.core.state import State, fleet_size
from saddle.networks import Network
from saddle.studies.domain_adaptation.batches import scaled
from saddle.studies.domain_adaptation.networks import Networks

__all__ = ["auroc", "class_accuracy", "domain_logits", "predictions"]

CHUNK = 500


def class_accuracy(
    predicted: Int64[np.ndarray, "fleet n"], labels: Int64[np.ndarray, " n"], classes: int
) -> Float[np.ndarray, "fleet classes"]:
    """The share of each class's images that is told right; NaN for a class without an image. Labels of −1 do not count."""
    right = predicted == labels
    shares = [
        right[:, labels == k].mean(1) if (labels == k).any() else np.full(len(predicted), np.nan)
        for k in range(classes)
    ]
    return np.stack(shares, axis=1)


def auroc(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """The share of pairs (positive, negative) in which the positive's score is higher; ties count half. NaN without both."""
    count, rest = int(positive.sum()), int((~positive).sum())
    if not count or not rest:
        return float("nan")
    return float((rankdata(scores)[positive].sum() - count * (count + 1) / 2) / (count * rest))


@torch.no_grad()
def predictions(
    networks: Networks, state: State, images: UInt8[Tensor, "n c s s"]
) -> tuple[Int64[np.ndarray, "fleet n"], Float[np.ndarray, "fleet n"]]:
    """Every member's class of each image, and its largest softmax probability."""
    logits = _apply(networks.features, networks.classifier, state, images)
    best, found = logits.softmax(2).max(2)
    return found.numpy(), best.numpy()


@torch.no_grad()
def domain_logits(
    networks: Networks, state: State, images: UInt8[Tensor, "n c s s"]
) -> Float[Tensor, "fleet n"]:
    """Every member's `D(F(x))`."""
    return _apply(networks.features, networks.discriminator, state, images)


def _apply(first: Network, second: Network, state: State, images: Tensor) -> Tensor:
    fleet, found = fleet_size(state), []
    for chunk in images.split(CHUNK):
        x = scaled(chunk).expand(fleet, *chunk.shape)
        found.append(second(state, first(state, x)))
    return torch.cat(found, dim=1)
