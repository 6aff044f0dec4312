"""The runs of the study: one healthy recipe, and what is changed in it to provoke each failure.

Everything is trained on scikit-learn's digits (8x8, real images), as a fleet of all seeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["HEALTHY", "PROVOKED", "Trial"]

WGAN = {
    "arch": "mlp",
    "latent": 16,
    "batch": 32,
    "loss": "wasserstein",
    "gradient_penalty": 10.0,
    "critic_steps": 2,
    "beta1": 0.0,
    "beta2": 0.9,
    "lr_g": 4e-3,
    "lr_d": 4e-3,
    "ema": 0.995,
}
"The recipe of `make run` with the step at which so small a network settles within the study's time."
PLAIN = {"arch": "mlp", "latent": 16, "batch": 32}
"Non-saturating, Adam 2e-4 (0.5, 0.999), no penalty: what people start from."


@final
@dataclass(frozen=True, kw_only=True)
class Trial:
    """One kind of run."""

    name: str
    kind: str = ""
    "The finding that it provokes; empty for a healthy one."
    gan: Mapping[str, Any]
    "Options of `GanConfig`."
    steps: int
    width_g: int = 32
    width_d: int = 32
    data: str = "digits"
    "digits; few: 32 of the training images; dim: a tenth of the contrast."
    why: str
    "How it comes to fail, in a sentence."
    weight: float = field(default=1.0)
    "Expected time of a step, relative."


HEALTHY = {
    trial.name: trial
    for trial in (
        Trial(name="mlp 32", gan=WGAN, steps=2000, why="WGAN-GP with the settings of make run.", weight=2.0),
        Trial(
            name="mlp 64", gan=WGAN | {"lr_g": 3e-3, "lr_d": 3e-3}, steps=2000, width_g=64, width_d=64,
            why="The same at twice the width.", weight=2.5,
        ),
        Trial(
            name="mlp 32, R1", gan=PLAIN | {"r1": 0.1, "lr_g": 6e-3, "lr_d": 6e-3, "beta1": 0.0, "beta2": 0.99,
            "ema": 0.995}, steps=2000, why="The non-saturating loss with R1.", weight=1.5,
        ),
        Trial(
            name="dcgan 8", gan=WGAN | {"arch": "dcgan", "lr_g": 2e-3, "lr_d": 2e-3}, steps=2500, width_g=8, width_d=8,
            why="WGAN-GP with convolutions, as make run has them.", weight=8.0,
        ),
    )
}  # fmt: skip

PROVOKED = (
    Trial(
        name="generator far too fast",
        kind="mode-collapse",
        gan=PLAIN | {"lr_g": 1e-2, "lr_d": 1e-4},
        steps=300,
        why="The generator's step is 100 times the discriminator's: it runs after one image that passes.",
    ),
    Trial(
        name="discriminator far ahead",
        kind="vanishing-generator-gradient",
        gan=PLAIN | {"loss": "least-squares", "lr_g": 1e-5, "lr_d": 2e-3, "critic_steps": 10},
        steps=300,
        why="Ten discriminator steps to one small step of the generator, with targets that it can meet exactly.",
        weight=4.0,
    ),
    Trial(
        name="32 training images",
        kind="discriminator-overfit",
        gan=WGAN,
        steps=400,
        width_d=128,
        data="few",
        why="The healthy recipe with a discriminator of width 128 on 32 images.",
        weight=3.0,
    ),
    Trial(
        name="simultaneous, momentum, no penalty",
        kind="oscillation",
        gan=PLAIN
        | {"loss": "wasserstein", "scheme": "simultaneous", "beta1": 0.9, "lr_g": 2e-3, "lr_d": 2e-3},
        steps=600,
        why="Both players at once with momentum 0.9 and a critic without a bound: a bilinear game in the large.",
    ),
    Trial(
        name="steps of 1",
        kind="divergence",
        gan=PLAIN | {"lr_g": 1.0, "lr_d": 1.0},
        steps=100,
        why="Adam with steps of 1 in every weight.",
    ),
    Trial(
        name="32 training images, wide generator",
        kind="memorisation",
        gan=WGAN | {"lr_g": 2e-3, "lr_d": 2e-3},
        steps=1000,
        width_g=128,
        width_d=64,
        data="few",
        why="A generator of width 128 that learns 32 images for a thousand steps.",
        weight=3.0,
    ),
    Trial(
        name="generator's step too large for ReLU",
        kind="dead-units",
        gan=PLAIN | {"loss": "wasserstein", "gradient_penalty": 10.0, "lr_g": 5e-2, "lr_d": 1e-3},
        steps=150,
        why="A first step of 0.05 in every weight of the generator throws its units below zero.",
        weight=1.5,
    ),
    Trial(
        name="default steps, stopped early",
        kind="under-training",
        gan=WGAN | {"lr_g": 2e-4, "lr_d": 2e-4},
        steps=150,
        width_g=64,
        width_d=64,
        why="A twentieth of the healthy step size, stopped after 150 steps.",
        weight=2.5,
    ),
    Trial(
        name="a tenth of the contrast",
        kind="data-normalisation",
        gan=WGAN,
        steps=100,
        data="dim",
        why="The pixels divided by ten, as of images that were scaled twice.",
        weight=2.0,
    ),
)
