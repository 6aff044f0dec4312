"""What a transport solver answers: bounds that hold, the plan, the weights and the potentials."""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from jaxtyping import Float64

from saddle.errors import UserError

__all__ = ["NotCertifiedError", "RobustTransport", "TransportStatus"]


class TransportStatus(Enum):
    """How a solver ended; the values are the messages."""

    CERTIFIED = "the bounds agree to the tolerance"
    STALLED = "the bounds stopped approaching each other above the tolerance: floats cannot certify it"
    EXHAUSTED = "the iterations ended before the bounds agreed to the tolerance"


class NotCertifiedError(UserError):
    """The value was asked of a result whose bounds do not agree to its tolerance."""


@final
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RobustTransport:
    """A solved transport problem between `n` samples with masses `a` and `m` samples with masses `b`.

    Whatever the status, `lower ≤ optimum ≤ upper` up to float rounding: `upper` is the cost of a feasible plan, `lower`
    the dual objective of feasible potentials.
    """

    status: TransportStatus
    upper: float
    lower: float
    tol: float
    "The relative gap that was asked for."
    iterations: int
    solver: str
    weights_x: Float64[np.ndarray, " n"]
    "`W = ã / a`; 1 everywhere where the first marginal is held."
    weights_y: Float64[np.ndarray, " m"]
    "`V = b̃ / b`."
    potential_x: Float64[np.ndarray, " n"]
    "`f` with `f_i + g_j ≤ c_ij`; large where a sample is far from the other side: its outlier score."
    potential_y: Float64[np.ndarray, " m"]
    plan: Float64[np.ndarray, "n m"] | None = None
    "The coupling with marginals `ã` and `b̃`; None where the solver does not hold one in memory."
    gradient_a: Float64[np.ndarray, " n"] | None = None
    "Derivative of the value by the masses `a` (along directions that keep their sum), where the solver knows it."
    gradient_b: Float64[np.ndarray, " m"] | None = None
    floor: float = 0.0
    "Gaps are relative to the value or to this, whichever is larger: a millionth of a typical cost, for values near 0."
    seconds: float = 0.0

    @property
    def certified(self) -> bool:
        """Whether the relative gap is at most the tolerance."""
        return self.status is TransportStatus.CERTIFIED

    @property
    def gap(self) -> float:
        """Relative certified gap `(upper − lower) / max(|upper|, floor)`; 0 where both are equal."""
        difference = max(self.upper - self.lower, 0.0)
        return difference / max(abs(self.upper), self.floor, np.finfo(float).tiny) if difference else 0.0

    @property
    def value(self) -> float:
        """The optimal cost, `upper`, certified to `tol`.

        Raises:
            NotCertifiedError: the bounds do not agree to the tolerance; `upper` and `lower` still hold.
        """
        if not self.certified:
            raise NotCertifiedError(
                f"The transport cost is known only to lie between {self.lower:.10g} and {self.upper:.10g} (relative gap "
                f"{self.gap:.2g}, asked for {self.tol:.2g}; {self.status.value}); use these bounds, or ask for a larger "
                "tol."
            )
        return self.upper

    @property
    def weights(self) -> Float64[np.ndarray, " n"]:
        """`weights_x`: what the first side's samples count, 1 on average."""
        return self.weights_x

    @property
    def potentials(self) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]:
        """`potential_x` and `potential_y`."""
        return self.potential_x, self.potential_y

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """Derivatives of the value that the solver knows: by the `cost` (the plan) and by the masses `a` and `b`."""
        known = {"cost": self.plan, "a": self.gradient_a, "b": self.gradient_b}
        return {name: gradient for name, gradient in known.items() if gradient is not None}

    def __repr__(self) -> str:
        # Thousands of weights are no answer to look at.
        return (
            f"RobustTransport({self.status.name}, {self.lower:.10g} ≤ cost ≤ {self.upper:.10g}, gap {self.gap:.1e}, "
            f"{len(self.weights_x)} x {len(self.weights_y)} samples, {self.iterations} iterations, {self.solver})"
        )
