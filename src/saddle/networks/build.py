"""`generator` and `discriminator`: the networks by name."""

from collections.abc import Callable

from saddle.errors import UserError
from saddle.networks.config import BASE_WIDTH, NORMS, PARAMETERISATIONS, Norm, Parameterisation, check_request
from saddle.networks.dcgan import dcgan_discriminator, dcgan_generator
from saddle.networks.maximal import maximal_update
from saddle.networks.mlp import mlp_discriminator, mlp_generator
from saddle.networks.network import Network
from saddle.networks.resnet import resnet_discriminator, resnet_generator

__all__ = ["discriminator", "generator"]

_GENERATORS = {"mlp": mlp_generator, "dcgan": dcgan_generator, "resnet": resnet_generator}
_DISCRIMINATORS = {"mlp": mlp_discriminator, "dcgan": dcgan_discriminator, "resnet": resnet_discriminator}


def generator(
    architecture: str,
    *,
    width: int,
    size: int,
    channels: int,
    latent: int = 128,
    spectral_norm: bool = False,
    parameterisation: Parameterisation = "standard",
    prefix: str = "generator.",
) -> Network:
    """A generator `(F, B, latent) → (F, B, channels, size, size)` in [-1, 1].

    Args:
        architecture: "mlp", "dcgan" or "resnet"; each module's docstring has its table of layers.
        width: scales every hidden layer.
        size: side of the square images; see `SIZES`.
        channels: 1 or 3.
        latent: how many normal numbers a sample starts from.
        spectral_norm: divide every weight by its largest singular value.
        parameterisation: how fresh weights and Adam's steps depend on the width: "standard", or "mup" (`maximal_update`).
        prefix: opens the names of all entries.

    Raises:
        UserError: the networks do not exist at this width, size or number of channels.
    """
    check_request(architecture, width=width, size=size, channels=channels, latent=latent)

    def at(width: int) -> Network:
        return _GENERATORS[architecture](
            width=width,
            size=size,
            channels=channels,
            latent=latent,
            spectral_norm=spectral_norm,
            prefix=prefix,
        )

    return _parameterised(at, width, parameterisation)


def discriminator(
    architecture: str,
    *,
    width: int,
    size: int,
    channels: int,
    spectral_norm: bool = False,
    norm: Norm | None = None,
    parameterisation: Parameterisation = "standard",
    prefix: str = "discriminator.",
) -> Network:
    """A discriminator `(F, B, channels, size, size) → (F, B)`: one unbounded score an image.

    Args:
        architecture: "mlp", "dcgan" or "resnet"; each module's docstring has its table of layers.
        width: scales every hidden layer; may differ from the generator's.
        size: side of the square images; see `SIZES`.
        channels: 1 or 3.
        spectral_norm: divide every weight by its largest singular value.
        norm: "batch" or "none"; by default "batch" in a dcgan without spectral norm and "none" elsewhere.
        parameterisation: how fresh weights and Adam's steps depend on the width: "standard", or "mup" (`maximal_update`).
        prefix: opens the names of all entries.

    Raises:
        UserError: the networks do not exist at this width, size, number of channels or norm.
    """
    check_request(architecture, width=width, size=size, channels=channels)
    if norm is None:
        norm = "batch" if architecture == "dcgan" and not spectral_norm else "none"
    if norm not in NORMS:
        raise UserError(f"There is no norm {norm!r} for a discriminator. Choose one of {', '.join(NORMS)}.")
    chosen = norm

    def at(width: int) -> Network:
        return _DISCRIMINATORS[architecture](
            width=width, size=size, channels=channels, spectral_norm=spectral_norm, norm=chosen, prefix=prefix
        )

    return _parameterised(at, width, parameterisation)


def _parameterised(at: Callable[[int], Network], width: int, parameterisation: str) -> Network:
    if parameterisation not in PARAMETERISATIONS:
        raise UserError(
            f"There is no parameterisation {parameterisation!r}. Choose one of {', '.join(PARAMETERISATIONS)}."
        )
    return at(width) if parameterisation == "standard" else maximal_update(at(width), at(BASE_WIDTH))
