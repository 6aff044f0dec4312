"""Generated images beside real ones: their spread, and which classes they hit."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saddle.gan.probes.gradients import Readings

__all__ = ["Classify", "class_readings", "data_readings", "diversity", "spread"]

Classify = Callable[[UInt8[Tensor, "n channels height width"]], Int64[Tensor, " n"]]
"A class number for every image."

Images = Float[Tensor, "fleet _ channels height width"]


def spread(images: Images) -> Float[Tensor, " fleet"]:
    """The root mean square distance of two images, `√(2 tr Cov)`: all pairs without looking at any."""
    flat = images.flatten(2)
    return (2 * flat.var(dim=1, correction=1).sum(1)).sqrt()


def diversity(fake: Images, real: Images) -> Float[Tensor, " fleet"]:
    """`spread(fake) / spread(real)`: 1 as diverse as the data in pixels, 0 one image again and again."""
    return spread(fake) / spread(real)


def data_readings(real: Images) -> Readings:
    """Mean, standard deviation and extremes of the scaled training images; they should fill [−1, 1]."""
    flat = real.flatten(1)
    return {
        "data/mean": flat.mean(1),
        "data/std": flat.std(1),
        "data/min": flat.amin(1),
        "data/max": flat.amax(1),
    }


def class_readings(
    fake: Images,
    classify: Classify,
    *,
    classes: int,
    real: Sequence[float] | None = None,
) -> Readings:
    """What `classify` says of generated images: the share of each class, and the share of classes hit at all.

    `histogram/distance` is the total variation `½ Σ |p − q|` to the shares `real` of real images, where given.
    """
    fleet = fake.shape[0]
    pixels = fake.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    # All members in one call: feature networks work in whole batches.
    found = classify(pixels.flatten(0, 1)).to(fake.device).view(fleet, -1)
    counts = torch.nn.functional.one_hot(found, classes).sum(1)
    shares = counts / counts.sum(1, keepdim=True)
    readings: Readings = {f"histogram/{index}": shares[:, index] for index in range(classes)}
    readings["coverage/classes"] = (counts > 0).float().mean(1)
    if real is not None:
        expected = torch.tensor(real, dtype=shares.dtype, device=shares.device)
        readings["histogram/distance"] = 0.5 * (shares - expected).abs().sum(1)
    return readings
