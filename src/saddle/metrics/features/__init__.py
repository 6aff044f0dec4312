"""What images are compared by: pixels, networks, or a function of the user's."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.metrics.features.base import FeatureExtractor as FeatureExtractor
    from saddle.metrics.features.cache import cached_features as cached_features
    from saddle.metrics.features.classifier import ClassifierFeatures as ClassifierFeatures
    from saddle.metrics.features.custom import CallableFeatures as CallableFeatures
    from saddle.metrics.features.efficientnet import EfficientNetFeatures as EfficientNetFeatures
    from saddle.metrics.features.inception import InceptionFeatures as InceptionFeatures
    from saddle.metrics.features.make import make_extractor as make_extractor
    from saddle.metrics.features.pixels import PixelFeatures as PixelFeatures
    from saddle.metrics.features.random_conv import RandomConvFeatures as RandomConvFeatures

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CallableFeatures": "custom",
        "ClassifierFeatures": "classifier",
        "EfficientNetFeatures": "efficientnet",
        "FeatureExtractor": "base",
        "InceptionFeatures": "inception",
        "PixelFeatures": "pixels",
        "RandomConvFeatures": "random_conv",
        "cached_features": "cache",
        "make_extractor": "make",
    },
)
