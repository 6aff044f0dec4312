"""Claims on the distance at the end of training: it falls with width, saturates, and is lower on training images."""

import math
from collections.abc import Sequence
from itertools import pairwise

from saddle.core import Band, Claim, Measured
from saddle.studies.gan_width.measures import Evidence, Table
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import NOTHING, mean, paired, per_doubling, share, values_at

__all__ = ["distance_claims", "gap_claims", "side_claims"]

STANDARD = {"dcgan": 64, "resnet": 128}
"The widths past which the paper's curves are recalled to be flat."
FLAT = 0.95
"A doubling that leaves at least this share of the distance counts as flat; Saddle's reading of `saturates`."


def distance_claims(both: Evidence, arch: str) -> list[Claim]:
    """Claims 1, 2 and 10: both networks as wide as each other."""
    low, high = both.widths[0], both.widths[-1]
    mlp = arch == "mlp"
    known, whose = ("75 %", "an MLP GAN") if mlp else ("figure 1", "the GAN")
    found = [
        claim(
            known,
            f"The {split} distance {both.metric} of {whose} at width {low} is larger than at width {high}: the ratio.",
            Band.at_least(1),
            paired(both.tables[split], low, high, "ratio"),
        )
        for split in ("test", "train")
        if both.tables[split]
    ]
    found += [
        claim(
            known,
            "Every doubling of the width lowers the test distance: the factor of one doubling, "
            f"fitted over widths {low} to {high}.",
            Band.at_most(1),
            per_doubling(both.tables["test"], both.widths, "factor"),
        ),
        claim(
            known,
            "The fall is steady: share of the seeds whose test distance falls at most of the steps to the next width.",
            Band.at_least(0.5),
            share(_falls(both.tables["test"], both.widths)),
            "Seeds at which it falls as often as it rises are left out.",
        ),
    ]
    if len(both.widths) > 2:
        found.append(
            claim(
                "80 %",
                "The fall saturates: the last step in width multiplies the test distance, per doubling, by a larger "
                f"factor than the first ({both.widths[0]} to {both.widths[1]}): the ratio of the two factors.",
                Band.at_least(1),
                _bend(both.tables["test"], both.widths),
            )
        )
    standard = STANDARD.get(arch)
    if standard is not None and sum(width >= standard for width in both.widths) > 1:
        wide = [width for width in both.widths if width >= standard]
        found.append(
            claim(
                "80 %",
                f"Past width {standard}, the standard one, the test distance is flat: the factor of one doubling.",
                Band.at_least(FLAT),
                per_doubling(both.tables["test"], wide, "factor"),
                f"That a factor of {FLAT} is flat is our reading.",
            )
        )
    if mlp and {1024, 2048} <= set(both.widths):
        found.append(
            claim(
                "75 %",
                "An MLP GAN is slightly worse at width 2048 than at 1024: the ratio of the test distances.",
                Band.at_least(1),
                paired(both.tables["test"], 2048, 1024, "ratio"),
            )
        )
    return found


def gap_claims(both: Evidence) -> list[Claim]:
    """Claims 3 and 4: train and test."""
    gap = both.tables["gap"]
    if not gap:
        return []
    high = both.widths[-1]
    at_widest = list(values_at(gap, high).values())
    return [
        claim(
            "80 %",
            f"The distance to the training images is below that to test images: test minus train at width {high}.",
            Band.at_least(0),
            mean(at_widest, "mean (Student over seeds)"),
            "Both are taken with equally many images. The interval is over GANs: the one draw of real images, the same for "
            "all of them, is not in it.",
        ),
        claim(
            "80 %",
            "Test minus train grows with width: the slope per doubling.",
            Band.at_least(0),
            per_doubling(gap, both.widths, "slope"),
        ),
    ]


def side_claims(evidence: Evidence, held: int) -> list[Claim]:
    """Claim 9: one network's width alone."""
    low, high = evidence.widths[0], evidence.widths[-1]
    own, other = (
        ("generator", "discriminator") if evidence.side == "generator" else ("discriminator", "generator")
    )
    return [
        claim(
            "60 %",
            f"Widening the {own} alone, with the {other} held at {held}, lowers the test distance: "
            f"width {low} over width {high}.",
            Band.at_least(1),
            paired(evidence.tables["test"], low, high, "ratio"),
        ),
        claim(
            "60 %",
            f"Every doubling of the {own}'s width alone lowers the test distance: the factor of one doubling.",
            Band.at_most(1),
            per_doubling(evidence.tables["test"], evidence.widths, "factor"),
        ),
    ]


def _falls(table: Table, widths: Sequence[int]) -> list[bool]:
    """Whether each seed is better at most of the next widths: its steps share values, so that only seeds are counted."""
    steps = [(values_at(table, a), values_at(table, b)) for a, b in pairwise(widths)]
    found = []
    for seed in sorted({seed for _, seed in table}):
        each = [(before[seed], after[seed]) for before, after in steps if seed in before and seed in after]
        balance = sum((b > a) - (b < a) for b, a in each)
        found += [balance > 0] if balance else []
    return found


def _bend(table: Table, widths: Sequence[int]) -> Measured:
    """Per doubling, the last step's factor over the first's: a ratio paired by seed."""
    (a, b), (c, d) = widths[:2], widths[-2:]
    columns = {width: values_at(table, width) for width in {a, b, c, d}}
    seeds = set.intersection(*(set(column) for column in columns.values()))
    if not seeds or any(columns[width][seed] <= 0 for width in columns for seed in seeds):
        return NOTHING
    fall = {
        (seed, step): math.log(columns[step[1]][seed] / columns[step[0]][seed]) / math.log2(step[1] / step[0])
        for seed in seeds
        for step in ((a, b), (c, d))
    }
    bends = {(width, seed): 1.0 for seed in seeds for width in (1,)}
    bends |= {(2, seed): math.exp(fall[seed, (c, d)] - fall[seed, (a, b)]) for seed in seeds}
    return paired(bends, 2, 1, "ratio")
