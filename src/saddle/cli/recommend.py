"""`saddle recommend`: a width for a sweep's images, and for a budget."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, final

import tyro

from saddle.cli.parse import parse
from saddle.errors import UserError

__all__ = ["RecommendConfig", "command"]


@final
@dataclass(frozen=True, kw_only=True)
class RecommendConfig:
    """Say which width to use, trained or not, with its interval; writes recommendation.html into the sweep's folder."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SWEEP")]
    """Folder of a finished sweep (what was given as --out)."""
    budget_ms: float | None = None
    """Milliseconds that one generated image may cost (or one training step, see --of); default: no limit."""
    of: Literal["sampling", "latency", "training"] = "sampling"
    """What costs: an image in batches of 64, one image alone, or a training step of one GAN."""
    widths: Annotated[tuple[int, ...], tyro.conf.arg(aliases=["--width"])] = ()
    """Unmeasured widths to consider; default: 2, 3, 4, 6, 8, 12 … up to 4 times the largest trained."""
    tolerance: float = 0.05
    """How near to the best is near enough (0.05: within 5 %)."""
    metric: str | None = None
    """Distance to decide by, as results.csv names it; default: the first one."""
    split: Literal["test", "train"] | None = None
    """Images to compare with; default: test."""
    threads: int = 1
    """Threads of a CPU while costs are measured."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where costs are measured."""
    measure_again: bool = False
    """Measure the costs although costs.json has them for this machine."""
    json: bool = False
    """Print one JSON object instead of text."""

    def __post_init__(self) -> None:
        if self.budget_ms is not None and not 0 < self.budget_ms < math.inf:
            raise UserError(
                f"--budget-ms is {self.budget_ms:g}; it must be a positive number of milliseconds."
            )
        if not 0 <= self.tolerance < 1:
            raise UserError(
                f"--tolerance is {self.tolerance:g}; it must be at least 0 and below 1 (0.05 is 5 %)."
            )
        if self.threads < 1:
            raise UserError(f"--threads is {self.threads}; it must be at least 1.")
        if self.widths and min(self.widths) < 1:
            raise UserError(f"--widths has {min(self.widths)}; a width must be at least 1.")


def command(words: Sequence[str]) -> int:
    """Decide, print the answer, and the page's path last."""
    config = parse(RecommendConfig, words, name="recommend")
    from saddle.report import require_packages
    from saddle.studies.recommendation.answer import recommend_width
    from saddle.studies.recommendation.page import build_page
    from saddle.studies.recommendation.text import as_text

    require_packages()
    answer = recommend_width(
        config.folder,
        budget=config.budget_ms,
        of=config.of,
        widths=config.widths,
        tolerance=config.tolerance,
        metric=config.metric,
        split=config.split,
        threads=config.threads,
        device=config.device,
        again=config.measure_again,
    )
    page = build_page(answer)
    if config.json:
        print(json.dumps({**answer.to_json(), "page": str(page)}, indent=2, allow_nan=False))
    else:
        print(as_text(answer))
        print(page)
    return 0
