"""Claims on the course of training: wider GANs are faster and steadier."""

import math

from saddle.core import Band, Claim
from saddle.studies.gan_width.measures import COLLAPSED, Evidence
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import NOTHING, per_doubling, share, values_at

__all__ = ["speed_claims", "stability_claims"]

BETWEEN = "Steps between evaluations are read off the logarithm's straight line."


def speed_claims(both: Evidence) -> list[Claim]:
    """Claim 5."""
    low, high = both.widths[0], both.widths[-1]
    reached = both.tables["reached"]
    narrow, wide = values_at(reached, low), {s: v for (k, s), v in reached.items() if k == high}
    settled = per_doubling(both.tables["settled"], both.widths, "factor")
    sooner = [wide[seed] < narrow[seed] for seed in narrow if seed in wide]
    medians = sorted(wide[seed] / narrow[seed] for seed in narrow if seed in wide and narrow[seed] > 0)
    middle = medians[len(medians) // 2] if medians else math.nan
    note = (
        ""
        if not math.isfinite(middle)
        else f"The median seed needs {middle:.2g} times the narrow one's steps."
    )
    return [
        claim(
            "figure 1",
            "Wider GANs converge faster: steps until the test distance is first within 1.1 times the run's own last "
            "one, the factor of one doubling.",
            Band.at_most(1),
            settled,
            f"{BETWEEN} A run that would still improve settles late, however fast it is.",
        ),
        claim(
            "figure 1",
            f"The last distance of width {low} is reached in fewer steps at width {high}: share of the seeds.",
            Band.at_least(0.5),
            share(sooner),
            note,
        ),
    ]


def stability_claims(both: Evidence) -> list[Claim]:
    """Claim 6."""
    narrow, wide = _halves(both.widths)
    bad = {key: ended in ("diverged", "failed", "collapsed") for key, ended in both.ended.items()}
    halves = [share(bad[k, s] for k, s in bad if k in half) for half in (narrow, wide)]
    difference = NOTHING if min(half.n for half in halves) == 0 else halves[0] - halves[1]
    return [
        claim(
            "figure 1",
            "Wider GANs train more stably: fluctuation of the test distance over the last third of training relative "
            "to its mean, the factor of one doubling.",
            Band.at_most(1),
            per_doubling(both.tables["fluctuation"], both.widths, "factor"),
        ),
        claim(
            "figure 1",
            f"Runs diverge or collapse less often at widths {_list(wide)} than at {_list(narrow)}: the difference of "
            "the shares.",
            Band.at_least(0),
            difference,
            f"Collapsed: the last distance is more than {COLLAPSED:g} times the run's own lowest. "
            f"{sum(bad.values())} of {len(bad)} runs did either.",
        ),
    ]


def _halves(widths: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The narrower and the wider half; a middle width is in neither."""
    half = len(widths) // 2
    return widths[:half], widths[-half:]


def _list(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))
