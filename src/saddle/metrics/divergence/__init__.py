"""The neural network divergence: what a small critic, trained anew, can tell apart."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.metrics.divergence.batches import draw_from as draw_from
    from saddle.metrics.divergence.config import NndConfig as NndConfig
    from saddle.metrics.divergence.measure import NndResult as NndResult
    from saddle.metrics.divergence.measure import NndStopped as NndStopped
    from saddle.metrics.divergence.measure import neural_divergence as neural_divergence

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "NndConfig": "config",
        "NndResult": "measure",
        "NndStopped": "measure",
        "draw_from": "batches",
        "neural_divergence": "measure",
    },
)
