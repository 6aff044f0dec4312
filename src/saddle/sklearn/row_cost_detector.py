"""The plain baseline: what each sample pays in an ordinary optimal transport to the reference."""

from typing import final

import numpy as np
from scipy.spatial.distance import cdist

from saddle.sklearn.detector import TransportDetector
from saddle.transport import RobustTransport, balanced

__all__ = ["BalancedRowCostDetector"]


@final
class BalancedRowCostDetector(TransportDetector):
    """Ranks samples by the cost that each pays when `X` is transported to a clean reference `Y`, all weights equal.

    **score = −Σ_j P_ij c(x_i, y_j) / Σ_j P_ij** at the samples of the solved problem `min_{P1 = 1/n, P'1 = 1/m} Σ P_ij
    c(x_i, y_j)`. Any other point goes to the `y_j*` that attains `min_j c(x, y_j) − g_j` with the optimal potential
    `g`, as a sample with one partner does (complementary slackness), and pays `c(x, y_j*)`.

    Cheap and strong: the baseline that a robust method must beat. Reference, `max_size`, `random_state`, `offset_` and
    `transport_` as in `TransportOutlierDetector`.
    """

    # No annotations: scikit-learn wants whatever it is given kept as it is, and checked by `fit`.
    def __init__(
        self,
        contamination=0.1,
        *,
        cost="euclidean",
        max_size=1000,
        random_state=0,
    ) -> None:
        self.contamination = contamination
        self.cost = cost
        self.max_size = max_size
        self.random_state = random_state

    def _solve(self, x: np.ndarray, y: np.ndarray) -> RobustTransport:
        result = balanced(x, y, cost=self.cost)
        assert result.plan is not None
        paid = (result.plan * cdist(x, y, self.cost)).sum(1) / result.plan.sum(1)
        # Half of the tight pairs of a vertex solution ship nothing, so the plan itself is asked, not the potentials.
        # Equal samples are interchangeable: each pays their mean.
        _, inverse, count = np.unique(x, axis=0, return_inverse=True, return_counts=True)
        mean = np.bincount(inverse, weights=paid) / count
        self._paid = {_key(row): mean[i] for row, i in zip(x, inverse, strict=True)}
        return result

    def _scores(self, x: np.ndarray) -> np.ndarray:
        elsewhere = self._extended(x)[1]
        return -np.array([self._paid.get(_key(row), cost) for row, cost in zip(x, elsewhere, strict=True)])


def _key(row: np.ndarray) -> bytes:
    return (row + 0.0).tobytes()  # −0.0 is 0.0
