"""What the study `robust-gan` holds to its runs. Seeds are paired: every method has the same start, data and batches."""

from collections.abc import Iterator, Mapping

import numpy as np

from saddle.core import Band, Claim
from saddle.studies.cell import CellResult
from saddle.studies.robust_gan.config import RobustGanConfig
from saddle.studies.robust_gan.reading import Results
from saddle.studies.robust_gan.settings import LIGHT, SETTINGS

__all__ = ["claims"]

BEFORE = "An earlier implementation of ours, four seeds"
OWN = "What the ball allows: a mode of the mass that may be removed is no different from outliers"
CLUSTER, FEWER, UNIFORM, CLEAN = "cluster 10 %", "cluster 5 %", "uniform 10 %", "clean"
LIGHT_MODE, LIGHTER_MODE = "light mode", "lighter mode"
CONTAMINATED = (CLUSTER, FEWER, UNIFORM)
WORDS = {
    CLUSTER: "10 % outliers in a cluster",
    FEWER: "5 % outliers in a cluster",
    UNIFORM: "10 % uniform outliers",
    CLEAN: "clean data",
}


def claims(config: RobustGanConfig, results: Mapping[str, CellResult]) -> list[Claim]:
    found = Results(config, results)
    return [
        *_shares_off(found),
        *_distances(found),
        *_against(found, "plain", "the plain WGAN-GP"),
        *_against(found, "network", "the weight network"),
        *_against(found, "stale", "weights of the whole set, 10 steps old"),
        *_weights(found),
        *_lost(found),
    ]


def _shares_off(found: Results) -> Iterator[Claim]:
    """The share of generated points off the modes."""
    limits = (
        (CLUSTER, "plain", Band.at_least(0.10), "the plain WGAN-GP puts at least 0.10 of its points"),
        (CLUSTER, "exact", Band.at_most(0.03), "exact batch weights at rho* put at most 0.03"),
        (CLUSTER, "exact, 2 rho*", Band.at_most(0.01), "exact batch weights at 2 rho* put at most 0.01"),
        (FEWER, "exact", Band.at_most(0.01), "exact batch weights at rho* put at most 0.01"),
        (UNIFORM, "exact", Band.at_most(0.015), "exact batch weights at rho* put at most 0.015"),
    )
    for setting, method, band, words in limits:
        if found.has(setting, method):
            yield Claim(
                statement=f"With {WORDS[setting]}, {words} off the modes (mean share).",
                source=BEFORE,
                certainty="measured",
                predicted=band,
                measured=found.mean(found.values(setting, method, "off")),
            )


def _distances(found: Results) -> Iterator[Claim]:
    for method, band, words in (
        ("plain", Band.around(0.7, relative=0.1), "the plain WGAN-GP ends at about 0.7"),
        ("exact", Band.at_most(0.42), "exact batch weights at rho* end at 0.42 or less"),
    ):
        if found.has(CLUSTER, method):
            yield Claim(
                statement=f"With {WORDS[CLUSTER]}, {words} from the clean distribution (W1, mean).",
                source=BEFORE,
                certainty="measured",
                predicted=band,
                measured=found.mean(found.values(CLUSTER, method, "distance")),
            )
    for method, words in (("exact", "exact batch weights"), ("network", "the weight network")):
        if found.has(CLEAN, method, "plain"):
            exact = method == "exact"
            yield Claim(
                statement=f"On clean data, {words} with the radius for 10 % outliers "
                + ("cost at most 10 % of W1" if exact else "costs more than 10 % of W1")
                + " (W1 over the plain WGAN-GP's, mean of paired seeds).",
                source=BEFORE,
                certainty="measured",
                predicted=Band.at_most(1.1) if exact else Band.at_least(1.1),
                measured=found.mean(
                    found.values(CLEAN, method, "distance") / found.values(CLEAN, "plain", "distance")
                ),
            )


def _against(found: Results, other: str, words: str) -> Iterator[Claim]:
    """Exact batch weights put fewer points off the modes than another method."""
    for setting in CONTAMINATED:
        if found.has(setting, "exact", other):
            exact, theirs = (found.values(setting, name, "off") for name in ("exact", other))
            yield Claim(
                statement=f"With {WORDS[setting]}, exact batch weights at rho* put fewer points off the modes than {words} "
                "(difference of the shares, mean of paired seeds).",
                source=BEFORE,
                certainty="measured",
                predicted=Band.at_least(0.0),
                measured=found.mean(theirs - exact),
                note=_seeds_better(exact, theirs),
            )


def _seeds_better(ours: np.ndarray, theirs: np.ndarray) -> str:
    return f"Fewer on {int((ours < theirs).sum())} of {len(ours)} seeds."


def _weights(found: Results) -> Iterator[Claim]:
    for setting, band, words in (
        (CLUSTER, Band.at_least(0.99), "rank the outliers last: AUROC of at least 0.99"),
        (
            UNIFORM,
            Band.at_most(0.85),
            "tell outliers that overlap the modes only in part: AUROC of at most 0.85",
        ),
    ):
        if found.has(setting, "exact"):
            yield Claim(
                statement=f"With {WORDS[setting]}, exact batch weights {words} (mean).",
                source=BEFORE,
                certainty="measured",
                predicted=band,
                measured=found.mean(found.values(setting, "exact", "auroc_weight")),
            )
    for setting in CONTAMINATED:
        if found.has(setting, "network"):
            rho = SETTINGS[setting].assumed / (2 * (1 - SETTINGS[setting].assumed))
            yield Claim(
                statement=f"With {WORDS[setting]}, the weight network leaves a part of its budget unused (mean of E (W − 1)²/2 "
                "over rho*).",
                source=BEFORE,
                certainty="measured",
                predicted=Band.at_most(1.0),
                measured=found.mean(found.values(setting, "network", "spent") / rho),
            )


def _lost(found: Results) -> Iterator[Claim]:
    """A mode as light as the share that the weights may remove, or lighter."""
    for setting in (LIGHT_MODE, LIGHTER_MODE):
        for method, band, words in (
            ("plain", Band.at_least(0.5), "the plain WGAN-GP keeps at least half of"),
            ("exact", Band.at_most(0.5), "a GAN with exact weights at rho* for 10 % loses at least half of"),
        ):
            if found.has(setting, method):
                true = SETTINGS[setting].shares[LIGHT]
                yield Claim(
                    statement=f"On clean data with a mode of mass {true:g} beside three heavier ones, {words} that mode (its share "
                    "of generated points over its share of the data, mean).",
                    source=OWN,
                    certainty="derived",
                    predicted=band,
                    measured=found.mean(found.light_share(setting, method) / true),
                    note=KEPT if method == "exact" else "",
                )


KEPT = (
    "The ball allows the weights to remove the mode, but a generator that has it is an optimum just as well as one that lacks "
    "it; which of the two training ends in is a matter of its course."
)
