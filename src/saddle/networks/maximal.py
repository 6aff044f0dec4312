"""`maximal_update`: a network whose best step sizes do not depend on its width, by theory."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from saddle.networks.composite import Chain, Residual
from saddle.networks.layer import Layer
from saddle.networks.network import Network
from saddle.networks.weighted import Weighted

__all__ = ["maximal_update"]


def maximal_update(network: Network, base: Network) -> Network:
    """`network` in the maximal update parameterisation (µP) for Adam; `base` is the same one at the base width.

    Let r be the layer's width over that of its twin in `base`, and σ the twin's standard deviation of fresh weights.
    A layer computes with m · w, where w is stored and trained; Adam moves every entry of w by about its step h.

    | layer                   | grows with width   | m (plain) | m (spectral norm) | std of w | std of m w | step of m w |
    |-------------------------|--------------------|-----------|-------------------|----------|------------|-------------|
    | input (latent, pixels)  | outputs            | 1         | √r                | σ        | σ          | h           |
    | hidden                  | inputs and outputs | 1/r       | 1                 | σ √r     | σ / √r     | h / r       |
    | output (pixels, score)  | inputs             | 1/r       | 1/√r              | σ        | σ / r      | h / r       |

    Biases and the gains of batch norms stay as they are. In the limit of wide networks every (pre-)activation is then
    of order 1 and moves by order h in every step, at every layer (an output starts at order 1/√r), whereas with one
    step for all the standard network's activations move by order h r. At r = 1 the networks are equal bit for bit.

    The roles come from the numbers of channels that a layer takes and makes, not from the axes of its weight: a
    transposed convolution stores (inputs, outputs, 4, 4), so a rule that reads axis 0 as outputs would give its roles
    to the wrong ends. Constants of the kernel (its 16 taps, of which stride 2 shows 4 to an output pixel) are the same
    at every width, and the twin's σ holds them.

    Spectral norm divides m away. So m comes after it, and restores the sizes |W| = Θ(√(outputs / inputs)) of the
    spectral condition: √r and 1/√r at the two ends of every path, whose product is that of the standard network. The
    network's Lipschitz bound is unchanged. What w needs is a relative step h |sign| / |w| that does not depend on
    the width; the plain rule's std of w gives it.

    With Adam's ε the rule is exact only while gradients stay far above ε: those of w shrink as 1/r², 1/r in
    input and output layers.

    Source: Yang, Hu et al. 2022, arXiv 2203.03466, tables 3 and 8 (recalled; the step of hidden weights as in the authors'
    package `mup`, which was read); Yang, Simon & Bernstein 2023, arXiv 2310.17813 (the spectral condition: abstract
    read). Weights that are divided by their norm are our own derivation.
    """
    return replace(network, layers=_each(network.layers, base.layers), name=f"{network.name}, maximal update")


def _each(layers: Sequence[Layer], twins: Sequence[Layer]) -> tuple[Layer, ...]:
    return tuple(_scaled(layer, twin) for layer, twin in zip(layers, twins, strict=True))


def _scaled(layer: Layer, twin: Layer) -> Layer:
    assert type(layer) is type(twin), "a network has the same layers at every width"
    if isinstance(layer, Chain) and isinstance(twin, Chain):
        return Chain(layers=_each(layer.layers, twin.layers))
    if isinstance(layer, Residual) and isinstance(twin, Residual):
        body, shortcut = _scaled(layer.body, twin.body), _scaled(layer.shortcut, twin.shortcut)
        assert isinstance(body, Chain) and isinstance(shortcut, Chain)
        return Residual(body=body, shortcut=shortcut)
    if isinstance(layer, Weighted) and isinstance(twin, Weighted):
        return _weighted(layer, twin)
    return layer


def _weighted(layer: Weighted, twin: Weighted) -> Weighted:
    wide_in, wide_out = layer.inputs / twin.inputs, layer.outputs / twin.outputs
    if wide_in == 1 or wide_out == 1:
        # An input or output layer (or the base itself): the finite end's ratio is 1.
        plain, std, spectral = 1 / wide_in, twin.std, sqrt(wide_out / wide_in)
    else:
        assert wide_in == wide_out, f"{layer.name} does not grow in proportion"
        plain, std, spectral = 1 / wide_in, twin.std * sqrt(wide_in), 1.0
    return replace(layer, std=std, multiplier=spectral if layer.spectral else plain)
