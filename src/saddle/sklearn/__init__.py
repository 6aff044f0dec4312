"""Saddle for scikit-learn: outlier detectors that compare a sample with a trusted one by optimal transport."""

from typing import TYPE_CHECKING

from saddle import _lazy

if TYPE_CHECKING:
    from saddle.sklearn.robust_detector import TransportOutlierDetector as TransportOutlierDetector
    from saddle.sklearn.row_cost_detector import BalancedRowCostDetector as BalancedRowCostDetector

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    {
        "BalancedRowCostDetector": "row_cost_detector",
        "TransportOutlierDetector": "robust_detector",
    },
)
