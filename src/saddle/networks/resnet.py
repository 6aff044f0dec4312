"""Residual networks at every width: the CIFAR networks of WGAN-GP and SNGAN.

With k the width and S = base · 2ⁿ (base S/8 and n = 3 for sizes 8·2^i; base 7 and n = 2 for 28, n = 1 for 14):

    generator       latent → k @ base (linear), n up-blocks, batch norm, ReLU, 3x3 → C, tanh
      up-block      [batch norm, ReLU, repeat 2x2, 3x3, batch norm, ReLU, 3x3] + [repeat 2x2, 1x1]
    discriminator   down-blocks to about 8x8 (at least 2x2), two plain blocks, ReLU, sum over pixels, linear → 1
      down-block    [ReLU, 3x3, ReLU, 3x3, mean 2x2] + [mean 2x2, 1x1]; the first has no ReLU in front
      plain block   [ReLU, 3x3, ReLU, 3x3] + x

All blocks are k → k. The shortcut is a true one: it is added to the body (the published code that this layout
follows computes the generator's shortcut and drops it). A repeat or mean next to a convolution is fused with it or
moved to its cheap side; both are identities (see `UpConv`). With `norm="batch"` a batch norm stands before every ReLU
of the discriminator's blocks except the first block's.

No bias where it could not act: in the generator's blocks (the later batch norms remove any constant per channel), in
front of a norm, and in shortcuts (the body's last bias is added to the same place).

Source: Gulrajani et al. 2017, arXiv 1704.00028, appendix F; Miyato et al. 2018, arXiv 1802.05957, table 4.
"""

from saddle.networks.activation import Activation
from saddle.networks.composite import Chain, Residual
from saddle.networks.config import Norm, base_and_doublings
from saddle.networks.conv import Conv, DownConv, UpConv
from saddle.networks.initial import RELU_GAIN, xavier
from saddle.networks.layer import Layer
from saddle.networks.layout import Fold, Score, Unfold, VectorToMap
from saddle.networks.linear import Linear
from saddle.networks.network import Network
from saddle.networks.norm import BatchNorm
from saddle.networks.resample import Halve, Repeat, SumPool

__all__ = ["resnet_discriminator", "resnet_generator"]

_DOWNS = {8: 2, 14: 1, 16: 2, 28: 2, 32: 2, 64: 3, 128: 4}


def resnet_generator(
    *, width: int, size: int, channels: int, latent: int, spectral_norm: bool, prefix: str
) -> Network:
    """The generator of the module's table; `(F, B, latent)` to images in [-1, 1]."""
    base, doublings = base_and_doublings(size)
    outputs = width * base**2
    first = Linear(
        name=f"{prefix}base",
        inputs=latent,
        outputs=outputs,
        std=xavier(latent, outputs),
        spectral=spectral_norm,
    )
    blocks = [_up_block(f"{prefix}up{index}", width, spectral_norm) for index in range(1, doublings + 1)]
    layers: list[Layer] = [first, VectorToMap(shape=(width, base, base)), *blocks]
    image = Conv(
        name=f"{prefix}image",
        inputs=width,
        outputs=channels,
        std=xavier(9 * width, 9 * channels),
        spectral=spectral_norm,
    )
    layers += [
        *_normed_relu(f"{prefix}norm", width),
        image,
        Activation(kind="tanh"),
        Unfold(channels=channels),
    ]
    return Network(layers=tuple(layers), input_shape=(latent,), name=f"resnet generator, width {width}")


def resnet_discriminator(
    *, width: int, size: int, channels: int, spectral_norm: bool, norm: Norm, prefix: str
) -> Network:
    """The discriminator of the module's table; images to one score each."""
    layers: list[Layer] = [Fold(), _first_block(f"{prefix}down1", channels, width, spectral_norm)]
    for index in range(2, _DOWNS[size] + 1):
        layers += [_block(f"{prefix}down{index}", width, spectral_norm, norm, down=True)]
    for index in (1, 2):
        layers += [_block(f"{prefix}plain{index}", width, spectral_norm, norm, down=False)]
    # The sum over pixels would start the scores at ±50 and saturate every loss; under spectral norm the scale of
    # the weight does not matter.
    pixels = (size // 2 ** _DOWNS[size]) ** 2
    score_std = xavier(width, 1) / pixels
    layers += [
        Activation(kind="relu"),
        SumPool(channels=width),
        Linear(name=f"{prefix}score", inputs=width, outputs=1, std=score_std, spectral=spectral_norm),
        Score(),
    ]
    return Network(
        layers=tuple(layers), input_shape=(channels, size, size), name=f"resnet discriminator, width {width}"
    )


def _normed_relu(name: str, width: int) -> tuple[Layer, ...]:
    return (BatchNorm(name=name, channels=width), Activation(kind="relu"))


def _up_block(name: str, width: int, spectral: bool) -> Residual:
    std = xavier(9 * width, 9 * width, RELU_GAIN)
    body = (
        *_normed_relu(f"{name}.norm1", width),
        UpConv(name=f"{name}.conv1", inputs=width, outputs=width, std=std, bias=False, spectral=spectral),
        *_normed_relu(f"{name}.norm2", width),
        Conv(name=f"{name}.conv2", inputs=width, outputs=width, std=std, bias=False, spectral=spectral),
    )
    # 1x1, then repeat: the same as repeat, then 1x1, at a quarter of the work.
    return Residual(
        body=Chain(layers=body),
        shortcut=Chain(layers=(_shortcut(name, width, width, spectral), Repeat())),
    )


def _first_block(name: str, channels: int, width: int, spectral: bool) -> Residual:
    first, second = (xavier(9 * n, 9 * width, RELU_GAIN) for n in (channels, width))
    body = (
        Conv(name=f"{name}.conv1", inputs=channels, outputs=width, std=first, spectral=spectral),
        Activation(kind="relu"),
        DownConv(name=f"{name}.conv2", inputs=width, outputs=width, std=second, spectral=spectral),
    )
    return Residual(
        body=Chain(layers=body),
        shortcut=Chain(layers=(Halve(), _shortcut(name, channels, width, spectral))),
    )


def _block(name: str, width: int, spectral: bool, norm: Norm, *, down: bool) -> Residual:
    std = xavier(9 * width, 9 * width, RELU_GAIN)
    normed = norm == "batch"
    # Without a norm the first ReLU sees x itself, which the shortcut still needs.
    before: tuple[Layer, ...] = (Activation(kind="relu", in_place=False),)
    between: tuple[Layer, ...] = (Activation(kind="relu"),)
    if normed:
        before, between = _normed_relu(f"{name}.norm1", width), _normed_relu(f"{name}.norm2", width)
    first = Conv(
        name=f"{name}.conv1", inputs=width, outputs=width, std=std, bias=not normed, spectral=spectral
    )
    last = DownConv if down else Conv
    second = last(name=f"{name}.conv2", inputs=width, outputs=width, std=std, spectral=spectral)
    shortcut = (Halve(), _shortcut(name, width, width, spectral)) if down else ()
    return Residual(
        body=Chain(layers=(*before, first, *between, second)),
        shortcut=Chain(layers=shortcut),
    )


def _shortcut(name: str, inputs: int, outputs: int, spectral: bool) -> Conv:
    return Conv(
        name=f"{name}.shortcut",
        inputs=inputs,
        outputs=outputs,
        kernel=1,
        padding=0,
        std=xavier(inputs, outputs),
        bias=False,
        spectral=spectral,
    )
