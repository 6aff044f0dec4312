"""`saddle study`: theorems and algorithms held to measurements."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, final

import tyro

from saddle.cli.parse import parse
from saddle.cli.stored import stored_default
from saddle.errors import UserError
from saddle.studies import study as known
from saddle.studies.width_sweep.config import SweepConfig

__all__ = ["StudyListConfig", "StudyReportConfig", "StudyRunConfig", "command", "own_study"]


@final
@dataclass(frozen=True)
class StudyListConfig:
    """List the studies."""


@final
@dataclass(frozen=True)
class StudyRunConfig:
    """Compute what a study still lacks, hold its claims to it, and write the page; quick ones take about a minute on two cores."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """Which study; `saddle study list` names them."""
    full: bool = False
    """All widths, games and seeds, as the published tables need them; takes much longer."""
    out: Path | None = None
    """Folder of the study: its cells' folders, claims.json and report.html; default: runs/NAME."""
    seeds: int | None = None
    """Seeds of every cell; default: what the quick or full study takes."""
    workers: int | None = None
    """Cells computed at the same time; default: one a core."""

    def __post_init__(self) -> None:
        for option in ("seeds", "workers"):
            value = getattr(self, option)
            if value is not None and value < 1:
                raise UserError(f"--{option} is {value}; it must be at least 1.")
        known.find_study(self.name)


@final
@dataclass(frozen=True)
class StudyReportConfig:
    """Put studies on one page, from their folders alone; nothing is computed again but what the claims say."""

    folders: tyro.conf.Positional[tuple[Path, ...]] = (Path("runs"),)
    """Folders of studies, or folders that hold some."""
    out: Path | None = None
    """Where to write the page; default: studies.html in the first folder (report.html when that is the only study)."""


def command(words: Sequence[str]) -> int:
    """`saddle study list|run|report`; the last line printed names the page and counts the verdicts."""
    actions = {"list": _list, "run": _run, "report": _report}
    word, rest = (words[0], words[1:]) if words else ("", [])
    if word in ("-h", "--help"):
        print(_help())
        return 0
    if word not in actions:
        what = f"There is no `saddle study {word}`" if word else "`saddle study` needs a word"
        raise UserError(
            f"{what}: it is list, run or report, as in `saddle study list`. `saddle study --help` explains them."
        )
    return actions[word](rest)


def _help() -> str:
    return "\n".join(
        (
            "usage: saddle study list | run NAME [OPTIONS] | report [FOLDERS] [OPTIONS]",
            "",
            *(
                f"  {word:7} {(config.__doc__ or '').splitlines()[0]}"
                for word, config in (
                    ("list", StudyListConfig),
                    ("run", StudyRunConfig),
                    ("report", StudyReportConfig),
                )
            ),
            "",
            "`saddle study run --help` and `saddle study report --help` explain the options; "
            + " and ".join(f"`saddle study run {s.name} --help`" for s in known.STUDIES if s.own_options)
            + " those that a study has of its own.",
        )
    )


def _list(words: Sequence[str]) -> int:
    parse(StudyListConfig, words, name="study list")
    width = max(len(study.name) for study in known.STUDIES)
    for study in known.STUDIES:
        print(f"{study.name:{width}}  {study.summary}")
    return 0


def _run(words: Sequence[str]) -> int:
    own = own_study(words)
    if own is not None:
        return _run_own(*own, full="--full" in words)
    config = parse(StudyRunConfig, words, name="study run")
    from saddle.cli.finish_study import finish_study
    from saddle.studies.carry_out import Request, run_study

    request = Request.of(
        config.name, full=config.full, seeds=config.seeds, out=config.out, workers=config.workers
    )
    return finish_study(run_study(request), request.out)


def own_study(words: Sequence[str]) -> tuple[known.Study, list[str]] | None:
    """The study with options of its own that the words after `study run` name first, and the words left for them.

    --full, which chooses the defaults, is none of them.
    """
    left = [word for word in words if word != "--full"]
    for study in known.STUDIES:
        if study.own_options and left[:1] == [study.name]:
            return study, left[1:]
    return None


def _run_own(study: known.Study, words: Sequence[str], *, full: bool) -> int:
    words, sweep = stored_default(words, SweepConfig)
    kind = study.config_type
    default = kind.of_sweep(sweep) if sweep is not None else kind.full() if full else kind.quick()
    config = parse(kind, words, name=f"study run {study.name}", default=default)
    from saddle.cli.finish_study import finish_study

    return finish_study(study.part("runner").run(config), config.out)


def _report(words: Sequence[str]) -> int:
    config = parse(StudyReportConfig, words, name="study report")
    from saddle.cli.finish_study import report_studies

    return report_studies(config.folders, config.out)
