"""What a sweep's folder says that a recommendation needs: one distance a run, what failed, which networks."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, final

from saddle.errors import UserError
from saddle.gan.config import GanConfig
from saddle.report.tables import format_list
from saddle.studies.recommendation.failures import Failures
from saddle.studies.width_sweep.reading import Run, Score, Sweep, find, read_sweep
from saddle.studies.width_sweep.summary import FAILED, Level, about, compared, levels, metric_names

__all__ = ["Evidence", "Networks", "read_evidence"]

COLLAPSED_ABOVE = 3
"""A run counts as collapsed where its distance is more than so many times the best of its width. Not the median's: two
collapsed runs of three would hide in it."""


@final
@dataclass(frozen=True, kw_only=True)
class Networks:
    """What the sweep's networks are, so that they can be built at any width."""

    gan: GanConfig
    size: int
    channels: int
    width_g: int | None
    "The generator's width where the sweep holds it."
    width_d: int | None

    def widths(self, width: int) -> tuple[int, int]:
        """Return the widths of generator and discriminator at a point of the sweep."""
        return (
            width if self.width_g is None else self.width_g,
            width if self.width_d is None else self.width_d,
        )


@final
@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A finished sweep."""

    folder: Path
    name: str
    "Of the images."
    metric: str
    split: str
    scores: tuple[Score, ...]
    "One compared score a run, at one step where possible; failed runs have none."
    failures: tuple[Failures, ...]
    "One a width, ascending."
    networks: Networks
    step_seconds: Mapping[int, float]
    "Median measured seconds per training step and member of the runs themselves, by width."

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the values by width."""
        return tuple(levels(self.scores))

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the widths with a compared score."""
        return tuple(level.width for level in self.levels)


def read_evidence(folder: Path, *, metric: str | None = None, split: str | None = None) -> Evidence:
    """Read a finished sweep; the distance is the first one that the sweep has, on test images where it has them.

    Raises:
        UserError: no sweep, an unfinished one, fewer than two widths to compare, or no such metric or split.
    """
    sweep = read_sweep(folder)
    if not sweep.runs or not sweep.scores:
        raise UserError(f"{folder} holds a sweep without a scored run; run saddle sweep to its end first.")
    _refuse_unfinished(sweep)
    chosen = _metric(sweep, metric)
    part = _split(sweep, chosen, split)
    scores = tuple(compared(sweep, chosen, part))
    found = {score.width for score in scores}
    if len(found) < 2:
        what = f"only width {min(found)}" if found else "no width"
        raise UserError(
            f"In {folder} {what} has a finite {part} {chosen}, and choosing needs two widths or more, better four; "
            "run saddle sweep with more --widths."
        )
    return Evidence(
        folder=folder,
        name=str(sweep.data.get("name") or folder.name),
        metric=chosen,
        split=part,
        scores=scores,
        failures=tuple(_failures(sweep, scores)),
        networks=_networks(sweep),
        step_seconds=_step_seconds(sweep),
    )


def _refuse_unfinished(sweep: Sweep) -> None:
    asked = find(sweep.config, "steps")
    steps = asked if type(asked) is int else 0

    def going(run: Run) -> bool:
        step = run.result.get("step")
        short = run.status == "done" and isinstance(step, int) and step < steps
        return short or run.status in ("unfinished", "interrupted")

    left = [run for run in sweep.runs if going(run)]
    if left:
        which = format_list([f"width {run.width} seed {run.seed}" for run in left[:4]])
        more = f" and {len(left) - 4} more" if len(left) > 4 else ""
        raise UserError(
            f"The sweep in {sweep.folder} is not finished: {len(left)} of {len(sweep.runs)} runs are still to be "
            f"trained ({which}{more}). Give its saddle sweep command again, which trains what is left."
        )


def _metric(sweep: Sweep, wanted: str | None) -> str:
    distances = [name for name in metric_names(sweep) if (info := about(name)) and info.better == "lower"]
    if wanted is None and distances:
        return distances[0]
    if wanted is None or wanted not in distances:
        what = "has no distance" if wanted is None else f"has no distance {wanted!r}"
        raise UserError(
            f"The sweep in {sweep.folder} {what} to choose a width by; it has {format_list(distances) if distances else 'none'}."
        )
    return wanted


def _split(sweep: Sweep, metric: str, wanted: str | None) -> str:
    splits = sorted({score.split for score in sweep.scores if score.metric == metric})
    if wanted is None:
        return "test" if "test" in splits else splits[0]
    if wanted not in splits:
        raise UserError(f"{metric} was not scored on the {wanted} split; it has {format_list(splits)}.")
    return wanted


def _failures(sweep: Sweep, scores: tuple[Score, ...]) -> list[Failures]:
    found = []
    for width in sweep.widths:
        runs = [run for run in sweep.runs if run.width == width]
        values = [score.value for score in scores if score.width == width]
        best = min(values, default=math.nan)
        found.append(
            Failures(
                width=width,
                runs=len(runs),
                failed=sum(run.status in FAILED for run in runs),
                collapsed=sum(value > COLLAPSED_ABOVE * best > 0 for value in values),
            )
        )
    return found


def _networks(sweep: Sweep) -> Networks:
    config = next((run.config for run in sweep.runs if isinstance(run.config.get("gan"), Mapping)), {})
    known = {field.name for field in fields(GanConfig)}
    try:
        gan = GanConfig(**{key: value for key, value in config["gan"].items() if key in known})
        size, channels = config["data"]["size"], config["data"]["channels"]
        if type(size) is not int or type(channels) is not int:
            raise TypeError(f"size and channels are {size!r:.40} and {channels!r:.40}")
    except (KeyError, TypeError) as error:
        raise UserError(
            f"The runs in {sweep.folder} do not say which networks they trained ({error!s:.80}), so their cost cannot "
            "be measured; name the folder of a saddle sweep."
        ) from None
    return Networks(
        gan=gan,
        size=size,
        channels=channels,
        width_g=_held(sweep, "width_g"),
        width_d=_held(sweep, "width_d"),
    )


def _held(sweep: Sweep, key: str) -> int | None:
    """The one width that a network has in all runs although the sweep has several, or None."""
    found: set[Any] = {run.config.get(key) for run in sweep.runs}
    (only, *more) = found
    return only if not more and type(only) is int and len(sweep.widths) > 1 else None


def _step_seconds(sweep: Sweep) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for run in sweep.runs:
        seconds = run.result.get("seconds_per_step")
        if run.width is not None and isinstance(seconds, int | float) and seconds > 0:
            found.setdefault(run.width, []).append(float(seconds))
    return {width: statistics.median(values) for width, values in sorted(found.items())}
