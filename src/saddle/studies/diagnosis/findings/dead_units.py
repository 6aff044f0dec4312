"""Dead or saturated units: parts of the generator that no longer take part in learning."""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, percent

__all__ = ["judge"]

LOOK = Look("dead-units", "Dead or saturated units")
DEAD = 0.4
"Share of a layer's ReLU units that are 0 on a whole batch. Healthy tuning runs have at most 0.16 (5 of 32 units)."
SATURATED = 0.25
"""Share of samples' pixels at black or white, above that of the data, which may be black and white itself. Healthy tuning
runs have fewer than the data."""


def judge(evidence: Evidence) -> Finding:
    """Layers with dead units, or outputs at the ends of tanh."""
    dead = evidence.named("dead/")
    extra = evidence.last("saturated/samples") - evidence.last("saturated/data")
    if not dead and not math.isfinite(extra):
        return LOOK.undecided(f"no unit was looked at ({evidence.why_missing('dead/')})")
    layer, share = max(dead.items(), key=lambda item: item[1], default=("", 0.0))
    numbers = {
        **({layer: share, f"{layer}: threshold": DEAD} if layer else {}),
        "saturated/samples": evidence.last("saturated/samples"),
        "saturated/data": evidence.last("saturated/data"),
        "saturated/samples: threshold": evidence.last("saturated/data") + SATURATED,
        "step": evidence.step,
    }
    player = "discriminator" if layer.startswith("dead/discriminator") and share > DEAD else "generator"
    advice = f"Units do not come back: train again with a smaller --lr-{player[0]}, a tenth of what it was."
    if share > DEAD:
        onset = evidence.curve(layer).first_above(DEAD)
        numbers |= {} if onset is None else {"onset step": onset}
        return LOOK.serious(
            f"{percent(share)} of the units behind {layer.removeprefix('dead/')} are 0 whatever the input: the "
            f"{player} is that much narrower there than it looks.",
            numbers,
            advice,
        )
    if extra > SATURATED:
        return LOOK.serious(
            f"{percent(numbers['saturated/samples'])} of the samples' pixels are black or white to the last bit, of the data's "
            f"{percent(numbers['saturated/data'])}: the outputs sit at the ends of tanh, where no gradient comes back.",
            numbers,
            advice,
        )
    words = [f"at most {percent(share)} of a layer's ReLU units are dead"] if dead else []
    if math.isfinite(extra):
        words.append(
            f"{percent(numbers['saturated/samples'])} of the samples' pixels are black or white "
            f"({percent(numbers['saturated/data'])} of the data's)"
        )
    text = ", and ".join(words)
    return LOOK.fine(f"{text[:1].upper()}{text[1:]}.", numbers)
