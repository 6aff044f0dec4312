"""The three networks: features, classifier and domain discriminator."""

from typing import NamedTuple

from saddle.networks import Activation, Conv, Linear, Network
from saddle.networks.initial import LEAKY_GAIN, RELU_GAIN, kaiming
from saddle.networks.layer import Layer
from saddle.networks.layout import Fold, MapToVector, Score

__all__ = ["FEATURES", "Networks", "make_networks"]

FEATURES = 128
WIDTH = 16
HIDDEN = 128


class Networks(NamedTuple):
    """What learns."""

    features: Network
    "Images `(F, B, c, s, s)` to vectors `(F, B, 128)`."
    classifier: Network
    "Vectors to one logit a class: a single linear layer."
    discriminator: Network
    "Vectors to one logit, positive where the source is recognised: three layers with spectral norm."


def make_networks(*, size: int, channels: int, classes: int) -> Networks:
    """Networks for `channels` x `size` x `size` images; 4 divides `size`.

    Features: two 4x4 convolutions of stride 2, to 16 and 32 channels, and a linear layer to 128, ReLU after each; no norm
    layer, whose statistics would adapt by themselves. The discriminator is a multilayer perceptron
    with spectral norm as in the code of Balaji et al. 2020 (theirs is 256 wide, on features of a ResNet).
    """
    maps = 2 * WIDTH
    flat = maps * (size // 4) ** 2
    layers: list[Layer] = [
        Fold(),
        _conv("features.down1", channels, WIDTH),
        Activation(kind="relu"),
        _conv("features.down2", WIDTH, maps),
        Activation(kind="relu"),
        MapToVector(channels=maps),
        Linear(name="features.last", inputs=flat, outputs=FEATURES, std=kaiming(flat, RELU_GAIN)),
        Activation(kind="relu"),
    ]
    features = Network(layers=tuple(layers), input_shape=(channels, size, size), name="features")
    logits = Linear(name="classifier.logits", inputs=FEATURES, outputs=classes, std=kaiming(FEATURES))
    classifier = Network(layers=(logits,), input_shape=(FEATURES,), name="classifier")
    hidden: list[Layer] = []
    for number, inputs in enumerate((FEATURES, HIDDEN), start=1):
        hidden += [
            Linear(
                name=f"discriminator.hidden{number}", inputs=inputs, outputs=HIDDEN, std=kaiming(inputs, LEAKY_GAIN),
                spectral=True,
            ),
            Activation(kind="leaky"),
        ]  # fmt: skip
    score = Linear(name="discriminator.score", inputs=HIDDEN, outputs=1, std=kaiming(HIDDEN), spectral=True)
    discriminator = Network(layers=(*hidden, score, Score()), input_shape=(FEATURES,), name="discriminator")
    return Networks(features, classifier, discriminator)


def _conv(name: str, inputs: int, outputs: int) -> Conv:
    std = kaiming(16 * inputs, RELU_GAIN)
    return Conv(name=name, inputs=inputs, outputs=outputs, kernel=4, stride=2, padding=1, std=std)
