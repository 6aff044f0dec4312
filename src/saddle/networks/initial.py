"""Standard deviations of fresh weights.

All weights are drawn from N(0, σ²) and all biases start at 0. Three rules choose σ:

* `CLASSIC` = 0.02 (Radford et al. 2016, section 3) where a batch norm follows: it removes the scale, so the classic
  number is right at every width.
* `kaiming(fan_in, gain)` = gain / √fan_in (He et al. 2015) where nothing removes the scale. There 0.02 would starve
  the signal: a 4x4 convolution over 8 channels with σ = 0.02 shrinks its input about 4-fold a layer.
* `xavier(fan_in, fan_out, gain)` = gain · √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010) in residual networks, with
  gain √2 in the residual branch and 1 elsewhere, as in mimicry (Lee & Town 2020).
"""

from math import sqrt

__all__ = ["CLASSIC", "LEAKY_GAIN", "RELU_GAIN", "kaiming", "xavier"]

CLASSIC = 0.02
RELU_GAIN = sqrt(2.0)
LEAKY_GAIN = sqrt(2.0 / (1.0 + 0.2**2))
"For leaky ReLU with slope 0.2."


def kaiming(fan_in: int, gain: float = 1.0) -> float:
    """σ that keeps the second moment of a layer's output at that of its input."""
    return gain / sqrt(fan_in)


def xavier(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    """σ that compromises between the forward and the backward pass."""
    return gain * sqrt(2.0 / (fan_in + fan_out))
