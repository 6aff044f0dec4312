"""Extras of a sweep's finished runs: what is missing is measured in worker processes, what is there is read."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeGuard, final

import torch

from saddle.metrics.divergence.config import NndConfig
from saddle.runs import Job, Outcome, ProcessExecutor, ProgressDisplay, SerialExecutor, usable_cores
from saddle.studies.width_sweep.extra_files import read_extra, read_settings
from saddle.studies.width_sweep.reading import Run, Sweep, find, read_sweep

__all__ = ["Extras", "ExtrasDone", "ExtrasOptions", "compute_extras", "divergence_name", "read_extras"]

JOBS = "saddle.studies.width_sweep.extra_jobs"
Table = dict[tuple[int, int], float]


@final
@dataclass(frozen=True, kw_only=True)
class ExtrasOptions:
    """What to measure besides the scores, and where."""

    nnd: Literal["quick", "exact", "none"] = "none"
    memorisation: bool = False
    "Whether samples are copies of training images, with pictures of the nearest."
    diagnose: bool = False
    trust: bool = False
    "What robust runs ignored, and what runs on contaminated images generate."
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int | None = None

    @property
    def divergence(self) -> NndConfig | None:
        """The critics' settings."""
        return {"quick": NndConfig.quick(), "exact": NndConfig.exact(), "none": None}[self.nnd]


@final
@dataclass(frozen=True, kw_only=True)
class ExtrasDone:
    """How `compute_extras` ended."""

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def interrupted(self) -> bool:
        return any(outcome.status == "interrupted" for outcome in self.outcomes.values())

    @property
    def failures(self) -> dict[str, str]:
        """Job → its sentence."""
        return {key: o.message for key, o in self.outcomes.items() if o.status == "failed"}


@final
@dataclass(frozen=True, kw_only=True)
class Extras:
    """What was measured besides the scores."""

    tables: Mapping[str, Table]
    "By name (nnd, memorisation, closer, …): (width, seed) → value."
    references: Mapping[str, Mapping[int, float]]
    "Divergence of what is no GAN: name → critic's seed → value."
    protocol: str = ""
    "What the divergence is called: NND by the published protocol, NND(quick) by the small critic, NND(own) else."
    findings: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    "Run → its findings, as `Finding.to_json` gives them."
    trust: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    "Run → what it trusted and generates, as `trust_jobs` gives it."


def compute_extras(root: Path, options: ExtrasOptions) -> ExtrasDone:
    """Measure what the finished runs of the sweep in `root` lack; a stop keeps what is measured.

    Runs that diverged have no generator to measure.
    """
    sweep = read_sweep(root)
    cuda = torch.cuda.is_available() and options.device != "cpu"
    device = "cuda" if cuda else "cpu"
    jobs = [
        *_divergence_jobs(sweep, options, device),
        *_memorisation_jobs(sweep, options, device),
        *_diagnosis_jobs(sweep, options),
        *_trust_jobs(sweep, options, device),
    ]
    if not jobs:
        return ExtrasDone()
    workers = min(len(jobs), 1 if cuda else options.workers or usable_cores())
    with ProgressDisplay(jobs, workers) as display:
        if workers == 1:
            return ExtrasDone(outcomes=SerialExecutor().run(jobs, display))
        return ExtrasDone(outcomes=ProcessExecutor(workers=workers).run(jobs, display))


def read_extras(sweep: Sweep) -> Extras:
    """What there is of the runs as they are: what was measured before they were trained on does not count.

    Divergences by several protocols do not compare: those of the one that most runs have are taken.
    """
    tables: dict[str, Table] = {}
    protocol = _protocol(sweep)
    for run in _finished(sweep):
        copies = _current(run, "memorisation")
        pixels = copies.get("pixels")
        pixels = pixels if isinstance(pixels, dict) else {}
        own = divergence_name(read_settings(run.folder, "nnd")) == protocol
        values = {
            "nnd": _current(run, "nnd").get("value") if own else None,
            "memorisation": copies.get("score"),
            "closer": copies.get("closer"),
            "unauthentic": copies.get("unauthentic"),
            "unauthentic_test": copies.get("unauthentic_test"),
            "pixel_copies": pixels.get("copies"),
            "pixel_closer": pixels.get("closer"),
        }
        for name, value in values.items():
            if _is_number(value) and run.width is not None and run.seed is not None:
                tables.setdefault(name, {})[run.width, run.seed] = float(value)
    alike = not protocol or divergence_name(read_settings(sweep.folder, "nnd")) == protocol
    stored = (read_extra(sweep.folder, "nnd") or {}) if alike else {}
    references = {
        name: {
            int(seed): float(each["value"])
            for seed, each in found.items()
            if seed.isdecimal() and _has_value(each)
        }
        for name, found in stored.items()
        if isinstance(found, dict)
    }
    findings = {}
    for run in sweep.runs:
        found = _current(run, "diagnosis").get("findings")
        if isinstance(found, list):
            findings[run.key] = [each for each in found if isinstance(each, dict)]
    return Extras(
        tables=tables,
        references=references,
        protocol=protocol,
        findings=findings,
        trust={run.key: found for run in _finished(sweep) if (found := _current(run, "trust"))},
    )


def divergence_name(settings: object) -> str:
    """What a divergence by these settings is called."""
    known = {"NND": NndConfig.exact(), "NND(quick)": NndConfig.quick()}
    own = settings if isinstance(settings, dict) else {}
    return next(
        (n for n, c in known.items() if all(own.get(k) == v for k, v in asdict(c).items())), "NND(own)"
    )


def _protocol(sweep: Sweep) -> str:
    names = Counter(
        divergence_name(read_settings(run.folder, "nnd")) for run in _finished(sweep) if _current(run, "nnd")
    )
    return min(names, key=lambda name: (-names[name], name), default="")


def _current(run: Run, name: str) -> dict[str, Any]:
    """An extra of the run as it is; empty where there is none."""
    step, least = read_settings(run.folder, name).get("step"), run.result.get("step")
    if type(step) is int and type(least) is int and step < least:
        return {}
    return read_extra(run.folder, name) or {}


def _memorisation_jobs(sweep: Sweep, options: ExtrasOptions, device: str) -> list[Job]:
    runs = _finished(sweep)
    if not options.memorisation or not runs:
        return []
    from saddle.studies.width_sweep.neighbour_jobs import memorisation_settings

    missing = [
        run.key
        for run in runs
        if read_extra(run.folder, "memorisation", memorisation_settings(run.result["step"])) is None
    ]
    weights = find(find(sweep.config, "command"), "weights")
    arguments = {"root": str(sweep.folder), "runs": missing, "weights": weights, "device": device}
    # One job: what it needs of the real images is computed once.
    job = Job(
        key="nearest neighbours",
        function="saddle.studies.width_sweep.neighbour_jobs:measure_memorisation",
        arguments=arguments,
        weight=1 + 0.3 * len(missing),
    )
    return [job] if missing else []


def _trust_jobs(sweep: Sweep, options: ExtrasOptions, device: str) -> list[Job]:
    contaminated = bool(sweep.data.get("outliers"))
    runs = [run for run in _finished(sweep) if contaminated or find(run.config, "robust")]
    if not options.trust or not runs:
        return []
    from saddle.studies.width_sweep.trust_jobs import trust_settings

    missing = [
        run.key for run in runs if read_extra(run.folder, "trust", trust_settings(run.result["step"])) is None
    ]
    arguments = {
        "root": str(sweep.folder),
        "runs": missing,
        "weights": find(find(sweep.config, "command"), "weights"),
        "device": device,
    }
    job = Job(
        key="what the training ignored",
        function="saddle.studies.width_sweep.trust_jobs:measure_trust",
        arguments=arguments,
        weight=1 + 0.2 * len(missing),
    )
    return [job] if missing else []


def _diagnosis_jobs(sweep: Sweep, options: ExtrasOptions) -> list[Job]:
    if not options.diagnose:
        return []
    ended = [run for run in sweep.runs if isinstance(run.result.get("step"), int)]
    missing = [
        run.key
        for run in ended
        if read_extra(run.folder, "diagnosis", {"step": run.result["step"], "status": run.status}) is None
    ]
    size = 4
    return [
        _job(
            f"diagnosis of runs {start + 1} to {min(start + size, len(missing))}",
            "measure_diagnosis",
            {"root": str(sweep.folder), "runs": missing[start : start + size]},
            0.1 * size,
        )
        for start in range(0, len(missing), size)
    ]


def _has_value(each: Any) -> bool:
    return isinstance(each, dict) and _is_number(each.get("value"))


def _is_number(value: Any) -> TypeGuard[float | int]:
    """Whether a number from a file is one: not a word, not true, not infinite, not too long for a float."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _finished(sweep: Sweep) -> list[Run]:
    return [run for run in sweep.runs if run.status == "done"]


def _divergence_jobs(sweep: Sweep, options: ExtrasOptions, device: str) -> list[Job]:
    config = options.divergence
    runs = _finished(sweep)
    if config is None or not runs:
        return []
    # Imported here: reading a report needs no networks.
    from saddle.studies.width_sweep.extra_jobs import nnd_settings, reference_settings

    common = {"root": str(sweep.folder), "nnd": asdict(config), "device": device}
    jobs = []
    for width in sorted({run.width or 0 for run in runs}):
        missing = [
            run
            for run in runs
            if run.width == width
            and read_extra(run.folder, "nnd", nnd_settings(run.config, config, run.result["step"])) is None
        ]
        if missing:
            arguments = common | {"runs": [run.key for run in missing]}
            jobs.append(_job(f"width {width}: divergence", "measure_divergence", arguments, len(missing)))
    data, seeds = runs[0].config["data"], sorted({run.seed for run in runs if run.seed is not None})
    if read_extra(sweep.folder, "nnd", reference_settings(data, config, seeds)) is None:
        arguments = common | {"data": {k: data[k] for k in ("train", "test")}, "seeds": seeds}
        jobs.append(_job("references: divergence", "measure_references", arguments, 2 * len(seeds)))
    return jobs


def _job(key: str, function: str, arguments: dict[str, Any], weight: float | int) -> Job:
    return Job(key=key, function=f"{JOBS}:{function}", arguments=arguments, weight=weight)
