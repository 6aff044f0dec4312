"""Mean and covariance of a stream of features, in float64."""

from typing import final

import numpy as np
from jaxtyping import Float
from torch import Tensor

__all__ = ["Moments"]

ROWS = 2048
"Rows that are turned to float64 at once; bounds memory and keeps the matrix product efficient."


@final
class Moments:
    """Streams the count, mean and covariance of features, one batch at a time.

    Batches are merged pairwise (Chan, Golub & LeVeque 1979): with counts n, m, means a, b, scatters S, T

        mean = a + (b - a) m / (n + m),    scatter = S + T + (b - a)(b - a)ᵀ n m / (n + m),

    on features shifted by the first row ever seen. The shift removes the cancellation that features far from the
    origin suffer, and gives a constant feature a variance of exactly zero.
    """

    def __init__(self, features: Float[Tensor, "n d"] | None = None) -> None:
        self.count = 0
        self._shift = self._mean = self._scatter = np.zeros(0)
        if features is not None:
            self.update(features)

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Take in the rows of `features`."""
        for part in features.detach().split(ROWS):
            self._merge(part.cpu().double().numpy())

    def _merge(self, rows: np.ndarray) -> None:
        count, dim = rows.shape
        if not count:
            return
        if not self.count:
            self._shift, self._mean, self._scatter = rows[0].copy(), np.zeros(dim), np.zeros((dim, dim))
        rows = rows - self._shift
        mean = rows.mean(axis=0)
        rows -= mean
        delta, total = mean - self._mean, self.count + count
        self._scatter += rows.T @ rows
        self._scatter += np.outer(delta, delta * (self.count * count / total))
        self._mean += delta * (count / total)
        self.count = total

    @property
    def mean(self) -> np.ndarray:
        """The mean, (d,)."""
        return self._shift + self._mean

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance, (d, d); needs two rows."""
        assert self.count > 1
        return self._scatter / (self.count - 1)
