"""What can be asked of a network, and the refusal of what cannot. Standard library only."""

from typing import Literal

from saddle.errors import UserError

__all__ = [
    "ARCHITECTURES",
    "BASE_WIDTH",
    "NORMS",
    "PARAMETERISATIONS",
    "SIZES",
    "Architecture",
    "Norm",
    "Parameterisation",
    "base_and_doublings",
    "check_request",
]

Architecture = Literal["mlp", "dcgan", "resnet"]
ARCHITECTURES: tuple[Architecture, ...] = ("mlp", "dcgan", "resnet")

Norm = Literal["batch", "none"]
NORMS: tuple[Norm, ...] = ("batch", "none")

Parameterisation = Literal["standard", "mup"]
PARAMETERISATIONS: tuple[Parameterisation, ...] = ("standard", "mup")

BASE_WIDTH = 16
"The width at which `mup` is `standard`."

_BASES: dict[int, tuple[int, int]] = {
    8: (1, 3),
    14: (7, 1),
    16: (2, 3),
    28: (7, 2),
    32: (4, 3),
    64: (8, 3),
    128: (16, 3),
}
SIZES: tuple[int, ...] = tuple(_BASES)
"Image sizes (height = width) that the convolutional architectures make; `mlp` makes any."


def base_and_doublings(size: int) -> tuple[int, int]:
    """Side of the smallest map and how often it is doubled: `size = base · 2^doublings`.

    Sizes 8·2^i start at an eighth and double three times (DCGAN), 28 and 14 start at 7.
    """
    return _BASES[size]


def check_request(architecture: str, *, width: int, size: int, channels: int, latent: int = 128) -> None:
    """Raise `UserError` unless the networks `architecture` exist at this width, image size and channel count."""
    if architecture not in ARCHITECTURES:
        raise UserError(
            f"There is no architecture {architecture!r}. Choose one of {', '.join(ARCHITECTURES)}."
        )
    if width < 1:
        raise UserError(f"A network of width {width} has no channels. Give a width of 1 or more.")
    if latent < 1:
        raise UserError(
            f"A generator cannot start from {latent} latent numbers. Give a latent size of 1 or more."
        )
    if channels not in (1, 3):
        raise UserError(
            f"Images with {channels} channels are not supported: these networks make grey (1) or colour (3) "
            "images. Pass --channels 1 or --channels 3."
        )
    if size < 1:
        raise UserError(f"An image cannot be {size} pixels wide. Pass --resize 32.")
    if architecture != "mlp" and size not in SIZES:
        raise UserError(
            f"The {architecture} networks do not make {size}x{size} images: their maps double from a small base, "
            f"so the sizes are {', '.join(map(str, SIZES))}. Pass --resize 32, or --arch mlp, which takes any size."
        )
