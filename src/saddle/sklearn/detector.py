"""What the transport detectors share: input, reference, a bounded problem, the threshold."""

from abc import abstractmethod
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data  # pyrefly: ignore[missing-module-attribute]

from saddle.errors import UserError
from saddle.sklearn.core_reference import core
from saddle.sklearn.ground_cost import COSTS, extend
from saddle.transport import RobustTransport

__all__ = ["TransportDetector"]


D = TypeVar("D", bound="TransportDetector")


class TransportDetector(OutlierMixin, BaseEstimator):
    """Abstract: scores points through the potential of a transport problem from `X` to a reference.

    A subclass sets `contamination`, `cost`, `max_size` and `random_state`, and says which problem is solved and what
    is its score.
    """

    contamination: float
    cost: Any
    max_size: int
    random_state: Any

    @abstractmethod
    def _solve(self, x: np.ndarray, y: np.ndarray) -> RobustTransport:
        """Solve the problem between the points given to it."""

    @abstractmethod
    def _scores(self, x: np.ndarray) -> np.ndarray:
        """How normal each row is, from the solved problem."""

    def _finish(self, x: np.ndarray) -> None:
        """Set what a subclass keeps beside the scores; `x` are all samples of `fit`."""

    def fit(self: D, X: Any, y: Any = None, *, reference: Any = None) -> D:
        """Compare `X` with a sample that is clean.

        Args:
            X: `(n, d)` samples, some of which do not belong.
            y: ignored.
            reference: `(m, d)` samples that all belong. Without them, the densest part of `X` itself: see the class.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self._check()
        random = check_random_state(self.random_state)
        self.sample_indices_ = self._draw(len(X), random)
        sample = X[self.sample_indices_]
        if reference is None:
            trusted = sample[core(sample, float(self.contamination))]
        else:
            trusted = check_array(reference, dtype=np.float64, input_name="reference")
            if trusted.shape[1] != X.shape[1]:
                raise UserError(
                    f"The reference has {trusted.shape[1]} features and X has {X.shape[1]}; compute the same features of "
                    "both."
                )
        self.reference_ = trusted[self._draw(len(trusted), random)]
        self.transport_ = self._solve(sample, self.reference_)
        # A potential is known up to a constant; this one makes scores of two fits comparable.
        self._potential_y = self.transport_.potential_y - self.transport_.potential_y.mean()
        self._finish(X)
        self.offset_ = float(np.percentile(self._scores(X), 100 * self.contamination))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """How normal each sample is: higher is more normal."""
        check_is_fitted(self)
        return self._scores(validate_data(self, X, dtype=np.float64, reset=False))

    def decision_function(self, X: Any) -> np.ndarray:
        """`score_samples(X) − offset_`: negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """−1 for outliers, 1 for the others."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _extended(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return extend(x, self.reference_, self._potential_y, self.cost)

    def _draw(self, n: int, random: np.random.RandomState) -> np.ndarray:
        return np.arange(n) if n <= self.max_size else np.sort(random.permutation(n)[: self.max_size])

    def _check(self) -> None:
        if not (isinstance(self.contamination, Real) and 0 < self.contamination <= 0.5):
            raise UserError(
                f"contamination is {self.contamination!r}; it is the share of samples that do not belong, above 0 and at "
                "most 0.5."
            )
        if not (isinstance(self.cost, str) and self.cost in COSTS):
            raise UserError(f"cost is {self.cost!r}; choose one of {', '.join(map(repr, COSTS))}.")
        if not (isinstance(self.max_size, Integral) and self.max_size >= 2):
            raise UserError(
                f"max_size is {self.max_size!r}; it is a whole number, and the problem needs at least 2 samples a side."
            )
