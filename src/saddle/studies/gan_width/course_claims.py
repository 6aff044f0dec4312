"""Claims on the course of training: wider GANs are faster and steadier."""

import math
import statistics

from saddle.core import Band, Claim
from saddle.studies.gan_width.measures import COLLAPSED, Evidence
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import NOTHING, opened, per_doubling, share, values_at

__all__ = ["speed_claims", "stability_claims"]

BETWEEN = "Steps between evaluations are read off the logarithm's straight line."


def speed_claims(both: Evidence) -> list[Claim]:
    """Claim 5."""
    low, high = both.widths[0], both.widths[-1]
    reached = both.tables["reached"]
    narrow, wide = values_at(reached, low), {s: v for (k, s), v in reached.items() if k == high}
    settled = per_doubling(both.tables["settled"], both.widths, "factor")
    pairs = [(wide[seed], narrow[seed]) for seed in narrow if seed in wide]
    # Equal only where both are below it at the first evaluation: who was first is not known.
    sooner = [one < other for one, other in pairs if one != other]
    ratios = [one / other for one, other in pairs if one != other and other > 0]
    middle = statistics.median(ratios) if ratios else math.nan
    words = []
    if math.isfinite(middle):
        words.append(f"The median seed needs {middle:.2g} times the narrow one's steps.")
    if len(sooner) < len(pairs):
        ties = len(pairs) - len(sooner)
        words.append(f"{ties} of {len(pairs)} seeds are left out: both are there at the first evaluation.")
    before = (
        f" {len(both.early)} of {len(both.tables['settled'])} runs had settled at their first evaluation, and how much "
        "sooner is not known: the interval is open on that side."
        if both.early
        else ""
    )
    return [
        claim(
            "figure 1",
            "Wider GANs converge faster: steps until the test distance is first within 1.1 times the run's own last "
            "one, the factor of one doubling.",
            Band.at_most(1),
            opened(settled, both.widths, {width for width, _ in both.early}),
            f"{BETWEEN} A run that would still improve settles late, however fast it is.{before}",
        ),
        claim(
            "figure 1",
            f"The last distance of width {low} is reached in fewer steps at width {high}: share of the seeds.",
            Band.at_least(0.5),
            share(sooner),
            " ".join(words),
        ),
    ]


def stability_claims(both: Evidence) -> list[Claim]:
    """Claim 6."""
    narrow, wide = _halves(both.widths)
    bad = {
        key: ended in ("diverged", "failed", "collapsed")
        for key, ended in both.ended.items()
        if ended != "unfinished"
    }
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
