"""Discriminator overfit: it knows the training images by heart, and so what it tells the generator is about them."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, short

__all__ = ["judge"]

LOOK = Look("discriminator-overfit", "Discriminator overfit")
AUC = 0.65
"""P(logit of a training image > that of a held-out one). Healthy tuning runs have 0.46 to 0.59 with 256 images a side,
those trained on 32 images 0.88 and more."""
ERRORS = 3.0
"Standard errors above ½ that it must be as well: with few images the share is noisy."


def judge(evidence: Evidence) -> Finding:
    """Training images have larger logits than held-out ones."""
    share, error = evidence.last("auc/overfit"), evidence.last("auc/overfit error")
    if not (math.isfinite(share) and math.isfinite(error)):
        return LOOK.undecided(f"there are no logits to compare ({evidence.why_missing('auc/overfit')})")
    numbers = {
        "auc/overfit": share,
        "auc/overfit: threshold": max(AUC, 0.5 + ERRORS * error),
        "accuracy/train": evidence.last("accuracy/train"),
        "accuracy/test": evidence.last("accuracy/test"),
        "margin/train": evidence.last("margin/train"),
        "margin/test": evidence.last("margin/test"),
        "margin/fake": evidence.last("margin/fake"),
        "step": evidence.step,
    }
    if share <= numbers["auc/overfit: threshold"]:
        return LOOK.fine(
            f"The discriminator ranks a training image above a held-out one with probability {short(share)}, where "
            "0.5 is no difference.",
            numbers,
        )
    onset = _onset(evidence)
    numbers |= {} if onset is None else {"onset step": onset}
    return LOOK.warning(
        f"The discriminator ranks a training image above a held-out one with probability {short(share)} (0.5 is no "
        f"difference), and is right about {short(numbers['accuracy/train'])} of training and "
        f"{short(numbers['accuracy/test'])} of held-out images: it has begun to know them by heart.",
        numbers,
        "More images if there are any; else a smaller --width-d, --r1 1 or --gradient-penalty 10, or stop at the step of "
        "the best test score.",
    )


def _onset(evidence: Evidence) -> int | None:
    """From where on held-out images have lost a quarter of the margin that training images have over fakes."""
    train, test, fake = (evidence.curve(f"margin/{name}") for name in ("train", "test", "fake"))
    if not train.steps == test.steps == fake.steps or len(train.steps) < 3:
        return None
    lost = [
        (a - b) / (a - c) if a > c else 0.0
        for a, b, c in zip(train.values, test.values, fake.values, strict=True)
    ]
    return type(train)(train.steps, tuple(lost)).first_above(0.25)
