"""Who ranks which outliers first: the potentials of robust transport, and what else one would use."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from saddle.studies.robust_transport.samples import contaminated, gaussian
from saddle.transport import CvarBall, RobustTransport, balanced, rho_for, robust

__all__ = ["METHODS", "SCALES", "auroc", "ranking"]

METHODS = (
    "robust W1",
    "robust W2²",
    "balanced row cost",
    "partial transport",
    "kNN(X)",
    "kNN(Y)",
    "isolation forest(X)",
    "isolation forest(Y)",
    "LOF(X)",
)
SCALES = (0.5, 1.0, 2.0)
"Times rho*: how well the share of outliers must be known."
NEIGHBOURS = 10
LOF_NEIGHBOURS = 20


def ranking(seed: int, case: str, d: int, shares: Sequence[float], points: int) -> dict[str, Any]:
    """AUROC of every method at every share, and of robust W1 at the radii `SCALES` times rho*.

    X is contaminated, Y is a clean reference of N(0, I), held; scores are potentials.
    """
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    scaled: dict[str, list[float]] = {f"{scale:g}": [] for scale in SCALES}
    uncertified = 0
    for number, share in enumerate(shares):
        rng = np.random.default_rng([seed, 5, d, number])
        x, outlier = contaminated(rng, case, points, share, d)
        y = gaussian(rng, points, d)
        by_scale = {f"{scale:g}": robust(x, y, rho=scale * rho_for(share)) for scale in SCALES}
        others = {
            "robust W2²": robust(x, y, rho=rho_for(share), cost="sqeuclidean"),
            "partial transport": robust(x, y, ball=CvarBall(share=share)),
        }
        solved = by_scale | others
        uncertified += sum(not each.certified for each in solved.values())
        scores = {
            "robust W1": by_scale["1"].potential_x,
            "balanced row cost": _row_cost(balanced(x, y), x, y),
            **{name: each.potential_x for name, each in others.items()},
            **_density_scores(x, y, seed),
        }
        for name in METHODS:
            found[name].append(auroc(scores[name], outlier))
        for scale, each in by_scale.items():
            scaled[scale].append(auroc(each.potential_x, outlier))
    count = (len(SCALES) + 2) * len(shares)
    return {"auroc": found, "scaled": scaled, "solved": count, "uncertified": uncertified}


def _row_cost(flat: RobustTransport, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What the shipping of every sample of x costs."""
    assert flat.plan is not None
    return (flat.plan * np.linalg.norm(x[:, None] - y, axis=2)).sum(1)


def _density_scores(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Distance to the tenth neighbour, isolation forest and local outlier factor, as scikit-learn has them."""
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

    def forest(reference: np.ndarray) -> np.ndarray:
        return -IsolationForest(random_state=seed).fit(reference).score_samples(x)

    # A point is no neighbour of its own.
    among = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(x).kneighbors()[0]
    beside = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(y).kneighbors(x)[0]
    return {
        "kNN(X)": among[:, -1],
        "kNN(Y)": beside[:, -1],
        "isolation forest(X)": forest(x),
        "isolation forest(Y)": forest(y),
        "LOF(X)": -LocalOutlierFactor(n_neighbors=LOF_NEIGHBOURS).fit(x).negative_outlier_factor_,
    }


def auroc(scores: Float[np.ndarray, " n"], outlier: Bool[np.ndarray, " n"]) -> float:
    """The share of pairs (outlier, other) in which the outlier has the higher score; ties count half."""
    bad = int(outlier.sum())
    ranks = rankdata(scores)
    return float((ranks[outlier].sum() - bad * (bad + 1) / 2) / (bad * (len(outlier) - bad)))
