"""The critic: three strided convolutions and a linear layer, for a whole fleet in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import sqrt
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.nn.init import trunc_normal_

__all__ = ["Critic", "Parameters"]

Parameters = list[Tensor]
"Weight and bias of each layer in turn; every tensor has a leading fleet dimension."

KERNEL, STRIDE = 5, 2
TRUNCATED = 0.8796256610342398
"Standard deviation of a standard normal cut off at ±2."


@final
@dataclass(frozen=True, kw_only=True)
class Critic:
    """`D(x) = linear ∘ swish ∘ conv ∘ swish ∘ conv ∘ swish ∘ conv (x)` with k, 2k, 4k channels; no norm.

    The convolutions are 5x5 with stride 2 and "SAME" zero padding: side n becomes ⌈n/2⌉, and of an odd number of
    padding pixels the extra one is on the right and below. `swish(h) = h σ(h)`.

    Images of F members are *folded*, `(batch, F·channels, side, side)`, so that one grouped convolution serves the
    fleet; members never mix.
    """

    width: int
    channels: int
    size: int

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one member's parameters."""
        channels = [self.channels, self.width, 2 * self.width, 4 * self.width]
        found: list[tuple[int, ...]] = []
        for inputs, outputs in pairwise(channels):
            found += [(outputs, inputs, KERNEL, KERNEL), (outputs,)]
        side = self.size
        for _ in range(3):
            side = -(-side // STRIDE)
        return (*found, (4 * self.width * side * side,), (1,))

    def init(self, generators: Sequence[torch.Generator]) -> Parameters:
        """Fresh parameters; member i is drawn from `generators[i]` alone.

        Convolutions have variance 2/fan_in (He et al. 2015), drawn from a normal cut off at two standard deviations;
        the linear layer is uniform with variance 2/(fan_in + 1) (Glorot & Bengio 2010); biases are 0. These are the
        published code's.
        """
        members = [self._member(generator) for generator in generators]
        return [torch.stack(parts) for parts in zip(*members, strict=True)]

    def _member(self, generator: torch.Generator) -> Parameters:
        found: Parameters = []
        for index, shape in enumerate(self.shapes):
            values = torch.zeros(shape, device=generator.device)
            if len(shape) == 4:
                scale = sqrt(2 / (shape[1] * KERNEL**2)) / TRUNCATED
                trunc_normal_(values, std=scale, a=-2 * scale, b=2 * scale, generator=generator)
            elif index == len(self.shapes) - 2:
                limit = sqrt(6 / (shape[0] + 1))
                values.uniform_(-limit, limit, generator=generator)
            found.append(values)
        return found

    def __call__(
        self, parameters: Parameters, x: Float[Tensor, "batch folded height width"]
    ) -> Float[Tensor, "batch fleet"]:
        *convolutions, weight, bias = parameters
        fleet = len(weight)
        for kernel, shift in zip(convolutions[::2], convolutions[1::2], strict=True):
            x = functional.conv2d(same(x), kernel.flatten(0, 1), shift.flatten(), STRIDE, groups=fleet)
            x = functional.silu(x)
        features = x.reshape(len(x), fleet, -1)
        return (features * weight).sum(2) + bias[:, 0]


def same(x: Float[Tensor, "batch channels n m"]) -> Float[Tensor, "batch channels n2 m2"]:
    """Zero padding with which a 5x5 convolution of stride 2 returns ⌈n/2⌉ rows."""
    rows, columns = (max((-(-n // STRIDE) - 1) * STRIDE + KERNEL - n, 0) for n in x.shape[2:])
    return functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
