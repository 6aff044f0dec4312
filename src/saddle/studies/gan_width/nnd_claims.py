"""Claims on generalisation: the neural network divergence, and whether samples are copies."""

import statistics
from collections import Counter
from collections.abc import Sequence

from saddle.core import Band, Claim
from saddle.studies.gan_width.measures import Evidence, Table
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import mean, paired, per_doubling, share, values_at

__all__ = ["copy_claims", "nnd_claims"]

FEW = 0.01
"Share of exact copies among a run's samples up to which they are next to none."
BY_SEED = "mean difference, paired by seed (Student)"
COPIED = -3.0
"Z of the C_T test below which a generator copies."


def nnd_claims(both: Evidence) -> list[Claim]:
    """Claims 7 and 8."""
    table = both.tables.get("nnd", {})
    if not table:
        return []
    low, high = both.widths[0], both.widths[-1]
    found = [
        claim(
            "80 %",
            f"The neural network divergence falls with width: width {low} minus width {high}.",
            Band.at_least(0),
            paired(table, low, high, "difference"),
            "Against held-out images, one critic a run; runs and critics of one seed start alike.",
        ),
        claim(
            "80 %",
            "Every doubling of the width lowers the divergence: the slope per doubling.",
            Band.at_most(0),
            per_doubling(table, both.widths, "slope"),
        ),
    ]
    memorised, truth = both.references.get("memorised"), both.references.get("held-out")
    if not memorised:
        return found
    level = statistics.median(memorised.values())
    chosen = _best_on_others(table, both.widths)
    seeds = sorted(seed for seed in memorised if (chosen.get(seed), seed) in table)
    found += [
        claim(
            "80 %",
            "A generator that memorised the training images has a larger divergence than most GANs: share of all "
            "runs that are below it.",
            Band.at_least(0.5),
            share(value < level for value in table.values()),
            f"Its median divergence over {len(memorised)} critics is {level:.4g}, taken as known.",
        ),
    ]
    if seeds:
        counts = Counter(chosen[seed] for seed in seeds)
        words = ", ".join(
            f"width {width} at {counts[width]} of {len(seeds)} seeds" for width in sorted(counts)
        )
        found.append(
            claim(
                "own",
                "The best width beats the memorising generator: memorised minus GAN.",
                Band.at_least(0),
                mean([memorised[s] - table[chosen[s], s] for s in seeds], BY_SEED),
                f"The best by the median divergence of all other seeds, so that no value chooses itself: {words}.",
            )
        )
    if truth:
        pairs = sorted(memorised.keys() & truth.keys())
        found.append(
            claim(
                "sanity",
                "The memorising generator loses against a generator of the held-out images themselves: memorised "
                "minus held-out.",
                Band.at_least(0),
                mean([memorised[s] - truth[s] for s in pairs], BY_SEED),
                "A check of the instrument: that generator draws from the very images that its critic is trained on, so "
                "that no difference is there to learn and its divergence is at most 0 in expectation, by construction. "
                "Fresh real images would lie above it.",
            )
        )
    return found


def _best_on_others(table: Table, widths: Sequence[int]) -> dict[int, int]:
    """Seed → the width whose median divergence over the other seeds is lowest."""
    found = {}
    for seed in {seed for _, seed in table}:
        medians = {}
        for width in widths:
            others = [value for s, value in values_at(table, width).items() if s != seed]
            if others:
                medians[width] = statistics.median(others)
        if medians:
            found[seed] = min(medians, key=lambda width: medians[width])
    return found


def copy_claims(both: Evidence) -> list[Claim]:
    """Claim 11: samples are not copies."""
    scores, closer = both.tables.get("memorisation", {}), both.tables.get("closer", {})
    copies = both.tables.get("pixel_copies", {})
    if not scores:
        return []
    where = "in the features of the distance"
    low, high = both.widths[0], both.widths[-1]
    return [
        claim(
            "60 %",
            f"Samples are no copies: share of the runs whose C_T score {where} is above −3.",
            Band.at_least(0.5),
            share(value > COPIED for value in scores.values()),
            f"Their scores go from {min(scores.values()):.3g} to {max(scores.values()):.3g}; C_T is 0 where samples lie as "
            "far from the training images as held-out images do, and below −3 the generator copies (Meehan et al. 2020).",
        ),
        claim(
            "own",
            "Next to no sample equals a training image in every pixel: share of the runs of whose samples at most "
            f"{FEW:.0%} do.",
            Band.at_least(0.5),
            share(each <= FEW for each in copies.values()),
            f"The highest share of a run is {max(copies.values()):.3g}." if copies else "",
        ),
        claim(
            "own",
            f"Wider GANs come nearer to the training images: P(a sample is nearer than a held-out image, {where}), "
            f"width {high} minus width {low}.",
            Band.at_least(0),
            paired(closer, high, low, "difference"),
            "0.5 is no copying, 1 exact copies; below 0.5 samples are farther than real images (underfitting).",
        ),
    ]
