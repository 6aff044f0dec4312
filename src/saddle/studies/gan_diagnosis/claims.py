"""What the study `gan-diagnosis` holds to its runs.

Two kinds of claim. The nine counts are of the runs themselves: how many of these seeds, all looked at, no more. The last
two are proportions with Wilson's interval, over all provocations and over all looks at healthy runs.
"""

from collections.abc import Mapping

from saddle.core import Band, Claim, Measured
from saddle.studies.cell import CellResult
from saddle.studies.diagnosis import KINDS
from saddle.studies.gan_diagnosis.cells import trials
from saddle.studies.gan_diagnosis.config import GanDiagnosisConfig
from saddle.studies.gan_diagnosis.trials import Trial

__all__ = ["SOURCE", "absent", "claims", "found"]

SOURCE = "Saddle's own promise: its guide on diagnosis"
SHARE = 0.9
"Of the runs."
PRESENT = ("serious", "warning")


def found(result: CellResult, kind: str) -> int:
    """Runs of a trial in which the failure was found."""
    return sum(severity in PRESENT for severity in result.numbers[kind]["severity"])


def absent(result: CellResult, kind: str) -> int:
    """Runs of a trial in which it was looked for and not found; what could not be decided does not count."""
    return sum(severity == "fine" for severity in result.numbers[kind]["severity"])


def claims(config: GanDiagnosisConfig, results: Mapping[str, CellResult]) -> list[Claim]:
    """A pair for every kind of failure, then both proportions over all."""
    every = trials(config)
    provoked = [trial for trial in every if trial.kind]
    healthy = [trial for trial in every if not trial.kind]
    n = config.seeds
    made = [claim for trial in provoked for claim in _pair(trial, healthy, n, results)]
    hits = sum(found(results[trial.name], trial.kind) for trial in provoked)
    clear = sum(absent(results[trial.name], kind) for trial in healthy for kind in KINDS)
    return [
        *made,
        Claim(
            statement="Of all runs in which a failure was provoked, the share in which that failure is found.",
            source=SOURCE,
            certainty="measured",
            predicted=Band.at_least(SHARE),
            measured=Measured.proportion(hits, n * len(provoked)),
        ),
        Claim(
            statement="Of all looks for a failure in a healthy run, the share that finds none.",
            source=SOURCE,
            certainty="measured",
            predicted=Band.at_least(SHARE),
            measured=Measured.proportion(clear, n * len(healthy) * len(KINDS)),
            note="Looks at one run are not independent, so the interval is somewhat too narrow.",
        ),
    ]


def _pair(trial: Trial, healthy: list[Trial], n: int, results: Mapping[str, CellResult]) -> list[Claim]:
    hits = found(results[trial.name], trial.kind)
    clear = {each.name: absent(results[each.name], trial.kind) for each in healthy}
    worst = min(clear, key=lambda name: clear[name])
    return [
        _counted(f"{trial.kind} is found where it was provoked ({trial.name}).", hits, n),
        _counted(
            f"{trial.kind} is not found in healthy runs; of {len(healthy)} kinds, the worst ({worst}).",
            clear[worst],
            n,
        ),
    ]


def _counted(statement: str, count: int, n: int) -> Claim:
    low, high = Measured.proportion(count, n).interval
    return Claim(
        statement=f"{statement} Share of these {n} runs.",
        source=SOURCE,
        certainty="measured",
        predicted=Band.at_least(SHARE),
        measured=Measured.exact(count / n, n),
        note=f"As an estimate for other seeds: {low:.2f} to {high:.2f} (Wilson).",
    )
