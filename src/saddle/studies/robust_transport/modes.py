"""What looks like an outlier and is none: a minority mode; and outliers that stay: those matched on the other side."""

from typing import Any

import numpy as np

from saddle.studies.robust_transport.samples import gaussian
from saddle.transport import balanced, residual_share, rho_for, robust

__all__ = ["SUSPECTED", "matched", "minority"]

SUSPECTED = 0.1
"The share of outliers for which the radius is chosen."
COUNT = 200
MINORITY = (4, 8, 12, 16, 20, 24, 30, 40, 60)
"Of `COUNT` samples."
AWAY = 30.0
"Distance of the second mode; both are N(·, I)."
PARTS = (0.25, 0.5, 1.0, 2.0)
"Times R*."


def minority(seed: int) -> dict[str, Any]:
    """The share that a genuine second mode keeps of the data, at the radius for `SUSPECTED`, against a model without it."""
    rng = np.random.default_rng([seed, 6])
    y = gaussian(rng, COUNT, 2)
    kept, predicted, uncertified = [], [], 0
    for count in MINORITY:
        x = np.concatenate([gaussian(rng, COUNT - count, 2), gaussian(rng, count, 2, shift=AWAY)])
        found = robust(x, y, rho=rho_for(SUSPECTED))
        uncertified += not found.certified
        kept.append(float(found.weights_x[COUNT - count :].sum() / COUNT))
        predicted.append(residual_share(count / COUNT, rho=rho_for(SUSPECTED)))
    return {
        "share": [count / COUNT for count in MINORITY],
        "kept": kept,
        "predicted": predicted,
        "solved": len(kept),
        "uncertified": uncertified,
    }


def matched(seed: int) -> dict[str, Any]:
    """Outliers on both sides, both balls of R = part · R*: those of x and y near each other, or on opposite sides."""
    rng = np.random.default_rng([seed, 7])
    per_unit: dict[str, float] = {}
    bad = round(SUSPECTED * COUNT / 2)
    count = COUNT // 2 - bad
    x = np.concatenate([gaussian(rng, count, 2), gaussian(rng, bad, 2, shift=AWAY)])
    kept: dict[str, list[float]] = {"near each other": [], "opposite": []}
    uncertified = 0
    for place, shift in (("near each other", AWAY), ("opposite", -AWAY)):
        y = np.concatenate([gaussian(rng, count, 2), gaussian(rng, bad, 2, shift=shift)])
        for part in PARTS:
            rho = part * rho_for(SUSPECTED)
            found = robust(x, y, rho=rho, rho_y=rho)
            uncertified += not found.certified
            kept[place].append(float(found.weights_x[count:].sum() / len(x)))
        if place == "near each other":
            per_unit = {
                "cost_clean": balanced(x[:count], y[:count]).upper,
                "cost_outliers": balanced(x[count:], y[count:]).upper,
            }
    solved = {"solved": 2 * len(PARTS), "uncertified": uncertified, **per_unit}
    return {"part": list(PARTS), "share": bad / (count + bad), **kept, **solved}
