"""Memorisation: samples are copies of training images."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, percent, short

__all__ = ["judge"]

LOOK = Look("memorisation", "Memorisation")
NEARER = 0.75
"Share of samples nearer to a training than to any of as many held-out images. Healthy tuning runs have 0.46 to 0.60."
RATIO = 0.9
"""Distance of samples to the nearest training image over that of held-out images. Copies have 0 and healthy tuning runs
1.1 to 1.8; a share above `NEARER` alone can come from a generator that makes one image."""


def judge(evidence: Evidence) -> Finding:
    """Samples lie nearer to training images than new images do."""
    nearer = evidence.last("memorisation/nearer_train")
    ratio = evidence.last("memorisation/distance_ratio")
    if not (math.isfinite(nearer) and math.isfinite(ratio)):
        return LOOK.undecided(
            f"samples and training images cannot be compared ({evidence.why_missing('memorisation/nearer_train')})"
        )
    numbers = {
        "memorisation/nearer_train": nearer,
        "memorisation/nearer_train: threshold": NEARER,
        "memorisation/distance_ratio": ratio,
        "memorisation/distance_ratio: threshold": RATIO,
        "step": evidence.step,
    }
    if nearer > NEARER and ratio < RATIO:
        return LOOK.serious(
            f"{percent(nearer)} of the samples lie nearer to a training image than to any of as many held-out ones, at "
            f"{short(ratio)} times the distance of held-out images: many are copies.",
            numbers,
            "More training images if there are any; else a smaller --width-g and --width-d, and judge by the score on "
            "test images, never by the one on training images.",
        )
    return LOOK.fine(
        f"{percent(nearer)} of the samples lie nearer to a training image than to any of as many held-out ones (50 % is "
        f"no preference), at {short(ratio)} times the distance of held-out images.",
        numbers,
    )
