"""The studies that Saddle knows, by name. Standard library only: `saddle study list` reads from here."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, final

from saddle.errors import UserError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["STUDIES", "Study", "StudyConfig", "find_study"]


class StudyConfig(Protocol):
    """What every study's configuration is: a frozen dataclass of numbers, words and tuples of them.

    It stands in the study's `config.py`, which imports nothing heavy, and `__post_init__` raises `UserError` for what
    cannot be studied. `quick()` takes about a minute on two cores, `full()` as long as the numbers need.
    """

    @property
    def seeds(self) -> int:
        """Seeds of every cell; `--seeds` replaces it."""
        ...

    @classmethod
    def quick(cls) -> "StudyConfig": ...

    @classmethod
    def full(cls) -> "StudyConfig": ...


@final
@dataclass(frozen=True, kw_only=True)
class Study:
    """One study: a package `saddle.studies.<name with underscores>` of four modules.

    config.py   <Name>Config                                 a light frozen dataclass, see `StudyConfig`
    cells.py    VERSION: str                                 raised when the same settings would give other numbers
                cells(config) -> list[Cell]                  what there is to compute
                compute(cell) -> CellResult                  computes one, in a process with one thread
    claims.py   claims(config, results) -> list[Claim]       results: cell's name → CellResult, of all cells
    page.py     sections(config, results, claims) -> list[Section]

    A study with `own_options` is run by other means than cells: its `<Name>Config` is what the command line reads, its
    field `out` among them (`of_sweep(SweepConfig)` takes the options of a sweep.json), and in place of cells.py it has

    runner.py   run(config) -> StudyRun                      computes what is missing, and judges the claims
                read(out: Path) -> Finished                  the same from the folder alone
    page.py     … and settings(config, results) -> tuple[Block, ...]
    """

    name: str
    "As the command line has it: words with hyphens."
    title: str
    "The question, as the page's heading has it."
    summary: str
    "One sentence for the list."
    home: str = "saddle.studies"
    "The package that the study's own package is in."
    own_options: bool = False
    "Whether it has options and a runner of its own."

    @property
    def package(self) -> str:
        """The package's full name."""
        return f"{self.home}.{self.name.replace('-', '_')}"

    @property
    def config_type(self) -> Any:
        """The class `<Name>Config`."""
        name = "".join(word.capitalize() for word in self.name.split("-")) + "Config"
        return getattr(import_module(f"{self.package}.config"), name)

    def part(self, name: str) -> "ModuleType":
        """One of the package's modules: `cells` (or `runner`), `claims` or `page`."""
        return import_module(f"{self.package}.{name}")


STUDIES: tuple[Study, ...] = (
    Study(
        name="linear-gan",
        title="How wide must a generator be for gradient descent-ascent to converge, and at which rate?",
        summary="Balaji et al.'s theory re-measured: rates, width threshold and certificates of the linear GAN.",
    ),
    Study(
        name="gan-dynamics",
        title="Which discriminator updates let a GAN of two Gaussians learn?",
        summary="Li et al.'s two-Gaussian GAN: optimal, first-order, unrolled and look-ahead discriminators.",
    ),
    Study(
        name="gan-diagnosis",
        title="Does a diagnosis find what is wrong with a GAN, and only that?",
        summary="Nine failures of GAN training provoked on purpose, beside healthy runs: what saddle diagnose finds.",
    ),
    Study(
        name="min-max-algorithms",
        title="Which min-max algorithm converges on which game, and as fast as predicted?",
        summary="Every dynamics on every game with a known solution: who converges, and as fast as predicted.",
    ),
    Study(
        name="width-transfer",
        title="Does the best step size move with the width?",
        summary="Best Adam step of GANs by width, in the standard and the maximal update parameterisation.",
    ),
    Study(
        name="robust-transport",
        title="What does robust optimal transport remove, and what does it cost?",
        summary="The contamination theorem held to exact solutions; which outliers are found, which clean mass is lost.",
    ),
    Study(
        name="robust-gan",
        title="Does a Wasserstein GAN with robust weights leave the outliers out?",
        summary="Outliers in a GAN's training data: exact batch weights, trimming, a weight network, a filter, an oracle.",
    ),
    Study(
        name="gan-width",
        title="What does width do to a GAN?",
        summary="Balaji et al.'s image study on your images: distance, speed, stability and generalisation by width.",
        own_options=True,
    ),
    Study(
        name="domain-adaptation",
        title="Does weighting the target make adversarial domain adaptation robust?",
        summary="Source-only, adversarial and robust adversarial training, on clean and contaminated target domains.",
        own_options=True,
    ),
)


def find_study(name: str) -> Study:
    """The study called `name`; `UserError` with the nearest name where there is none."""
    for study in STUDIES:
        if study.name == name:
            return study
    near = get_close_matches(name, [study.name for study in STUDIES], n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UserError(f"There is no study {name!r}.{hint} `saddle study list` lists them.")
