"""One GAN trained by several processes, each with its part of every batch: the same numbers up to rounding."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.gan.distributed.launch import joined as joined
    from saddle.gan.distributed.launch import launched as launched
    from saddle.gan.distributed.shared import Distributed as Distributed
    from saddle.gan.distributed.world import ALONE as ALONE
    from saddle.gan.distributed.world import World as World
    from saddle.gan.distributed.world import current as current

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ALONE": "world",
        "Distributed": "shared",
        "World": "world",
        "current": "world",
        "joined": "launch",
        "launched": "launch",
    },
)
