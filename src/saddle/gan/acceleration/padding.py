"""Networks of several widths in one fleet: the narrow ones padded with zeros to the widest.

A padded unit has zero weights in and out. Its activation is zero, so the gradient of its outgoing weights is zero, and
the slope that comes back to it is zero, so the gradient of its incoming weights and bias is; a batch norm with gain and
shift zero keeps it at zero and learns neither. Adam's step on a gradient that was always zero is 0 / (0 + ε) = 0. So
padding stays zero exactly, without masks, and a padded member trains as it does alone, up to rounding.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.gan.problem import GanProblem
from saddle.networks.config import base_and_doublings

__all__ = ["cut", "padded"]

Shape = tuple[int, ...]


def padded(state: State, narrow: GanProblem, wide: GanProblem) -> State:
    """The members of `state` (parameters and buffers of `narrow`) as members of a fleet of `wide`.

    For mlp and dcgan in the standard parameterisation.
    """
    found = {}
    for key, (small, large, pixels) in _shapes(narrow, wide):
        entry = state[key]
        target = entry.new_zeros(entry.shape[0], *_grouped(large, pixels))
        target[_corner(small, pixels)] = entry.view(-1, *_grouped(small, pixels))
        found[key] = target.view(-1, *large)
    return found


def cut(state: State, narrow: GanProblem, wide: GanProblem) -> State:
    """The inverse of `padded`."""
    found = {}
    for key, (small, large, pixels) in _shapes(narrow, wide):
        entry = state[key].view(-1, *_grouped(large, pixels))
        found[key] = entry[_corner(small, pixels)].reshape(-1, *small)
    return found


def padding_of(state: State, narrow: GanProblem, wide: GanProblem) -> Float[Tensor, ""]:
    """The largest absolute value in the padding of `state`."""
    again = padded(cut(state, narrow, wide), narrow, wide)
    return torch.stack([(state[key] - value).abs().max() for key, value in again.items()]).max()


def _shapes(
    narrow: GanProblem, wide: GanProblem
) -> Iterator[tuple[str, tuple[Shape, Shape, tuple[int, ...]]]]:
    """Every entry's shape in both, and for every axis how many pixels share it with the channels (pixel first)."""
    assert narrow.config == wide.config and narrow.config.arch in ("mlp", "dcgan")
    assert narrow.config.parameterisation == "standard", "mup's steps and multipliers differ by width"
    base = 1
    if narrow.config.arch == "dcgan":
        base = base_and_doublings(narrow.generator.output_shape[1])[0] ** 2
    for ours, theirs in ((narrow.generator, wide.generator), (narrow.discriminator, wide.discriminator)):
        for key, small in ours.shapes.items():
            pixels = [1] * len(small)
            # The linear layers between vectors and maps: rows of the first, columns of the last; see `VectorToMap`.
            if ".base." in key and not key.endswith(".v"):
                pixels[0] = base
            if ".score." in key and len(small) == 2:
                pixels[1] = base
            if ".score.v" in key:
                pixels[0] = base
            yield key, (small, theirs.shapes[key], tuple(pixels))


def _grouped(shape: Shape, pixels: tuple[int, ...]) -> Shape:
    return tuple(part for size, n in zip(shape, pixels, strict=True) for part in (n, size // n))


def _corner(shape: Shape, pixels: tuple[int, ...]) -> tuple[slice, ...]:
    return (slice(None), *(slice(size) for size in _grouped(shape, pixels)))
