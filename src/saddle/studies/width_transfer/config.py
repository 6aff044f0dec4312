"""Settings of the study `width-transfer`. Standard library only."""

import math
from dataclasses import dataclass
from typing import final

from saddle.errors import UserError

__all__ = ["PARAMETERISATIONS", "WidthTransferConfig"]

ARCHITECTURES = ("mlp", "dcgan", "resnet")
PARAMETERISATIONS = ("standard", "mup")


@final
@dataclass(frozen=True, kw_only=True)
class WidthTransferConfig:
    """Which networks are trained with which steps, for how long, on what, and how they are scored."""

    archs: tuple[str, ...] = ("mlp",)
    "Architectures: mlp, dcgan, resnet."
    widths: tuple[int, ...] = (32, 64, 128)
    "Widths of both networks (units of an mlp)."
    conv_widths: tuple[int, ...] = (4, 8, 16)
    "The same for dcgan and resnet (channels)."
    exponents: tuple[int, ...] = (-13, -12, -11, -10, -9, -8, -7, -6, -5)
    "Adam's steps are 2 to these powers, the same for both players; neighbours differ by one."
    iterations: int = 200
    "Steps of both players before the score."
    seeds: int = 3
    "Seeds of every cell: weights, batches and noise."
    batch: int = 64
    "Images per batch and member."
    data: str = "digits"
    "Images as `--data` takes them; part of the results, by content."
    resize: int | None = None
    "Bring every image to this many pixels a side."
    limit: int | None = None
    "Use only this many images."
    features: str = "random"
    "What images are compared by: random or pixels."
    samples: int = 500
    "Generated and training images compared."
    check_steps: int = 4
    "Steps of the coordinate check."

    def __post_init__(self) -> None:
        for name in ("iterations", "seeds", "batch", "samples", "check_steps"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        wrong = [arch for arch in self.archs if arch not in ARCHITECTURES]
        if wrong or not self.archs:
            raise UserError(f"archs is {self.archs}; name some of {', '.join(ARCHITECTURES)}.")
        for name in ("widths", "conv_widths"):
            found = getattr(self, name)
            if len(found) < 2 or min(found) < 1 or list(found) != sorted(set(found)):
                raise UserError(f"{name} is {found}; give two or more rising widths.")
        low, high = min(self.exponents, default=0), max(self.exponents, default=0)
        if tuple(range(low, high + 1)) != self.exponents or high - low < 2 or not -40 <= low <= high <= 10:
            raise UserError(
                f"exponents is {self.exponents}; give three or more whole numbers, each one more than the last, "
                "between -40 and 10."
            )
        if self.features not in ("random", "pixels"):
            raise UserError(f"features is {self.features!r}; choose random or pixels.")

    def widths_of(self, arch: str) -> tuple[int, ...]:
        """The widths at which `arch` is trained."""
        return self.widths if arch == "mlp" else self.conv_widths

    @property
    def steps(self) -> tuple[float, ...]:
        """Adam's steps."""
        return tuple(math.ldexp(1.0, exponent) for exponent in self.exponents)

    @classmethod
    def quick(cls) -> "WidthTransferConfig":
        """About a minute on two cores: the mlp on digits, three seeds."""
        return cls()

    @classmethod
    def full(cls) -> "WidthTransferConfig":
        """Two architectures, more steps, seeds and widths."""
        return cls(
            archs=("mlp", "dcgan"),
            widths=(32, 64, 128, 256, 512),
            exponents=tuple(range(-15, -3)),
            seeds=8,
        )
