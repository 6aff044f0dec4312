"""From a run folder to `Evidence`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from saddle.data import Split
from saddle.errors import UserError
from saddle.gan.checkpoint import CHECKPOINT, read_checkpoint
from saddle.runs import RunFolder
from saddle.studies.diagnosis.checkpoint import Measured, measure, problem_of
from saddle.studies.diagnosis.curve import Curve
from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.exhibits import Exhibits
from saddle.studies.diagnosis.rows import curves_of, scores_of, with_steps
from saddle.studies.width_sweep.images import load_images

__all__ = ["Examined", "examine", "read_evidence"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """A run's numbers, and what to show of it."""

    evidence: Evidence
    exhibits: Exhibits
    config: Mapping[str, Any]


def read_evidence(run: Path, *, spectrum: bool | None = None) -> Evidence:
    """Everything that the findings look at, of the run in the folder `run`.

    Losses, scores and probes come from its `metrics.jsonl`; what the run did not record is measured at its checkpoint,
    with the images in the `cache` beside it. `spectrum`: whether to compute the game's leading eigenvalues where they
    were not recorded; None computes them where that takes seconds.

    Raises:
        UserError: the folder is no run of a GAN, or one of its files is damaged.
    """
    return examine(run, spectrum=spectrum).evidence


def examine(run: Path, *, spectrum: bool | None = None) -> Examined:
    """`read_evidence` with the exhibits of a page."""
    folder = RunFolder.open(run)
    if folder.config.get("kind") != "gan":
        raise UserError(f"{run} is no run of a GAN; name a run folder of saddle sweep or saddle train.")
    rows, result = with_steps(folder.metrics()), folder.result() or {}
    recorded = curves_of(rows)
    step = max([0, *(row["step"] for row in rows)])
    asked = False if "spectrum/radius" in recorded and spectrum is None else spectrum
    measured, at = _measured(folder, asked)
    for name, value in measured.numbers.items():
        before = recorded.get(name, Curve((), ()))
        points = zip(before.steps, before.values, strict=True)
        recorded[name] = Curve.of([*points, (at if at is not None else step, value)])
    gan = folder.config.get("gan")
    evidence = Evidence(
        name=run.name,
        step=at if at is not None else step,
        status=str(result.get("status", "unfinished")),
        message=str(result.get("message", "")),
        gan=gan if isinstance(gan, dict) else {},
        curves=recorded,
        scores=tuple(scores_of(rows)),
        missing=measured.missing,
    )
    return Examined(evidence=evidence, exhibits=measured.exhibits, config=folder.config)


def _measured(folder: RunFolder, spectrum: bool | None) -> tuple[Measured, int | None]:
    """What the checkpoint and the images give, and the checkpoint's step (None: there is none)."""
    problem = problem_of(folder.config)
    try:
        split = _split(folder)
    except UserError as error:
        return Measured(missing={"checkpoint": f"the images cannot be read ({error})"}), None
    if not (folder.path / CHECKPOINT).is_file():
        facts = measure_data(split)
        return Measured(numbers=facts, missing={"checkpoint": "the run has no checkpoint"}), None
    payload = read_checkpoint(folder.path / CHECKPOINT)
    try:
        found = measure(problem, payload, split, seed=_seed(folder), spectrum=spectrum)
    except (KeyError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"{folder.path / CHECKPOINT} does not belong to its config.json ({reason}); train this run again."
        ) from None
    return found, int(payload["step"])


def measure_data(split: Split) -> dict[str, float]:
    """The part that needs images only."""
    from saddle.studies.diagnosis.measures.images import data_facts

    return {f"pixels/{key}": value for key, value in data_facts(split.train.images).items()}


def _split(folder: RunFolder) -> Split:
    data = folder.config.get("data")
    names = [data.get(part) for part in ("train", "test")] if isinstance(data, dict) else []
    if len(names) != 2 or not all(isinstance(name, str) and name.isalnum() for name in names):
        raise UserError("the configuration does not name them")
    return load_images(folder.path.parent / "cache", *names)  # type: ignore[arg-type]


def _seed(folder: RunFolder) -> int:
    seed = folder.config.get("seed")
    if type(seed) is not int or seed < 0:
        raise UserError(f"{folder.path / 'config.json'} names no seed; restore it.")
    return seed
