"""Feature extractors by name."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import torch

from saddle.errors import UserError
from saddle.metrics.config import EXTRACTORS
from saddle.metrics.features.base import FeatureExtractor
from saddle.metrics.features.classifier import ClassifierFeatures, LabelledImages
from saddle.metrics.features.custom import CallableFeatures, load_function
from saddle.metrics.features.efficientnet import EfficientNetFeatures
from saddle.metrics.features.inception import InceptionFeatures
from saddle.metrics.features.pixels import PixelFeatures
from saddle.metrics.features.random_conv import RandomConvFeatures

__all__ = ["make_extractor"]


def make_extractor(
    name: str,
    *,
    size: int,
    channels: int,
    train: LabelledImages | None = None,
    weights: Path | str | None = None,
    cache: Path | str | None = None,
    device: torch.device | str = "cpu",
    status: Callable[[str], None] | None = None,
) -> FeatureExtractor:
    """Return the extractor `name` for images of `channels` x `size` x `size`.

    `name` is one of `EXTRACTORS`, or `module:function` for a function of the user's own. `train` is read by
    `classifier` only (which keeps what it learned in the folder `cache` and says through `status` how far it is);
    `weights` by `inception-*` and `efficientnet-lite0` only. Raises `UserError` for an unknown name (saying which
    are known and which is nearest), and whatever the extractor itself asks for.
    """
    if ":" in name:
        extractor = CallableFeatures(load_function(name), name, device=device)
        # One picture now, so that a wrong function is found before a long training and not after it.
        extractor(torch.zeros(1, channels, size, size, dtype=torch.uint8))
        return extractor
    if name not in EXTRACTORS:
        raise UserError(_unknown(name))
    if name == "pixels":
        return PixelFeatures(size=size, channels=channels, device=device)
    if name == "random":
        return RandomConvFeatures(size=size, device=device)
    if name == "classifier":
        return ClassifierFeatures(train, cache=cache, device=device, status=status)
    if name == "efficientnet-lite0":
        return EfficientNetFeatures(weights, device=device)
    return InceptionFeatures(int(name.removeprefix("inception-")), weights, device=device)


def _unknown(name: str) -> str:
    near = get_close_matches(name, EXTRACTORS, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"There are no features called {name!r}.{hint} Known are {', '.join(EXTRACTORS)}, "
        "and module:function for a function of your own."
    )
