"""The dynamics that a GAN's configuration names."""

from saddle.dynamics import Adam, Alternating, Dynamics, Extragradient, Optimistic, Simultaneous, Steps
from saddle.gan.config import GanConfig
from saddle.gan.problem import DISCRIMINATOR, GENERATOR

__all__ = ["make_dynamics"]


def make_dynamics(config: GanConfig) -> Dynamics:
    """The scheme of `config` with Adam and a step for each player; alternation moves the discriminator first."""
    steps = Steps(by_player={GENERATOR: config.lr_g, DISCRIMINATOR: config.lr_d})
    base = Adam(beta1=config.beta1, beta2=config.beta2)
    if config.scheme == "alternating":
        return Alternating(
            steps=steps,
            base=base,
            order=(DISCRIMINATOR, GENERATOR),
            repeats={DISCRIMINATOR: config.critic_steps},
        )
    schemes: dict[str, type[Dynamics]] = {
        "simultaneous": Simultaneous,
        "extragradient": Extragradient,
        "optimistic": Optimistic,
    }
    return schemes[config.scheme](steps=steps, base=base)
