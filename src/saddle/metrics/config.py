"""Options of the metrics; standard library only, so that `--help` imports no torch."""

from dataclasses import dataclass
from typing import final

__all__ = ["EXTRACTORS", "MetricsConfig"]

EXTRACTORS: tuple[str, ...] = (
    "pixels",
    "random",
    "classifier",
    "efficientnet-lite0",
    "inception-64",
    "inception-192",
    "inception-768",
    "inception-1280",
    "inception-2048",
)
"Names that `make_extractor` knows."


@final
@dataclass(frozen=True, kw_only=True)
class MetricsConfig:
    """How generated images are compared with real ones."""

    features: str = "auto"
    """What images are compared by: auto (efficientnet-lite0 for colour, classifier for labelled grey images, random for others), pixels, random (fixed random convolutions), classifier (trained once on the labelled training images), efficientnet-lite0 (ImageNet), inception-64, -192, -768, -1280 or -2048 (needs --weights; only inception-2048 gives a number that may be called FID), or your own `module:function`."""
    weights: str | None = None
    """Path of the Inception weights (.safetensors, or a state dict saved by torch)."""
    samples: int | None = None
    """Images compared on each side; default: as many as the test split has, at most 10,000."""
    neighbours: int = 5
    """Neighbours that set the radius of precision, recall, density and coverage."""
