"""What the study `domain-adaptation` holds to its runs: differences of paired seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from saddle.core import Band, Claim, Measured
from saddle.studies.cell import CellResult
from saddle.studies.domain_adaptation.cells import cell_name
from saddle.studies.domain_adaptation.config import DomainAdaptationConfig, Method, TargetCase

__all__ = ["accuracies", "claims", "paired", "title"]

DANN = "Ganin et al. 2016, arXiv 1505.07818"
ROBUST = "Balaji et al. 2020, arXiv 2010.05862"
OWN = "Saddle's own question"
POINT = 1.0
Results = Mapping[str, CellResult]


def title(pair: str) -> str:
    """`mnist:usps` as a reader writes it."""
    return "\u00a0→\u00a0".join(pair.split(":"))


def accuracies(
    config: DomainAdaptationConfig, results: Results, pair: str, case: TargetCase, method: Method
) -> Float[np.ndarray, " seeds"]:
    """Mean class accuracy of every seed on the clean test part, over the classes that are scored in this case."""
    found = results[cell_name(pair, case, method)].arrays["class accuracy"]
    if case in ("foreign", "missing"):
        found = found[:, : config.known]
    there = ~np.isnan(found).all(0)
    return found[:, there].mean(1)


def paired(
    config: DomainAdaptationConfig,
    results: Results,
    pair: str,
    case: TargetCase,
    first: Method,
    second: Method,
) -> Measured:
    """The mean over the seeds of `first` − `second` in points: same first weights, same draws."""
    one, two = (accuracies(config, results, pair, case, method) for method in (first, second))
    return Measured.mean(100 * (one - two))


def claims(config: DomainAdaptationConfig, results: Results) -> list[Claim]:
    """The claims of every pair, in the order of the cases."""
    found: list[Claim] = []
    for pair in config.chosen_pairs:
        for case in config.contaminations:
            found += _of_case(config, results, pair, case)
    return found


def _of_case(config: DomainAdaptationConfig, results: Results, pair: str, case: TargetCase) -> list[Claim]:
    there = set(config.chosen_methods)
    found: list[Claim] = []
    where = f"{title(pair)}, {_words(config, case)}"

    def difference(first: Method, second: Method, at_least: float, **more: Any) -> None:
        if {first, second} <= there:
            what = f"{WORDS[first]} − {WORDS[second]}"
            found.append(
                Claim(
                    statement=f"{where}: {what}, points of accuracy.",
                    predicted=Band.at_least(at_least),
                    measured=paired(config, results, pair, case, first, second),
                    **more,
                )
            )

    if case == "clean":
        difference("adversarial", "source", 0.0, source=DANN, certainty="recalled")
        for method in ("robust", "trim"):
            difference(method, "adversarial", -POINT, source=OWN, certainty="derived", note=NOT_WORSE)
        return found
    difference(
        "robust",
        "adversarial",
        0.0,
        source=ROBUST if case != "missing" else OWN,
        certainty="recalled" if case != "missing" else "derived",
    )
    difference("trim", "adversarial", 0.0, source=OWN, certainty="derived")
    if case != "missing":
        weighed: list[Method] = [method for method in config.chosen_methods if method in ("robust", "trim")]
        # Without a contaminant among the images that are looked at there is nothing to rank: no seed has a value.
        found += [
            _auroc(results, pair, case, method, where)
            for method in weighed
            if None not in results[cell_name(pair, case, method)].numbers["auroc"]
        ]
    return found


def _auroc(results: Results, pair: str, case: TargetCase, method: Method, where: str) -> Claim:
    values = results[cell_name(pair, case, method)].numbers["auroc"]
    return Claim(
        statement=f"{where}: AUROC of the light weights, {WORDS[method]}.",
        source=ROBUST if method == "robust" else OWN,
        certainty="recalled" if method == "robust" else "derived",
        predicted=Band.at_least(0.5),
        measured=Measured.mean(values),
    )


def _words(config: DomainAdaptationConfig, case: TargetCase) -> str:
    share = f"{100 * config.share:.3g}\u00a0%"
    return {
        "clean": "clean target",
        "noise": f"{share} noise",
        "cluster": f"{share} near-copies of one odd image",
        "duplicates": f"{share} copies of one image",
        "images": f"{share} images of another set",
        "foreign": f"source of {config.known} classes, target of all",
        "missing": f"target of {config.known} classes, source of all",
    }[case]


WORDS: dict[Method, str] = {
    "source": "source-only",
    "adversarial": "adversarial",
    "robust": "robust (chi-square)",
    "trim": "robust (trimming)",
}
NOT_WORSE = "Within one point counts as no worse."
