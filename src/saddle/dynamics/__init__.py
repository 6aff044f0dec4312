"""Schemes that move players, one a file, shared by GAN training and theory."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.dynamics.alternating import Alternating as Alternating
    from saddle.dynamics.base_step import Adam as Adam
    from saddle.dynamics.base_step import BaseStep as BaseStep
    from saddle.dynamics.base_step import Memory as Memory
    from saddle.dynamics.base_step import Sgd as Sgd
    from saddle.dynamics.dynamics import Dynamics as Dynamics
    from saddle.dynamics.extragradient import Extragradient as Extragradient
    from saddle.dynamics.optimistic import Optimistic as Optimistic
    from saddle.dynamics.simultaneous import Simultaneous as Simultaneous
    from saddle.dynamics.steps import Steps as Steps

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Adam": "base_step",
        "Alternating": "alternating",
        "BaseStep": "base_step",
        "Dynamics": "dynamics",
        "Extragradient": "extragradient",
        "Memory": "base_step",
        "Optimistic": "optimistic",
        "Sgd": "base_step",
        "Simultaneous": "simultaneous",
        "Steps": "steps",
    },
)
