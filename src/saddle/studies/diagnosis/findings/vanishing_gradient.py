"""Vanishing generator gradient: nothing that the generator could learn from reaches its weights."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, short

__all__ = ["judge"]

LOOK = Look("vanishing-generator-gradient", "Vanishing generator gradient")
STEEPNESS = 1.0
"""D's slope at the fakes over that of a straight line from fakes to real images. Below 1, the discriminator is flat where
the fakes are: the line is what the least steep function with its margin has. Healthy tuning runs have 5 to 70."""
LOSS_SLOPE = 0.1
"""What the loss passes on of D's opinion, at most 1. Healthy tuning runs have 0.5 (non-saturating, at balance) and 1."""
GAIN = 0.01
"""What the generator passes on to its weights, over that at step 0. Healthy tuning runs have 0.2 to 1.5."""


def judge(evidence: Evidence) -> Finding:
    """One of the three factors of the generator's gradient is far below what learning takes."""
    steepness, slope, gain = (
        evidence.last(name) for name in ("steepness/fake", "loss_slope/generator", "gain/generator")
    )
    if not math.isfinite(slope):
        return LOOK.undecided(
            f"there is no gradient to look at ({evidence.why_missing('loss_slope/generator')})"
        )
    numbers = {
        "steepness/fake": steepness,
        "steepness/fake: threshold": STEEPNESS,
        "loss_slope/generator": slope,
        "loss_slope/generator: threshold": LOSS_SLOPE,
        "gain/generator": gain,
        "gain/generator: threshold": GAIN,
        "gradient_norm/generator": evidence.last("gradient_norm/generator"),
        "step": evidence.step,
    }
    if gain < GAIN:
        return LOOK.serious(
            f"The generator's weights receive {short(gain)} times what they did at step 0: its outputs are saturated or "
            "its units dead, and it cannot learn any more.",
            numbers,
            "Train again with a smaller step: --lr-g a tenth of what it was.",
        )
    if slope < LOSS_SLOPE:
        return LOOK.serious(
            f"The discriminator takes the fakes for real, and the loss passes on {short(slope)} of its slope: the "
            "generator has nothing left to gain, whatever it makes.",
            numbers,
            "Strengthen the discriminator: a larger --lr-d or --critic-steps, or a smaller --lr-g.",
        )
    if steepness < STEEPNESS:
        return LOOK.serious(
            f"The discriminator tells real from fake and is flat at the fakes ({short(steepness)} of the slope of a "
            "straight line to the real images), so the generator does not learn which way to go.",
            numbers,
            "Keep the discriminator from running ahead: --gradient-penalty 10 with --loss wasserstein, or --r1 1, or a "
            "smaller --lr-d and --critic-steps 1.",
        )
    numbers_said = f"at the fakes D is {short(steepness)} times as steep as a straight line to the real images, " if (
        math.isfinite(steepness)
    ) else ""  # fmt: skip
    return LOOK.fine(
        f"The generator is told what to change: {numbers_said}the loss passes on {short(slope)} of that slope, and the "
        f"network {short(gain)} of what it did at step 0.",
        numbers,
    )
