"""`coordinate_check`: how large activations are, and how far the first steps move them, against the width."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle.core.state import State
from saddle.errors import UserError
from saddle.gan import GanConfig, GanProblem, make_dynamics, make_gan
from saddle.gan.batches import GanBatches, member_generators
from saddle.networks import preactivations

__all__ = ["Coordinates", "coordinate_check"]

PROBED = 64
"Images and latents at which activations are read."


@final
@dataclass(frozen=True, kw_only=True)
class Coordinates:
    """Root mean squares of every layer's pre-activations h at fixed inputs, after t = 0 … T steps of both players."""

    layers: tuple[str, ...]
    "Full names: the generator's, then the discriminator's, in the order of computation."
    widths: tuple[int, ...]
    value: Float[np.ndarray, "layers widths times seeds"]
    "rms of h(t)."
    change: Float[np.ndarray, "layers widths times seeds"]
    "rms of h(t) − h(0)."

    def slope(self, layer: str, t: int) -> Float[np.ndarray, " seeds"]:
        """Each seed's slope of log₂ change after t steps against log₂ width: 0 where the layer learns alike at all widths."""
        x = np.log2(self.widths)
        y = np.log2(self.change[self.layers.index(layer), :, t])
        return ((x - x.mean()) @ (y - y.mean(axis=0))) / ((x - x.mean()) ** 2).sum()


def coordinate_check(
    config: GanConfig,
    widths: Sequence[int],
    *,
    images: UInt8[Tensor, "n channels size _"],
    steps: int = 4,
    seeds: Sequence[int] = (0, 1, 2),
) -> Coordinates:
    """Train GANs of `widths` for `steps` steps and read their activations before and after every one.

    The generators are read at 64 latents and the discriminators at the first 64 of `images`, the same at all times
    and widths. In the maximal update parameterisation the change is of one order at all widths; in the standard one it
    grows with the width.

    Raises:
        UserError: fewer than two widths, no seed, or fewer than 64 images.
    """
    if len(set(widths)) < 2 or not seeds:
        raise UserError(f"A coordinate check compares widths; it got {list(widths)} and seeds {list(seeds)}.")
    if len(images) < max(PROBED, config.batch):
        raise UserError(
            f"A coordinate check reads {PROBED} images and trains on {config.batch} at once, and there are "
            f"{len(images)}; give more."
        )
    found = [_course(config, width, images, steps, seeds) for width in widths]
    layers = tuple(found[0][0])
    value, change = (
        np.array([[[each[t][layer][which] for t in range(steps + 1)] for each in found] for layer in layers])
        for which in (0, 1)
    )
    return Coordinates(layers=layers, widths=tuple(widths), value=value, change=change)


def _course(
    config: GanConfig, width: int, images: Tensor, steps: int, seeds: Sequence[int]
) -> list[dict[str, tuple[np.ndarray, np.ndarray]]]:
    """By time and layer: the sizes of h(t) and of h(t) − h(0), each with one number a seed."""
    problem = make_gan(config, width_g=width, width_d=width, size=images.shape[-1], channels=images.shape[1])
    dynamics = make_dynamics(config)
    state = problem.init(member_generators(seeds, 0))
    memory = dynamics.init(problem, state)
    batches = GanBatches(images, seeds=seeds, batch=config.batch, latent=config.latent)
    real = images[:PROBED].float().div(127.5).sub(1).expand(len(seeds), *(-1,) * images.ndim)
    latent = torch.stack(
        [torch.randn(PROBED, config.latent, generator=g) for g in member_generators(seeds, 6)]
    )
    first = _read(problem, state, latent, real)
    courses = [_sizes(first, first)]
    for step in range(steps):
        batches.step = step
        state, memory = dynamics.step(problem, state, memory, batches)
        courses.append(_sizes(_read(problem, state, latent, real), first))
    return courses


def _read(problem: GanProblem, state: State, latent: Tensor, real: Tensor) -> dict[str, Tensor]:
    return preactivations(problem.generator, state, latent) | preactivations(
        problem.discriminator, state, real
    )


def _sizes(now: dict[str, Tensor], first: dict[str, Tensor]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {name: (_rms(h), _rms(h - first[name])) for name, h in now.items()}


def _rms(h: Tensor) -> np.ndarray:
    return h.double().square().mean(1).sqrt().numpy()
