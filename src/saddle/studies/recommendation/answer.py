"""A sweep's folder to an answer: which width, what it would give, what it costs, and what speaks against it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from saddle.errors import UserError
from saddle.runs.hashing import null, plain
from saddle.studies.recommendation.cost_model import Cost, CostCurve
from saddle.studies.recommendation.costs import Costs, known_costs, widths_to_measure
from saddle.studies.recommendation.decision import Decision, candidates_of, check_request, decide
from saddle.studies.recommendation.evidence import Evidence, read_evidence
from saddle.studies.recommendation.failures import Failures
from saddle.studies.recommendation.forecast import Forecast, forecast
from saddle.studies.recommendation.held_out import HeldOut, held_out_check
from saddle.studies.recommendation.measure import Kind
from saddle.studies.width_sweep.checks import choose_device
from saddle.studies.width_sweep.config import RunOptions
from saddle.studies.width_sweep.summary import Level
from saddle.theory.power_law import Number, Undetermined

__all__ = ["Answer", "Candidate", "recommend_width"]


@final
@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One width: what is known and foreseen of it."""

    width: int
    level: Level | None
    "What its runs gave; None where it was not trained."
    failures: Failures | None
    predicted: float | None
    mean: tuple[float, float] | None
    "95 % interval of the mean over seeds."
    run: tuple[float, float] | None
    "95 % prediction interval of one new run."
    cost: Cost
    "Milliseconds."
    memory: int | None
    "Peak bytes above the process at rest, where measured."
    bought: bool
    "Whether the budget buys it."
    dominated: bool
    "Whether another width of its kind (trained, or not) costs no more and is at least as good."

    @property
    def value(self) -> float | None:
        """Return the distance it stands for in a picture: the mean of its runs, else the prediction."""
        return self.predicted if self.level is None else sum(self.level.values) / self.level.n


@final
@dataclass(frozen=True, kw_only=True)
class Answer:
    """The recommendation with everything it rests on."""

    evidence: Evidence
    forecast: Forecast | Undetermined
    decision: Decision
    candidates: tuple[Candidate, ...]
    costs: Costs
    curve: CostCurve
    of: Kind
    held_out: HeldOut | Undetermined
    left_out: tuple[Failures, ...]
    "Widths that are no candidates because more than half of their runs failed."

    @property
    def chosen(self) -> Candidate:
        """Return the recommended width."""
        return next(each for each in self.candidates if each.width == self.decision.width)

    def to_json(self) -> dict[str, Any]:
        """Return the answer as plain JSON values; what is not known is null."""
        law = self.forecast.law if isinstance(self.forecast, Forecast) else None
        found = {
            "metric": self.evidence.metric,
            "split": self.evidence.split,
            "recommended": asdict(self.decision),
            "law": None
            if law is None
            else {
                **{
                    name: getattr(law, name)
                    for name in ("a", "b", "c", "error", "paired", "widths", "counts")
                },
                "intervals": {name: law.interval(name) for name in ("a", "b", "c")},
            },
            "undetermined": None if isinstance(self.forecast, Forecast) else self.forecast.reason,
            "held_out": _held_out(self.held_out),
            "cost": {
                "of": self.of,
                "unit": "milliseconds per step" if self.of == "training" else "milliseconds per image",
                "conditions": dict(self.costs.conditions),
                "measured_before": self.costs.cached,
                "held_out_errors": {str(k): error for k, error in self.curve.held_out.items()},
            },
            "widths": [
                {**asdict(each), "level": None if each.level is None else each.level.values}
                for each in self.candidates
            ],
            "left_out": [asdict(each) for each in self.left_out],
        }
        return plain(found, number=null, where="recommendation")


def recommend_width(
    folder: Path,
    *,
    budget: Number | None = None,
    of: Kind = "sampling",
    widths: Sequence[int] = (),
    tolerance: Number = 0.05,
    metric: str | None = None,
    split: str | None = None,
    threads: int = 1,
    device: str = "auto",
    again: bool = False,
) -> Answer:
    """Read the sweep, measure costs (or take those measured before on this machine), fit and decide.

    Args:
        folder: of a finished sweep; `costs.json` is kept in it.
        budget: milliseconds per generated image, or per training step.
        of: what the budget buys; see `measure` for exactly what is counted.
        widths: candidates beside the measured widths.
        tolerance: how near to the best is near enough, relative.
        metric: distance to decide by; split: images to compare with.
        threads: of torch on a CPU while costs are measured.
        device: "auto", "cpu" or "cuda".
        again: measure costs although they are known.

    Raises:
        UserError: see `read_evidence`, `candidates_of` and `decide`; fewer than one thread.
    """
    # Before costs are measured, which takes a while.
    check_request(budget, tolerance)
    if threads < 1:
        raise UserError(f"Costs are measured with at least one thread, not {threads}.")
    evidence = read_evidence(folder, metric=metric, split=split)
    left_out = tuple(each for each in evidence.failures if each.share > 0.5)
    levels = [level for level in evidence.levels if level.width not in {each.width for each in left_out}]
    scores = evidence.scores
    found = forecast([s.width for s in scores], [s.value for s in scores], seeds=[s.seed for s in scores])
    held = held_out_check(
        [s.width for s in scores], [s.value for s in scores], seeds=[s.seed for s in scores]
    )
    every = candidates_of(evidence.widths, widths)
    names = [k for k in every if k not in {each.width for each in left_out}]
    where = choose_device(RunOptions(device=device), evidence.networks.gan)  # type: ignore[arg-type]
    costs = known_costs(
        folder,
        evidence.networks,
        widths_to_measure(evidence.widths, every),
        device=where,
        trained=evidence.widths,
        threads=threads,
        again=again,
    )
    curve = costs.curve(of)
    prices = {k: curve(k) for k in names}
    law = found if isinstance(found, Forecast) else None
    decision = decide(law, levels, names, costs=prices, budget=budget, tolerance=tolerance)
    return Answer(
        evidence=evidence,
        forecast=found,
        decision=decision,
        candidates=_candidates(evidence, law, names, prices, costs, of, budget),
        costs=costs,
        curve=curve,
        of=of,
        held_out=held,
        left_out=left_out,
    )


def _candidates(
    evidence: Evidence,
    law: Forecast | None,
    names: Sequence[int],
    prices: Mapping[int, Cost],
    costs: Costs,
    of: Kind,
    budget: Number | None,
) -> tuple[Candidate, ...]:
    levels = {level.width: level for level in evidence.levels}
    failures = {each.width: each for each in evidence.failures}
    predicted = {} if law is None else dict(zip(names, law.law(names).tolist(), strict=True))
    mean, run = (None, None) if law is None else (law.mean(names), law.runs(names))

    def value(k: int) -> float | None:
        return sum(levels[k].values) / levels[k].n if k in levels else predicted.get(k)

    def dominated(k: int) -> bool:
        own = value(k)
        for other in names:
            its = value(other)
            if other == k or own is None or its is None or (other in levels) != (k in levels):
                continue
            no_worse = its <= own and prices[other].value <= prices[k].value
            if no_worse and (its, prices[other].value) != (own, prices[k].value):
                return True
        return False

    return tuple(
        Candidate(
            width=k,
            level=levels.get(k),
            failures=failures.get(k),
            predicted=predicted.get(k),
            mean=None if mean is None else (float(mean[0, at]), float(mean[1, at])),
            run=None if run is None else (float(run[0, at]), float(run[1, at])),
            cost=prices[k],
            memory=costs.by_width[k].memory[of] if k in costs.by_width else None,
            bought=budget is None or prices[k].value <= budget,
            dominated=dominated(k),
        )
        for at, k in enumerate(names)
    )


def _held_out(found: HeldOut | Undetermined) -> dict[str, Any]:
    if isinstance(found, HeldOut):
        return asdict(found) | {"inside": found.inside, "runs_inside": found.runs_inside, "reason": None}
    return {"reason": found.reason}
