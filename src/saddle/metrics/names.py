"""What each metric is called, which way it is better, and what it says in one sentence."""

from dataclasses import dataclass
from typing import Literal, final

from saddle.errors import UserError

__all__ = ["METRICS", "MetricInfo", "metric_info", "metric_label"]

STANDARD = "inception-2048"


@final
@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """One metric of `Reference.scores`."""

    key: str
    "Its key in the scores."
    symbol: str
    "Its name before the features: `FD` in `FD(random)`."
    better: Literal["lower", "higher"]
    "Which way is better."
    sentence: str
    "What it says, for a report."
    standard: str | None = None
    "Its name on the standard 2048-d Inception features, where it has one of its own."


METRICS: tuple[MetricInfo, ...] = (
    MetricInfo(
        key="frechet",
        symbol="FD",
        better="lower",
        standard="FID",
        sentence="Fréchet distance: how far apart the means and covariances of real and generated features are; "
        "it mixes quality and diversity, and few samples make it too large.",
    ),
    MetricInfo(
        key="kernel",
        symbol="KD",
        better="lower",
        standard="KID",
        sentence="Kernel distance: the unbiased squared maximum mean discrepancy with a cubic kernel; "
        "it does not depend on the sample size on average, and is about zero, either side, for equal distributions.",
    ),
    MetricInfo(
        key="precision",
        symbol="precision",
        better="higher",
        sentence="Precision: the share of generated images that lie near some real image, which is their quality.",
    ),
    MetricInfo(
        key="recall",
        symbol="recall",
        better="higher",
        sentence="Recall: the share of real images that lie near some generated image, which is their diversity.",
    ),
    MetricInfo(
        key="density",
        symbol="density",
        better="higher",
        sentence="Density: how many real neighbourhoods a generated image lies in, over the number expected for "
        "real ones; a precision that outliers cannot inflate, and it can exceed 1.",
    ),
    MetricInfo(
        key="coverage",
        symbol="coverage",
        better="higher",
        sentence="Coverage: the share of real images with a generated image among their nearest neighbours; "
        "a recall that outliers cannot inflate.",
    ),
)
"The six metrics, in the order they are shown."

_BY_KEY = {info.key: info for info in METRICS}


def metric_info(metric: str) -> MetricInfo:
    """Return what is known of the metric with this key; raises UserError for an unknown key."""
    if metric not in _BY_KEY:
        raise UserError(f"There is no metric {metric!r}. Known metrics: {', '.join(_BY_KEY)}.")
    return _BY_KEY[metric]


def metric_label(metric: str, extractor: str) -> str:
    """Return the right name of a number: `FD(random)`, `precision(pixels)`; `FID` and `KID` only for inception-2048.

    A Fréchet distance depends on its features as a length depends on its unit, so the features belong to the name.
    """
    info = metric_info(metric)
    if extractor == STANDARD and info.standard:
        return info.standard
    return f"{info.symbol}({extractor})"
