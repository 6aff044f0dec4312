"""Fully connected networks: three hidden layers of `width`.

    generator       latent → k → k → k, ReLU each → C·S·S, tanh
    discriminator   C·S·S → k → k → k, leaky ReLU 0.2 each (with the norm before it, if any) → 1

Any image size. Hidden weights start at a variance of gain² / inputs (He et al. 2015), the last layer's at 1 / inputs.
"""

from saddle.networks.activation import Activation
from saddle.networks.config import Norm
from saddle.networks.initial import LEAKY_GAIN, RELU_GAIN, kaiming
from saddle.networks.layer import Layer
from saddle.networks.layout import Flatten, Score, Unflatten
from saddle.networks.linear import Linear
from saddle.networks.network import Network
from saddle.networks.norm import BatchNorm

__all__ = ["mlp_discriminator", "mlp_generator"]

HIDDEN = 3


def mlp_generator(
    *, width: int, size: int, channels: int, latent: int, spectral_norm: bool, prefix: str
) -> Network:
    """The generator of the module's table; `(F, B, latent)` to images in [-1, 1]."""
    layers: list[Layer] = []
    inputs = latent
    for index in range(1, HIDDEN + 1):
        layers += [
            Linear(
                name=f"{prefix}hidden{index}",
                inputs=inputs,
                outputs=width,
                std=kaiming(inputs, RELU_GAIN),
                spectral=spectral_norm,
            ),
            Activation(kind="relu"),
        ]
        inputs = width
    shape = (channels, size, size)
    layers += [
        Linear(
            name=f"{prefix}image",
            inputs=width,
            outputs=channels * size**2,
            std=kaiming(width),
            spectral=spectral_norm,
        ),
        Activation(kind="tanh"),
        Unflatten(shape=shape),
    ]
    return Network(layers=tuple(layers), input_shape=(latent,), name=f"mlp generator, width {width}")


def mlp_discriminator(
    *, width: int, size: int, channels: int, spectral_norm: bool, norm: Norm, prefix: str
) -> Network:
    """The discriminator of the module's table; images to one score each."""
    layers: list[Layer] = [Flatten()]
    inputs = channels * size**2
    for index in range(1, HIDDEN + 1):
        layers += [
            Linear(
                name=f"{prefix}hidden{index}",
                inputs=inputs,
                outputs=width,
                std=kaiming(inputs, LEAKY_GAIN),
                bias=norm == "none",
                spectral=spectral_norm,
            )
        ]
        if norm == "batch":
            layers += [BatchNorm(name=f"{prefix}hidden{index}_norm", channels=width)]
        layers += [Activation(kind="leaky", in_place=norm == "none")]
        inputs = width
    score = Linear(name=f"{prefix}score", inputs=width, outputs=1, std=kaiming(width), spectral=spectral_norm)
    layers += [score, Score()]
    return Network(
        layers=tuple(layers), input_shape=(channels, size, size), name=f"mlp discriminator, width {width}"
    )
