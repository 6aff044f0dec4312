"""Options of the study `domain-adaptation`. Standard library only."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

from saddle.errors import UserError

__all__ = [
    "CASES",
    "METHODS",
    "REAL_PAIRS",
    "STAND_IN_PAIRS",
    "DomainAdaptationConfig",
    "Method",
    "TargetCase",
]

TargetCase = Literal["clean", "noise", "cluster", "duplicates", "images", "foreign", "missing"]
CASES: tuple[TargetCase, ...] = ("clean", "noise", "cluster", "duplicates", "images", "foreign", "missing")
Method = Literal["source", "adversarial", "robust", "trim"]
METHODS: tuple[Method, ...] = ("source", "adversarial", "robust", "trim")
REAL_PAIRS = ("mnist:usps", "usps:mnist", "mnist:mnist_m")
STAND_IN_PAIRS = ("digits:textured", "digits:rotated", "digits:blurred")


@final
@dataclass(frozen=True, kw_only=True)
class DomainAdaptationConfig:
    """Train on one domain's labels for another's images, with clean and with contaminated targets.

    Finished cells are never computed again: the same command resumes what was stopped. Without --data it runs on
    scikit-learn's digits and copies of them that code has changed, a stand-in that needs no file.
    """

    data: Path | None = None
    """Folder with the domains, each a file or folder of images with labels: mnist.npz, usps.npz, mnist_m.npz, …; default: the stand-in."""
    pairs: tuple[str, ...] = ()
    """Pairs SOURCE:TARGET of names in --data; default: mnist:usps usps:mnist mnist:mnist_m, or those of the stand-in."""
    contaminations: tuple[TargetCase, ...] = ("clean", "images", "foreign")
    """What the unlabelled target holds: clean; noise, cluster, duplicates or images (--share of it replaced by uniform noise, near-copies of one odd image, copies of one of its own, or --others); foreign (classes that the source lacks); missing (it lacks classes of the source)."""
    share: float = 0.2
    """Share of the target that is contaminated, and that the weights may remove; on a clean target they may remove it too."""
    others: str | None = None
    """Name in --data of the other data set of the contamination images; default: cifar10 where it is there, else textures made by code."""
    known: int = 7
    """Classes that the source knows (foreign) or that the target holds (missing): the first so many."""
    methods: tuple[Method, ...] = ("adversarial", "robust", "trim")
    """Beside source-only, which always runs: adversarial, robust (exact chi-square weights), trim (weights that leave the share out)."""
    seeds: int = 5
    """Runs of every cell, trained together; fewer than 5 decide little."""
    steps: int = 600
    """Steps of every run; the last one counts, whatever came before."""
    batch: int = 64
    """Images of the source and of the target in every step."""
    size: int | None = None
    """Side that all images are brought to; default: 16, or 8 for the stand-in."""
    limit: int = 20_000
    """Training images of a domain at most, drawn at random but always the same ones."""
    workers: int | None = None
    """Cells computed at the same time; default: one a core."""
    out: Path = Path("runs/domain-adaptation")
    """Folder of the study: its cells' folders, claims.json and report.html."""

    def __post_init__(self) -> None:
        _check_words("--pairs", self.pairs)
        _check_words("--contaminations", self.contaminations, of=CASES)
        _check_words("--methods", self.methods, of=METHODS)
        if not self.contaminations:
            raise UserError(f"--contaminations names none; give some of {', '.join(CASES)}.")
        for pair in self.chosen_pairs:
            if len([part for part in pair.split(":") if part]) != 2 or pair.count(":") != 1:
                raise UserError(f"--pairs names {pair!r}; a pair is written SOURCE:TARGET, as in mnist:usps.")
        if self.data is None and self.others is not None:
            raise UserError("--others names a data set in --data, which is not given; give both or neither.")
        for name, least in (
            ("seeds", 1),
            ("steps", 1),
            ("batch", 2),
            ("known", 1),
            ("limit", 10),
            ("workers", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(f"--{name} is {value}; it must be at least {least}.")
        if not 0 < self.share < 0.9:
            raise UserError(f"--share is {self.share:g}; it must be above 0 and below 0.9.")
        if self.size is not None and (self.size < 8 or self.size % 4 or self.size > 64):
            raise UserError(
                f"--size is {self.size}; the networks take a side of 8 to 64 pixels that 4 divides."
            )

    @property
    def chosen_pairs(self) -> tuple[str, ...]:
        """The pairs that are run."""
        return self.pairs or (REAL_PAIRS if self.data is not None else STAND_IN_PAIRS)

    @property
    def side(self) -> int:
        """The side of the images."""
        return self.size or (16 if self.data is not None else 8)

    @property
    def chosen_methods(self) -> tuple[Method, ...]:
        """The methods that are run, source-only first."""
        return tuple(method for method in METHODS if method == "source" or method in self.methods)

    @classmethod
    def quick(cls) -> "DomainAdaptationConfig":
        """Three kinds of target; a few minutes on two cores."""
        return cls(steps=600)

    @classmethod
    def full(cls) -> "DomainAdaptationConfig":
        """Every kind of target, and longer runs."""
        return replace(cls.quick(), contaminations=CASES, steps=1500)

    @classmethod
    def of_sweep(cls, sweep: Any) -> "DomainAdaptationConfig":
        """Refuse the options of a sweep, which trains GANs."""
        raise UserError("A sweep's options say nothing of domain adaptation; leave --config out.")


def _check_words(option: str, words: tuple[str, ...], of: tuple[str, ...] = ()) -> None:
    if len(set(words)) < len(words):
        raise UserError(f"{option} names one thing twice: {' '.join(words)}.")
    if of and not set(words) <= set(of):
        raise UserError(f"{option} must be of {', '.join(of)}.")
