"""GANs as games: objectives, penalties, the training loop, checkpoints and sampling."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.gan.config import GanConfig as GanConfig
    from saddle.gan.hooks import Cadence as Cadence
    from saddle.gan.hooks import Hooks as Hooks
    from saddle.gan.hooks import Member as Member
    from saddle.gan.problem import GanProblem as GanProblem
    from saddle.gan.problem import make_gan as make_gan
    from saddle.gan.sampling import sample as sample
    from saddle.gan.scheme import make_dynamics as make_dynamics
    from saddle.gan.train import train_fleet as train_fleet

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Cadence": "hooks",
        "GanConfig": "config",
        "GanProblem": "problem",
        "Hooks": "hooks",
        "Member": "hooks",
        "make_dynamics": "scheme",
        "make_gan": "problem",
        "sample": "sampling",
        "train_fleet": "train",
    },
)
