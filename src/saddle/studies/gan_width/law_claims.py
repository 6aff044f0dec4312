"""The claim on prediction: what the narrower widths say about the widest."""

import math

from saddle.core import Band, Claim, Measured
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import NOTHING
from saddle.studies.recommendation.held_out import HeldOut, held_out_check
from saddle.theory.power_law import Undetermined

__all__ = ["held_out", "law_claims"]

CLOSE = 0.1
"Relative error up to which a prediction counts as good."


def law_claims(both: Evidence) -> list[Claim]:
    """Claim 12, where there are widths enough."""
    if len(both.widths) < 4:
        return []
    found = held_out(both)
    measured, note = NOTHING, str(found) if isinstance(found, HeldOut) else found.reason
    if isinstance(found, HeldOut):
        low, high = found.interval or (-math.inf, math.inf)
        measured = Measured(
            value=found.relative_error,
            interval=(low / found.observed - 1, high / found.observed - 1),
            n=len(found.values),
            kind="relative error (95 % prediction interval of the mean, over what was measured)",
        )
    return [
        claim(
            "own",
            f"a + b·k⁻ᶜ fitted to the narrower widths predicts the test distance at width {both.widths[-1]} to "
            f"{CLOSE:.0%}: predicted over measured, minus 1.",
            Band.around(0, absolute=CLOSE),
            measured,
            note,
        )
    ]


def held_out(both: Evidence) -> HeldOut | Undetermined:
    """The law of the narrower widths, held to the widest."""
    scores = both.facts.scores
    return held_out_check(
        [s.width for s in scores], [s.value for s in scores], seeds=[s.seed for s in scores]
    )
