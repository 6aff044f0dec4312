"""Oscillation: the score goes up and down instead of settling, because the players turn around each other."""

import math

from saddle.studies.diagnosis.curve import Curve
from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.findings.under_training import improving
from saddle.studies.diagnosis.look import Look, percent, short

__all__ = ["judge", "swings"]

LOOK = Look("oscillation", "Oscillation")
SWING = 0.15
"""The least change of the distance, of its value, that counts as a swing. Between two evaluations healthy tuning runs
move up by 8 % at most."""
SWINGS = 3
"Alternating swings from which it is an oscillation: down, up and down again. Learning is one, divergence two."
TURNING = 0.5
"Imaginary over real part of the leading eigenvalue from which it is worth saying that the game turns."
FEWEST = 6
"Evaluations below which nothing can be said."


def judge(evidence: Evidence) -> Finding:
    """The distance swings."""
    distance = evidence.distance
    count = 0 if distance is None else len(distance.curve.finite.steps)
    if distance is None or count < FEWEST:
        return LOOK.undecided(
            f"it takes {FEWEST} scores of the run and there are {count}; see --evaluate-every"
        )
    sizes = swings(distance.curve.finite)
    numbers = {
        "swings": len(sizes),
        "swings: threshold": SWINGS,
        "largest swing": max(sizes, default=0.0),
        "evaluations": count,
        **{name: evidence.last(name) for name in ("spectrum/rotation", "spectrum/imaginary_share")},
        "ema_distance": evidence.last("ema_distance"),
        "step": evidence.step,
    }
    if len(sizes) < SWINGS:
        return LOOK.fine(
            f"Over {count} evaluations {distance.metric} made {len(sizes)} swing{'s' * (len(sizes) != 1)} of more than "
            f"{percent(SWING)}, and {SWINGS} in turn would be an oscillation.",
            numbers,
        )
    if improving(evidence):
        # Runs with a gradient penalty swing while they begin to learn (digits, DCGAN of width 8: five of five), and settle.
        return LOOK.fine(
            f"{distance.metric} went up and down {len(sizes)} times by more than {percent(SWING)} and then settled: over the "
            "last third it fell steadily.",
            numbers,
        )
    rotation = numbers["spectrum/rotation"]
    turning = (
        f" The leading eigenvalue of the game turns {short(rotation)} times as fast as it grows or decays."
        if math.isfinite(rotation) and rotation > TURNING
        else ""
    )
    return LOOK.serious(
        f"{distance.metric} went up and down {len(sizes)} times by more than {percent(SWING)}, the largest swing by a factor of "
        f"{short(1 + numbers['largest swing'])}: which score the run ends with is chance.{turning}",
        numbers,
        _advice(evidence),
    )


def swings(curve: Curve) -> list[float]:
    """Sizes of the alternating moves of a positive curve, each at least `SWING`: `high / low − 1`.

    A move goes on until the curve has come back from its extreme by a factor `1 + SWING`; smaller wiggles are noise.
    """
    values = [value for value in curve.values if value > 0]
    found: list[float] = []
    if not values:
        return found
    start = extreme = low = high = values[0]
    direction = 0
    for value in values[1:]:
        if direction == 0:
            low, high = min(low, value), max(high, value)
            if value >= (1 + SWING) * low:
                direction, start, extreme = 1, low, value
            elif value <= high / (1 + SWING):
                direction, start, extreme = -1, high, value
        elif (value - extreme) * direction > 0:
            extreme = value
        elif max(value / extreme, extreme / value) >= 1 + SWING:
            found.append(max(start / extreme, extreme / start) - 1)
            direction, start, extreme = -direction, extreme, value
    return found if direction == 0 else [*found, max(start / extreme, extreme / start) - 1]


def _advice(evidence: Evidence) -> str:
    options = evidence.gan
    steps = "halve --lr-g and --lr-d"
    if options.get("scheme") == "simultaneous":
        return (
            f"Use --scheme extragradient (or alternating), whose steps look ahead; or {steps}, and --beta1 0."
        )
    if options.get("loss") == "wasserstein" and not options.get("gradient_penalty"):
        return f"Give the Wasserstein critic its penalty: --gradient-penalty 10; or {steps}, and --beta1 0."
    return f"Try --scheme extragradient, or {steps}, and --beta1 0."
