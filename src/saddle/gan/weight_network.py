"""The network that learns weights of images.

With k the width and `base`, `n` as in `saddle.networks.dcgan` (32 pixels: 4 and 3):

    convolutions    n times [3x3 convolution, ReLU, mean over 2x2 pixels], from C to k, 2k, … 2ⁿ⁻¹k channels;
                    linear on the whole map of base x base pixels → 1
    mlp             C·S·S → k → k → k, ReLU each → 1

The last layer starts at zero; what follows it is in `saddle.gan.weighing.network_weights`.

Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, the authors' code (class WeightNet), for 32 pixels; the mean
pooling, the fresh weights (He et al. 2015) and the other sizes are ours.
"""

from saddle.networks import Activation, Conv, Layer, Linear, Network
from saddle.networks.config import base_and_doublings
from saddle.networks.initial import RELU_GAIN, kaiming
from saddle.networks.layout import Flatten, Fold, MapToVector, Score
from saddle.networks.resample import Halve

__all__ = ["weight_network"]

HIDDEN = 3


def weight_network(architecture: str, *, width: int, size: int, channels: int, prefix: str) -> Network:
    """The network of the module's table beside the networks `architecture`; images to one number each."""
    if architecture == "mlp":
        layers: list[Layer] = [Flatten()]
        inputs = channels * size**2
        for index in range(1, HIDDEN + 1):
            name = f"{prefix}hidden{index}"
            layers += [
                Linear(name=name, inputs=inputs, outputs=width, std=kaiming(inputs, RELU_GAIN)),
                Activation(kind="relu"),
            ]
            inputs = width
    else:
        base, halvings = base_and_doublings(size)
        layers = [Fold()]
        narrow, wide = channels, width
        for index in range(1, halvings + 1):
            name = f"{prefix}down{index}"
            layers += [
                Conv(name=name, inputs=narrow, outputs=wide, std=kaiming(9 * narrow, RELU_GAIN)),
                Activation(kind="relu"),
                Halve(),
            ]
            narrow, wide = wide, 2 * wide
        inputs = narrow * base**2
        layers += [MapToVector(channels=narrow)]
    layers += [Linear(name=f"{prefix}score", inputs=inputs, outputs=1, std=0.0), Score()]
    return Network(
        layers=tuple(layers), input_shape=(channels, size, size), name=f"weight network, width {width}"
    )
