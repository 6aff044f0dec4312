"""Options of the study `gan-width`: those of `saddle sweep`, and which sides. Standard library only."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, final

from saddle.data.config import DataConfig
from saddle.errors import UserError
from saddle.gan.config import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.studies.width_sweep.config import RunOptions, SweepConfig

__all__ = ["SIDES", "GanWidthConfig", "Side"]

Side = Literal["both", "generator", "discriminator"]
SIDES: tuple[Side, ...] = ("both", "generator", "discriminator")


@final
@dataclass(frozen=True, kw_only=True)
class GanWidthConfig:
    """Train GANs of several widths and seeds on your images, and hold every claim of the paper's image study to them.

    Finished runs are never trained again: the same command resumes what was stopped, and OUT/both, OUT/generator and
    OUT/discriminator are folders of `saddle sweep`, made before or not. --full begins with all sides, five widths and
    5,000 steps, which takes hours on a CPU.
    """

    data: DataConfig = field(default_factory=lambda: DataConfig(data="digits"))
    gan: GanConfig = field(default_factory=GanConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    run: RunOptions = field(default_factory=RunOptions)
    widths: tuple[int, ...] = (4, 8, 16)
    """Widths to compare: channels (dcgan, resnet) or units (mlp) that scale every layer."""
    seeds: int = 5
    """Runs per width, with seeds 0, 1, …; they train together as one batched model. Fewer than 5 decide little."""
    sides: tuple[Side, ...] = ("both",)
    """Which network's width is swept: both (the main study), the generator's alone, the discriminator's alone."""
    hold_width: int | None = None
    """Width of the other network where one is swept alone; default: the largest of --widths."""
    nnd: Literal["quick", "exact", "none"] = "quick"
    """Neural network divergence of every run and of a generator that memorised the images; exact (published) needs a GPU."""
    diagnose: bool = False
    """Look for what went wrong in every run too; see `saddle diagnose`."""
    out: Path = Path("runs/gan-width")
    """Folder of the study: a sweep's folder a side, claims.json and report.html."""
    config: Path | None = None
    """Take every option from a sweep's sweep.json; options given beside it win."""

    def __post_init__(self) -> None:
        if len(self.widths) < 2:
            raise UserError("--widths names fewer than two widths; a trend needs two, and a law three.")
        if not self.sides or len(set(self.sides)) < len(self.sides):
            raise UserError(
                "--sides names a side twice or none; give some of both, generator, discriminator."
            )
        if not set(self.sides) <= set(SIDES):
            raise UserError(f"--sides must be of {', '.join(SIDES)}.")
        if self.hold_width is not None and self.hold_width < 1:
            raise UserError(f"--hold-width is {self.hold_width}; a width must be at least 1.")
        for side in self.sides:
            self.sweep(side)

    @property
    def held(self) -> int:
        """The width of the network that is not swept."""
        return max(self.widths) if self.hold_width is None else self.hold_width

    def sweep(self, side: Side) -> SweepConfig:
        """The sweep of one side."""
        return SweepConfig(
            data=self.data,
            gan=self.gan,
            metrics=self.metrics,
            run=self.run,
            widths=self.widths,
            width_g=self.held if side == "discriminator" else None,
            width_d=self.held if side == "generator" else None,
            seeds=self.seeds,
            out=self.out / side,
        )

    @classmethod
    def of_sweep(cls, sweep: SweepConfig) -> "GanWidthConfig":
        """The study of a sweep of both widths; where its folder is called as one side's is, the study's lies above it."""
        if sweep.width_g is not None or sweep.width_d is not None:
            raise UserError(
                "That sweep holds one network's width; take the options from a sweep of both, and say --sides."
            )
        out = sweep.out.parent if sweep.out.name in SIDES else cls.out
        return cls(
            data=sweep.data,
            gan=sweep.gan,
            metrics=sweep.metrics,
            run=sweep.run,
            widths=sweep.widths,
            seeds=sweep.seeds,
            out=out,
        )

    @classmethod
    def quick(cls) -> "GanWidthConfig":
        """Three widths of five seeds, 1,000 steps: the least that decides something."""
        return cls(run=RunOptions(steps=1000))

    @classmethod
    def full(cls) -> "GanWidthConfig":
        """All sides and more widths, trained for longer."""
        quick = cls.quick()
        return replace(quick, widths=(4, 8, 16, 32, 64), sides=SIDES, run=RunOptions(steps=5000))
