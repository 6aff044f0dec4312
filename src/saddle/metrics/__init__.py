"""Metrics of generated images: Fréchet, kernel, precision, recall, density, coverage, divergence, memorisation."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.metrics.config import EXTRACTORS as EXTRACTORS
    from saddle.metrics.config import MetricsConfig as MetricsConfig
    from saddle.metrics.divergence import NndConfig as NndConfig
    from saddle.metrics.divergence import NndResult as NndResult
    from saddle.metrics.divergence import NndStopped as NndStopped
    from saddle.metrics.divergence import draw_from as draw_from
    from saddle.metrics.divergence import neural_divergence as neural_divergence
    from saddle.metrics.features import FeatureExtractor as FeatureExtractor
    from saddle.metrics.features import make_extractor as make_extractor
    from saddle.metrics.frechet import frechet_distance as frechet_distance
    from saddle.metrics.kernel import KernelDistance as KernelDistance
    from saddle.metrics.kernel import kernel_distance as kernel_distance
    from saddle.metrics.memorisation import Memorisation as Memorisation
    from saddle.metrics.moments import Moments as Moments
    from saddle.metrics.names import METRICS as METRICS
    from saddle.metrics.names import MetricInfo as MetricInfo
    from saddle.metrics.names import metric_info as metric_info
    from saddle.metrics.names import metric_label as metric_label
    from saddle.metrics.neighbours import nearest as nearest
    from saddle.metrics.prdc import Prdc as Prdc
    from saddle.metrics.prdc import expected_coverage as expected_coverage
    from saddle.metrics.prdc import precision_recall_density_coverage as precision_recall_density_coverage
    from saddle.metrics.reference import Reference as Reference

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "EXTRACTORS": "config",
        "METRICS": "names",
        "FeatureExtractor": "features",
        "KernelDistance": "kernel",
        "Memorisation": "memorisation",
        "MetricInfo": "names",
        "MetricsConfig": "config",
        "Moments": "moments",
        "NndConfig": "divergence",
        "NndResult": "divergence",
        "NndStopped": "divergence",
        "Prdc": "prdc",
        "Reference": "reference",
        "draw_from": "divergence",
        "expected_coverage": "prdc",
        "frechet_distance": "frechet",
        "kernel_distance": "kernel",
        "make_extractor": "features",
        "metric_info": "names",
        "metric_label": "names",
        "nearest": "neighbours",
        "neural_divergence": "divergence",
        "precision_recall_density_coverage": "prdc",
    },
)
