"""`saddle sample`: images from a trained run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

import tyro

from saddle.cli.parse import parse
from saddle.errors import UserError

__all__ = ["SampleConfig", "command"]

FILES = frozenset(
    [
        ".png",
        ".npz",
        ".npy",
        ".jpg",
        ".jpeg",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".zip",
        ".pt",
        ".safetensors",
    ]
)
"Endings that mean a file; of these .png and .npz are written, as they stand here."


@final
@dataclass(frozen=True, kw_only=True)
class SampleConfig:
    """Draw images from a trained run, with the averaged weights of its last checkpoint."""

    run: tyro.conf.Positional[Path]
    """A run's folder, or a folder that holds one run."""
    out: Path = Path("samples.png")
    """A .png file for one grid, an .npz file for an array (n, height, width, channels), or a folder for n PNG files."""
    n: int = 64
    """How many images."""
    seed: int = 0
    """Seed of the latents; the same seed gives the same images, however many."""
    columns: int = 8
    """Columns of the grid."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace a file that exists already."""

    def __post_init__(self) -> None:
        for name in ("n", "columns"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} is {getattr(self, name)}; it must be at least 1.")
        if self.seed < 0:
            raise UserError(f"--seed is {self.seed}; it must be 0 or larger.")
        if self.out.suffix not in (".png", ".npz") and self.out.suffix.lower() in FILES:
            raise UserError(
                f"--out {self.out} is of a kind that is not written; name a .png file for one grid, an .npz file for "
                "an array, or a folder for single PNG files."
            )
        if (
            self.out.exists()
            and not self.overwrite
            and not (self.out.is_dir() and not any(self.out.iterdir()))
        ):
            raise UserError(f"--out {self.out} exists already; choose another name, or add --overwrite.")
        if not self.out.absolute().parent.is_dir():
            raise UserError(
                f"--out {self.out} lies in a folder that does not exist; make {self.out.parent} first."
            )


def command(words: Sequence[str]) -> int:
    """Draw, write, and print where."""
    config = parse(SampleConfig, words, name="sample")
    from saddle.gan.sampling import write_images
    from saddle.gan.saved import draw, open_run

    images = draw(open_run(config.run), config.n, seed=config.seed, device=config.device)
    write_images(images, config.out, columns=config.columns)
    print(config.out)
    return 0
