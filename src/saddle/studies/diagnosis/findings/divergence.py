"""Divergence: losses that are no longer finite, or grow beyond what any training uses."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, short

__all__ = ["judge"]

LOOK = Look("divergence", "Divergence")
LOSS = 1000.0
"""Median size of a loss over the last third. Healthy tuning runs stay below 10 with every loss; those with steps of 1 are
above 10,000."""


def judge(evidence: Evidence) -> Finding:
    """Training left the finite numbers, or is on its way there."""
    advice = _advice(evidence)
    curves = {name: evidence.curve(f"loss/{name}") for name in ("generator", "discriminator")}
    if evidence.status == "diverged":
        step = max([evidence.step, *(c.steps[-1] for c in curves.values() if c.steps)])
        return LOOK.serious(
            f"Training ended because {evidence.message or 'its numbers were no longer finite'}.",
            {"step": step},
            advice,
        )
    broken = _not_finite(evidence)
    if broken:
        return LOOK.serious(
            f"{broken}: training has left the finite numbers.", {"step": evidence.step}, advice
        )
    sizes = {
        name: type(curve)(curve.steps, tuple(abs(v) for v in curve.values)).after(2 / 3).median()
        for name, curve in curves.items()
    }
    finite = {name: size for name, size in sizes.items() if math.isfinite(size)}
    if not finite:
        return LOOK.undecided("the run recorded no loss")
    name, size = max(finite.items(), key=lambda item: item[1])
    numbers = {f"|loss/{each}|": value for each, value in finite.items()}
    numbers |= {f"|loss/{name}|: threshold": LOSS, "step": evidence.step}
    if size <= LOSS:
        return LOOK.fine(
            f"All losses are finite, and the {name}'s is {short(size)} in size over the last third.", numbers
        )
    onset = curves[name].first_above(LOSS) or curves[name].first_below(-LOSS)
    numbers |= {} if onset is None else {"onset step": onset}
    return LOOK.serious(
        f"The {name}'s loss is {short(size)} in size over the last third of the run: its weights run away.",
        numbers,
        advice,
    )


def _not_finite(evidence: Evidence) -> str:
    """What is not finite where the run stands, or nothing."""
    for name in ("generator", "discriminator"):
        whole = evidence.curves.get(f"loss/{name}")
        if whole is not None and whole.values and not math.isfinite(whole.last):
            since = whole.finite.steps[-1] if whole.finite.steps else 0
            return f"The {name}'s loss is no finite number after step {since:,}"
    return "The weights are not finite numbers" if evidence.last("weights/finite") == 0 else ""


def _advice(evidence: Evidence) -> str:
    rates = [rate for rate in (evidence.gan.get("lr_g"), evidence.gan.get("lr_d")) if isinstance(rate, float)]
    largest = max(rates, default=0.0)
    if evidence.gan.get("loss") == "wasserstein" and not evidence.gan.get("gradient_penalty"):
        return "A Wasserstein critic needs a bound: --gradient-penalty 10 (or --spectral-norm discriminator)."
    if largest > 1e-3:
        return f"Use smaller steps: --lr-g and --lr-d 2e-4 instead of {largest:g}."
    return (
        "Divide --lr-g and --lr-d by 4, and bound the discriminator: --spectral-norm discriminator or --r1 1."
    )
