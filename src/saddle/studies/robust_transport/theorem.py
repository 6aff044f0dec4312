"""Random problems of the contamination theorem: is its bound ever below the robust cost?"""

from typing import Any

import numpy as np

from saddle.studies.robust_transport.samples import gaussian
from saddle.transport import (
    Ball,
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    TotalVariationBall,
    balanced,
    contamination_bound,
    residual_share,
    rho_for,
    robust,
)

__all__ = ["BALLS", "ball_of", "theorem"]

BALLS = ("chi-square", "kullback-leibler", "total-variation", "cvar")
SHARES = (0.05, 0.1, 0.2, 0.3)


def ball_of(name: str, part: float, g: float) -> Ball:
    """The ball `name` whose radius is `part` of the one at which a share `g` of outliers is removed completely."""
    radius = part * rho_for(g, ball=name)  # type: ignore[arg-type]
    if name == "chi-square":
        return ChiSquareBall(rho=radius)
    if name == "kullback-leibler":
        return KullbackLeiblerBall(rho=radius)
    return TotalVariationBall(rho=radius) if name == "total-variation" else CvarBall(share=radius)


def theorem(seed: int, instances: int, other_instances: int) -> dict[str, list[Any]]:
    """Columns over random problems, the first `instances` of them in the chi-square ball.

    `robust_*`: certified lower and upper bound of the robust cost. `bound_*`: the theorem's bound, from certified bounds
    of the two balanced costs in it. `factor_*`: its form for metrics, None with squared distances.
    """
    rng = np.random.default_rng([seed, 1])
    names = ["chi-square"] * instances + [name for name in BALLS[1:] for _ in range(other_instances)]
    rows = [_instance(rng, name) for name in names]
    return {key: [row[key] for row in rows] for key in rows[0]}


def _instance(rng: np.random.Generator, name: str) -> dict[str, Any]:
    n, m = (int(count) for count in rng.integers(30, 71, 2))
    d, cost = int(rng.choice([1, 2, 5])), str(rng.choice(["euclidean", "sqeuclidean"]))
    bad = max(1, round(float(rng.choice(SHARES)) * n))
    g, part = bad / n, float(rng.uniform(0.02, 1.3))
    # From outliers among the clean points to outliers far from everything.
    distance, shift = float(np.exp(rng.uniform(np.log(0.3), np.log(30)))), float(rng.uniform(0, 2))
    clean = gaussian(rng, n - bad, d)
    outliers = gaussian(rng, bad, d, shift=distance, sd=float(rng.uniform(0.1, 2)))
    y = gaussian(rng, m, d, shift=shift)
    ball = ball_of(name, part, g)
    found = robust(np.concatenate([clean, outliers]), y, ball=ball, cost=cost)
    parts = balanced(clean, y, cost=cost), balanced(outliers, y, cost=cost)
    low, high = (
        contamination_bound(g, clean=getattr(parts[0], side), outliers=getattr(parts[1], side), ball=ball)
        for side in ("lower", "upper")
    )
    left = residual_share(g, ball=ball)
    factor: tuple[float, float] | None = None
    if cost == "euclidean":
        between = balanced(outliers, clean, cost=cost)
        factor = (parts[0].lower + left * between.lower, parts[0].upper + left * between.upper)
    return {
        "ball": name,
        "cost": cost,
        "d": d,
        "g": g,
        "part": part,
        "distance": distance,
        "left": left,
        "robust_low": found.lower,
        "robust_high": found.upper,
        "bound_low": low,
        "bound_high": high,
        "factor_low": factor and factor[0],
        "factor_high": factor and factor[1],
        "certified": found.certified and all(each.certified for each in parts),
    }
