"""DCGAN at every width.

With k the width and S = base · 2ⁿ (base S/8 and n = 3 for sizes 8·2^i; base 7 and n = 2 for 28, n = 1 for 14):

    generator       latent → 2ⁿk @ base (linear), then n times [4x4 transposed, stride 2] halving the channels to k,
                    each followed by batch norm and ReLU; 3x3 → C, tanh
    discriminator   3x3 C → k, leaky ReLU; n times [4x4, stride 2] doubling the channels to 2ⁿk, each followed by the
                    norm and leaky ReLU; linear on the whole map → 1

The linear layers are the sources' transposed convolution from 1x1 and full-size convolution to 1x1. A layer that a
batch norm follows has no bias, since the norm removes it. Weights before a batch norm start at N(0, 0.02²), the
others at a variance that suits their fan-in (see `initial`).

Source: Radford et al. 2016, arXiv 1511.06434; layout of the networks of Balaji et al. 2020 (robust optimal
transport code), the nearest published relative of arXiv 2104.05605.
"""

from saddle.networks.activation import Activation
from saddle.networks.config import Norm, base_and_doublings
from saddle.networks.conv import Conv, TransposedConv
from saddle.networks.initial import CLASSIC, LEAKY_GAIN, kaiming
from saddle.networks.layer import Layer
from saddle.networks.layout import Fold, MapToVector, Score, Unfold, VectorToMap
from saddle.networks.linear import Linear
from saddle.networks.network import Network
from saddle.networks.norm import BatchNorm

__all__ = ["dcgan_discriminator", "dcgan_generator"]

GAIN_STD = 0.02


def dcgan_generator(
    *, width: int, size: int, channels: int, latent: int, spectral_norm: bool, prefix: str
) -> Network:
    """The generator of the module's table; `(F, B, latent)` to images in [-1, 1]."""
    base, doublings = base_and_doublings(size)
    wide = width * 2**doublings
    layers: list[Layer] = [
        Linear(
            name=f"{prefix}base",
            inputs=latent,
            outputs=wide * base**2,
            std=CLASSIC,
            bias=False,
            spectral=spectral_norm,
        ),
        VectorToMap(shape=(wide, base, base)),
        BatchNorm(name=f"{prefix}base_norm", channels=wide, gain_std=GAIN_STD),
        Activation(kind="relu"),
    ]
    for index in range(1, doublings + 1):
        narrow = wide // 2
        layers += [
            TransposedConv(
                name=f"{prefix}up{index}",
                inputs=wide,
                outputs=narrow,
                std=CLASSIC,
                bias=False,
                spectral=spectral_norm,
            ),
            BatchNorm(name=f"{prefix}up{index}_norm", channels=narrow, gain_std=GAIN_STD),
            Activation(kind="relu"),
        ]
        wide = narrow
    image = Conv(
        name=f"{prefix}image", inputs=width, outputs=channels, std=kaiming(9 * width), spectral=spectral_norm
    )
    layers += [image, Activation(kind="tanh"), Unfold(channels=channels)]
    return Network(layers=tuple(layers), input_shape=(latent,), name=f"dcgan generator, width {width}")


def dcgan_discriminator(
    *, width: int, size: int, channels: int, spectral_norm: bool, norm: Norm, prefix: str
) -> Network:
    """The discriminator of the module's table; images to one score each."""
    base, doublings = base_and_doublings(size)
    first = Conv(
        name=f"{prefix}image",
        inputs=channels,
        outputs=width,
        std=kaiming(9 * channels, LEAKY_GAIN),
        spectral=spectral_norm,
    )
    layers: list[Layer] = [Fold(), first, Activation(kind="leaky")]
    narrow = width
    for index in range(1, doublings + 1):
        wide = 2 * narrow
        layers += [
            Conv(
                name=f"{prefix}down{index}",
                inputs=narrow,
                outputs=wide,
                kernel=4,
                stride=2,
                std=CLASSIC if norm == "batch" else kaiming(16 * narrow, LEAKY_GAIN),
                bias=norm == "none",
                spectral=spectral_norm,
            )
        ]
        if norm == "batch":
            layers += [BatchNorm(name=f"{prefix}down{index}_norm", channels=wide, gain_std=GAIN_STD)]
        layers += [Activation(kind="leaky")]
        narrow = wide
    inputs = narrow * base**2
    layers += [
        MapToVector(channels=narrow),
        Linear(name=f"{prefix}score", inputs=inputs, outputs=1, std=kaiming(inputs), spectral=spectral_norm),
        Score(),
    ]
    return Network(
        layers=tuple(layers), input_shape=(channels, size, size), name=f"dcgan discriminator, width {width}"
    )
