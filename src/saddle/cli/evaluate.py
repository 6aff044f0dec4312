"""`saddle evaluate`: two sets of images compared."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, final

from saddle.cli.parse import parse
from saddle.metrics.config import MetricsConfig

__all__ = ["EvaluateConfig", "command"]


@final
@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Compare generated images with real ones, and real ones with each other at the same number of images."""

    real: str
    """Real images: anything that `saddle sweep --data` takes."""
    fake: str
    """Generated images: likewise (a folder of PNG files, an .npz array …)."""
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    resize: int | None = None
    """Crop every image to its middle square and scale it to this many pixels a side."""
    channels: Literal[1, 3] | None = None
    """1 makes every image grey, 3 makes it RGB."""
    limit: int | None = None
    """Use only this many images of each set, drawn at random but always the same ones."""
    skip_bad: bool = False
    """Leave out files that cannot be used, instead of stopping; says how many."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute features."""
    json: bool = False
    """Print one JSON object instead of a table."""


def command(words: Sequence[str]) -> int:
    """Compare and print."""
    config = parse(EvaluateConfig, words, name="evaluate")
    from saddle.data import read_images
    from saddle.studies.evaluation import compare

    options = {
        "resize": config.resize,
        "channels": config.channels,
        "limit": config.limit,
        "skip_bad": config.skip_bad,
    }
    comparison = compare(
        read_images(config.real, **options),
        read_images(config.fake, **options),
        config.metrics,
        device=config.device,
    )
    if config.json:
        print(json.dumps(asdict(comparison), indent=2))
        return 0
    print(comparison.table())
    return 0
