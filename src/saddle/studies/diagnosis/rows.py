"""The rows of `metrics.jsonl` as curves; what is not of the right form is passed over, for a file may be anybody's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from saddle.studies.diagnosis.curve import Curve
from saddle.studies.diagnosis.evidence import Score

__all__ = ["curves_of", "scores_of", "with_steps"]

MOST_STEPS = 2**53
Rows = Sequence[Mapping[str, Any]]


def curves_of(rows: Rows) -> dict[str, Curve]:
    """Losses as `loss/generator` and `loss/discriminator`, probes under their own names."""
    points: dict[str, list[tuple[int, float | None]]] = defaultdict(list)
    for row in rows:
        for player in ("generator", "discriminator"):
            if f"loss_{player}" in row:
                points[f"loss/{player}"].append((row["step"], _number(row[f"loss_{player}"])))
        probe = row.get("probe")
        for name, value in probe.items() if isinstance(probe, Mapping) else ():
            points[str(name)].append((row["step"], _number(value)))
    return {name: Curve.of(each) for name, each in points.items()}


def scores_of(rows: Rows) -> list[Score]:
    """Every metric against every split."""
    points: dict[tuple[str, str], list[tuple[int, float | None]]] = defaultdict(list)
    floors: dict[tuple[str, str], float] = {}
    for row in rows:
        scores = row.get("scores")
        for score in scores if isinstance(scores, list) else ():
            if isinstance(score, Mapping):
                key = str(score.get("metric")), str(score.get("split"))
                points[key].append((row["step"], _number(score.get("value"))))
                floor = _number(score.get("floor"))
                floors |= {} if floor is None else {key: floor}
    return [
        Score(
            metric=metric, split=split, curve=Curve.of(each), floor=floors.get((metric, split), float("nan"))
        )
        for (metric, split), each in points.items()
    ]


def with_steps(rows: Rows) -> list[Mapping[str, Any]]:
    """The rows whose step can be one: a whole number from 0 that a float holds exactly."""
    return [row for row in rows if type(row["step"]) is int and 0 <= row["step"] <= MOST_STEPS]


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
