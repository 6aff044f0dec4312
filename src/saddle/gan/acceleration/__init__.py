"""The same training by faster means: which of them suits the device at hand is measured, not guessed."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.gan.acceleration.choice import Choice as Choice
    from saddle.gan.acceleration.choice import candidates as candidates
    from saddle.gan.acceleration.choice import choose as choose
    from saddle.gan.acceleration.execution import PLAIN as PLAIN
    from saddle.gan.acceleration.execution import Execution as Execution
    from saddle.gan.acceleration.padding import cut as cut
    from saddle.gan.acceleration.padding import padded as padded
    from saddle.gan.acceleration.running import accelerated as accelerated

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "PLAIN": "execution",
        "Choice": "choice",
        "Execution": "execution",
        "accelerated": "running",
        "candidates": "choice",
        "choose": "choice",
        "cut": "padding",
        "padded": "padding",
    },
)
