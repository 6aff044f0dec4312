"""What the study `gan-width` holds to its measurements, in the order of the paper."""

from collections.abc import Mapping

from saddle.core import Claim
from saddle.studies.gan_width.config import GanWidthConfig
from saddle.studies.gan_width.course_claims import speed_claims, stability_claims
from saddle.studies.gan_width.distance_claims import distance_claims, gap_claims, side_claims
from saddle.studies.gan_width.law_claims import law_claims
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.gan_width.nnd_claims import copy_claims, nnd_claims

__all__ = ["claims"]


def claims(config: GanWidthConfig, results: Mapping[str, Evidence]) -> list[Claim]:
    """Every claim that the sides at hand can be held to."""
    found: list[Claim] = []
    both = results.get("both")
    if both is not None and len(both.widths) > 1:
        found += distance_claims(both, config.gan.arch)
        found += gap_claims(both)
        found += speed_claims(both)
        found += stability_claims(both)
        found += nnd_claims(both)
        found += copy_claims(both)
        found += law_claims(both)
    for side in ("generator", "discriminator"):
        if side in results and len(results[side].widths) > 1:
            found += side_claims(results[side], config.held)
    return found
