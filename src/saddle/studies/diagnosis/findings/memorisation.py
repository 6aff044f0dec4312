"""Memorisation: samples are copies of training images."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, short

__all__ = ["judge"]

LOOK = Look("memorisation", "Memorisation")
NEARER = 0.75
"Share of samples nearer to a training than to any of as many held-out images; healthy ones have about ½."
RATIO = 0.9
"""Distance of samples to the nearest training image over that of held-out images. Copies have 0 and healthy tuning runs
1.1 to 1.8; a share above `NEARER` alone can come from a generator that makes one image."""
SCORE = -3.0
"""Z of the published test C_T, below which few images are no excuse. It cannot decide alone: blurred samples lie nearer to
everything in pixels. Nor can it be had in features here, which take minutes for a data set; where `saddle sweep` or a study
has measured it in features, its report shows it."""


def judge(evidence: Evidence) -> Finding:
    """Samples lie nearer to training images than new images do."""
    nearer = evidence.last("memorisation/nearer_train")
    ratio = evidence.last("memorisation/distance_ratio")
    score = evidence.last("memorisation/score")
    if not (math.isfinite(nearer) and math.isfinite(ratio)):
        return LOOK.undecided(
            f"samples and training images cannot be compared ({evidence.why_missing('memorisation/nearer_train')})"
        )
    numbers = {
        "memorisation/nearer_train": nearer,
        "memorisation/nearer_train: threshold": NEARER,
        "memorisation/distance_ratio": ratio,
        "memorisation/distance_ratio: threshold": RATIO,
        "memorisation/score": score,
        "memorisation/score: threshold": SCORE,
        "step": evidence.step,
    }
    if nearer > NEARER and ratio < RATIO and not score >= SCORE:
        return LOOK.serious(
            f"A sample is nearer to a training image than to any of as many held-out ones with probability "
            f"{short(min(nearer, 1))} (0.5 is no preference), at {short(ratio)} times the distance of held-out images: "
            "many samples are copies, in pixels.",
            numbers,
            "More training images if there are any; else a smaller --width-g and --width-d, and judge by the score on "
            "test images, never by the one on training images.",
        )
    return LOOK.fine(
        f"A sample is nearer to a training image than to any of as many held-out ones with probability "
        f"{short(min(max(nearer, 0), 1))} (0.5 is no preference), at {short(ratio)} times the distance of held-out images, "
        "in pixels.",
        numbers,
    )
