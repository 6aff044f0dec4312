"""Options of `saddle sweep` and `saddle train`. Standard library only: `--help` reads its text from here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, final

from saddle.data.config import DataConfig
from saddle.errors import UserError
from saddle.gan.config import GanConfig
from saddle.metrics.config import MetricsConfig

__all__ = ["RunOptions", "SweepConfig", "TrainConfig"]


@final
@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How far and where to train, and how often to look; nothing here changes a run, but for rounding (device, fleet and threads choose other kernels)."""

    steps: int = 2000
    """Generator steps of every run; a larger number later goes on from where the runs stopped."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto: a CUDA device where there is one."""
    fleet: int | None = None
    """Seeds trained together at most, as one batched model; default: all seeds of a width."""
    workers: int | None = None
    """Widths trained at the same time; default: one a core on a CPU, one on a GPU."""
    deterministic: bool = False
    """On CUDA: only deterministic kernels, so that a resumed run equals an unbroken one bit for bit (CPU always)."""
    log_every: int = 50
    """Steps between records of the losses."""
    evaluate_every: int | None = None
    """Steps between scores; default: 10 to 25 times a run, at round numbers."""
    sample_every: int | None = None
    """Steps between grids of samples; default: with the scores."""
    checkpoint_every: int | None = None
    """Steps between checkpoints; default: with the scores, at most 1,000 (Ctrl-C always leaves one)."""
    probe_every: int | None = None
    """Steps between probes (gradients, singular values, accuracy, …); 0: none; default: below 5 % of the training time."""
    spectrum_every: int | None = None
    """Steps between heavy probes (eigenvalues of the game, path angle, generator's Jacobian); 0: none; default: as before."""
    probe_raw: bool = False
    """At the last step, score the generator's weights themselves too, beside their moving average."""

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "fleet",
            "workers",
            "log_every",
            "evaluate_every",
            "sample_every",
            "checkpoint_every",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name.replace('_', '-')} is {value}; it must be at least 1.")
        for name in ("probe_every", "spectrum_every"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UserError(f"--{name.replace('_', '-')} is {value}; it must be 0 (never) or at least 1.")


@final
@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """Train GANs of several widths and seeds on your images, score them, and write a report that says which width.

    Finished runs are never trained again: the same command resumes what was stopped, and more widths, seeds or
    steps train only what is new.
    """

    data: DataConfig
    gan: GanConfig = field(default_factory=GanConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    run: RunOptions = field(default_factory=RunOptions)
    widths: tuple[int, ...] = (8, 16, 32)
    """Widths to compare: channels (dcgan, resnet) or units (mlp) that scale every layer."""
    width_g: int | None = None
    """Hold the generator at this width, and sweep the discriminator's."""
    width_d: int | None = None
    """Hold the discriminator at this width, and sweep the generator's."""
    seeds: int = 3
    """Runs per width, with seeds 0, 1, …; they train together as one batched model."""
    nnd: bool = False
    """Measure the neural network divergence of every finished run too (does it generalise, or copy?); half a minute a run."""
    diagnose: bool = False
    """Look for what went wrong in every run, and say it in the report; see `saddle diagnose`."""
    out: Path = Path("runs/sweep")
    """Folder of the sweep: run folders, results.csv, results.parquet and report.html."""
    config: Path | None = None
    """Take every option from a run's config.json or a sweep's sweep.json; options given beside it win."""

    def __post_init__(self) -> None:
        if not self.widths:
            raise UserError("--widths is empty; give at least one width, such as --widths 8 16 32.")
        if min(self.widths) < 1:
            raise UserError(f"--widths has {min(self.widths)}; a width must be at least 1.")
        if len(set(self.widths)) < len(self.widths):
            raise UserError(
                f"--widths {' '.join(map(str, self.widths))} names a width twice; name each once."
            )
        if self.seeds < 1:
            raise UserError(f"--seeds is {self.seeds}; it must be at least 1.")
        for name in ("width_g", "width_d"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name.replace('_', '-')} is {value}; a width must be at least 1.")
        if self.width_g is not None and self.width_d is not None and len(self.widths) > 1:
            raise UserError(
                "--width-g and --width-d together leave nothing for --widths to sweep; give one of them, "
                "or a single --widths."
            )


@final
@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Train one GAN at one width on your images; stop and resume at any time with the same command."""

    data: DataConfig
    gan: GanConfig = field(default_factory=GanConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    run: RunOptions = field(default_factory=RunOptions)
    width: int = 32
    """Width of both networks: channels (dcgan, resnet) or units (mlp) that scale every layer."""
    width_g: int | None = None
    """Width of the generator, where it differs."""
    width_d: int | None = None
    """Width of the discriminator, where it differs."""
    seed: int = 0
    """Seed of the weights, the batches and the noise."""
    nnd: bool = False
    """Measure the neural network divergence of every finished run too (does it generalise, or copy?); half a minute a run."""
    diagnose: bool = False
    """Look for what went wrong in every run, and say it in the report; see `saddle diagnose`."""
    out: Path = Path("runs/train")
    """Folder that will hold the run's own folder, named by the hash of its configuration, and report.html."""
    config: Path | None = None
    """Take every option from a run's config.json or a sweep's sweep.json; options given beside it win."""

    def __post_init__(self) -> None:
        for name in ("width", "width_g", "width_d"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name.replace('_', '-')} is {value}; a width must be at least 1.")
        if self.seed < 0:
            raise UserError(f"--seed is {self.seed}; it must be 0 or larger.")
