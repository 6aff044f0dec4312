"""Mode collapse: the generator makes few different images, or leaves classes out."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, percent, short

__all__ = ["judge"]

LOOK = Look("mode-collapse", "Mode collapse")
DIVERSITY = 0.5
"""Distance between two samples over that between two real images. Healthy runs of the study's tuning seeds (100 to 109)
have 0.90 to 1.11, its collapsed ones at most 0.30."""
PRESENT = 0.75
"""Share of classes with at least a tenth of their share of samples. All healthy tuning runs have 1, collapsed ones at
most 0.4; a healthy one may miss a rare class or two of ten."""


def judge(evidence: Evidence) -> Finding:
    """Few different samples, or classes without any."""
    spread, present = evidence.last("diversity/pixels"), evidence.last("classes/present")
    if not math.isfinite(spread):
        return LOOK.undecided(
            f"there is no diversity of samples ({evidence.why_missing('diversity/pixels')})"
        )
    numbers = {
        "diversity/pixels": spread,
        "diversity/pixels: threshold": DIVERSITY,
        "classes/present": present,
        "classes/present: threshold": PRESENT,
        **_recall(evidence),
        "step": evidence.step,
    }
    narrow, absent = spread < DIVERSITY, present < PRESENT
    classes = f" and {percent(present)} of the classes occur" if math.isfinite(present) else ""
    if not (narrow or absent):
        return LOOK.fine(
            f"Two samples differ {short(spread)} times as much as two real images{classes}.", numbers
        )
    spreads = evidence.curve("diversity/pixels")
    onset = spreads.first_below(DIVERSITY) if narrow and len(spreads.steps) > 1 else None
    numbers |= {} if onset is None else {"onset step": onset}
    since = f" since step {onset:,} at the latest" if onset is not None else ""
    if narrow:
        sentence = (
            f"Two samples differ only {short(spread)} times as much as two real images{since}{classes}: the generator "
            "makes few different images."
        )
    else:
        sentence = f"Only {percent(present)} of the classes occur among the samples: the generator leaves out the others."
    return LOOK.serious(sentence, numbers, _advice(evidence))


def _recall(evidence: Evidence) -> dict[str, float]:
    found = [s for s in evidence.scores if s.metric.startswith("recall")]
    best = next((s for s in found if s.split == "test"), found[0] if found else None)
    return {} if best is None else {"recall": best.curve.last, "recall of real images": best.floor}


def _advice(evidence: Evidence) -> str:
    options = evidence.gan
    lr_g, lr_d = options.get("lr_g"), options.get("lr_d")
    if isinstance(lr_g, float) and isinstance(lr_d, float) and lr_g > 2 * lr_d:
        return (
            f"The generator's step is {lr_g / lr_d:.3g} times the discriminator's: give --lr-g {lr_d:g}, and "
            "--critic-steps 2 or more so that the discriminator can follow."
        )
    if not any(options.get(name) for name in ("gradient_penalty", "r1")):
        return "Regularise the discriminator: --loss wasserstein --gradient-penalty 10 --critic-steps 5, or --r1 1."
    return "Let the discriminator follow: more --critic-steps, a smaller --lr-g, or a larger --width-d."
