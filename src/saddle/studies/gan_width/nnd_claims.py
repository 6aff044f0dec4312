"""Claims on generalisation: the neural network divergence, and whether samples are copies."""

import numpy as np

from saddle.core import Band, Claim, Measured
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import NOTHING, paired, per_doubling, share, values_at

__all__ = ["copy_claims", "nnd_claims"]

FAKES = 1000
"Samples of a run that are held against the training images, see `width_sweep.neighbour_jobs`."
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
    best = min(both.widths, key=lambda k: float(np.median(list(values_at(table, k).values()) or [np.inf])))
    level = float(np.median(list(memorised.values())))
    seeds = sorted(memorised.keys() & values_at(table, best).keys())
    margin = [memorised[seed] - values_at(table, best)[seed] for seed in seeds]
    found += [
        claim(
            "80 %",
            "A generator that memorised the training images has a larger divergence than most GANs: share of all "
            "runs that are below it.",
            Band.at_least(0.5),
            share(value < level for value in table.values()),
            f"Its median divergence over {len(memorised)} critics is {level:.4g}.",
        ),
    ]
    if margin:
        found.append(
            claim(
                "own",
                f"The best width, {best}, beats the memorising generator: memorised minus GAN.",
                Band.at_least(0),
                Measured.mean(margin),
                "The best width by its median divergence, chosen after the fact.",
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
                Measured.mean([memorised[s] - truth[s] for s in pairs]),
            )
        )
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
            "Next to no sample equals a training image in every pixel: share of the samples of all runs that do.",
            Band.at_most(0.01),
            Measured.proportion(sum(round(FAKES * each) for each in copies.values()), FAKES * len(copies))
            if copies
            else NOTHING,
            f"{FAKES:,} samples of each of {len(copies)} runs.",
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
