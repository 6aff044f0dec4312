"""Under-training: the score was still falling when the run ended."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, percent, short

__all__ = ["improving", "judge"]

LOOK = Look("under-training", "Under-training")
DECLINE = 0.25
"""Fall of the distance over the last third, as a share of its median there. Healthy tuning runs, which have (nearly) settled, fall by
0.02 to 0.20, those stopped early by 0.36 to 0.62."""
T = 3.0
"Standard errors by which the slope must be below 0: noise has no trend."


def judge(evidence: Evidence) -> Finding:
    """The distance's trend over the last third, against its noise."""
    distance = evidence.distance
    trend = None if distance is None else distance.curve.after(2 / 3).trend()
    if distance is None or trend is None:
        often = (
            f"give --evaluate-every {evidence.step // 12} next time"
            if evidence.step >= 12
            else "train longer"
        )
        return LOOK.undecided(f"it takes 4 scores in the last third of the run, and there are fewer; {often}")
    if not distance.curve.after(2 / 3).median() > 0:
        return LOOK.undecided(f"{distance.metric} has no positive values in the last third of the run")
    decline = -trend.change / distance.curve.after(2 / 3).median()
    numbers = {
        "decline over the last third": decline,
        "decline over the last third: threshold": DECLINE,
        "standard errors": -trend.t,
        "standard errors: threshold": T,
        "distance": distance.curve.finite.last,
        "distance of real images": distance.floor,
        "evaluations": trend.n,
        "step": evidence.step,
    }
    course = f"{distance.metric} {'fell' if decline > 0 else 'rose'} by {percent(abs(decline))} over the last third"
    if decline > DECLINE and -trend.t > T:
        floor = f" (real images have {short(distance.floor)})" if math.isfinite(distance.floor) else ""
        return LOOK.warning(
            f"{course} of the run, {short(-trend.t)} standard errors from level, and ended at "
            f"{short(distance.curve.finite.last)}{floor}: it was still improving.",
            numbers,
            f"Give more --steps, such as {2 * evidence.step}: the same command goes on from where the run stopped.",
        )
    return LOOK.fine(
        f"{course} ({short(abs(trend.t))} standard errors from level): it is not improving any more.", numbers
    )


def improving(evidence: Evidence) -> bool:
    """Whether this failure is found: the distance was still falling, beyond its noise, when the run ended."""
    return judge(evidence).present
