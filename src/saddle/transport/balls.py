"""How far sample weights may move: balls of reweighted distributions, each with its radius convention in its name.

A weight `W = dP̃/dP ≥ 0` with `E_P W = 1` turns a distribution `P` into `P̃`; for samples with masses `a` it is
`W_i = ã_i / a_i`. A ball holds the weights with `D(P̃‖P) ≤ rho` for one divergence `D`.
"""

import math
from abc import ABC
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar, Literal, final

from saddle.errors import UserError

__all__ = [
    "Ball",
    "BallName",
    "ChiSquareBall",
    "CvarBall",
    "KullbackLeiblerBall",
    "TotalVariationBall",
    "rho_for",
]

BallName = Literal["chi-square", "kullback-leibler", "total-variation", "cvar"]

_NOT_GIVEN = -math.inf
"A default that nobody gives, so that a negative radius is told that it is negative."


class Ball(ABC):
    """Abstract: a set of weights around 1."""

    name: ClassVar[BallName]


@final
@dataclass(frozen=True, kw_only=True)
class ChiSquareBall(Ball):
    """`E_P (W − 1)²/2 ≤ rho`, which is `Σ (ã_i − a_i)²/a_i ≤ chi2` with `chi2 = 2 rho`.

    Both conventions are in use (rho: the paper's text and its training code; chi2: its discrete solver), so the radius
    is given by exactly one of the two names.

    Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862.
    """

    name: ClassVar[BallName] = "chi-square"
    rho: float | int = _NOT_GIVEN
    "Bound on `E (W − 1)²/2`, the f-divergence with `f(t) = (t − 1)²/2`."
    chi2: float | int = _NOT_GIVEN
    "Bound on `Σ (ã − a)²/a`; twice `rho`."

    def __post_init__(self) -> None:
        given = [name for name in ("rho", "chi2") if getattr(self, name) != _NOT_GIVEN]
        if len(given) != 1:
            raise UserError(
                f"A chi-square ball was given {' and '.join(given) or 'no radius'}; give either rho (a bound on "
                "E (W − 1)²/2) or chi2 = 2 rho (a bound on Σ (ã − a)²/a)."
            )
        _check_radius(given[0], getattr(self, given[0]))
        rho = self.rho if given == ["rho"] else self.chi2 / 2
        object.__setattr__(self, "rho", float(rho))
        object.__setattr__(self, "chi2", 2 * float(rho))


@final
@dataclass(frozen=True, kw_only=True)
class KullbackLeiblerBall(Ball):
    """`E_P [W log W] ≤ rho`, in nats."""

    name: ClassVar[BallName] = "kullback-leibler"
    rho: float | int

    def __post_init__(self) -> None:
        _check_radius("rho", self.rho)


@final
@dataclass(frozen=True, kw_only=True)
class TotalVariationBall(Ball):
    """`E_P |W − 1| / 2 ≤ rho`: at most the mass `rho` is moved to other samples.

    On finite samples `P̃` has the atoms of `P`; mass moves between them.
    """

    name: ClassVar[BallName] = "total-variation"
    rho: float | int

    def __post_init__(self) -> None:
        _check_radius("rho", self.rho)


@final
@dataclass(frozen=True, kw_only=True)
class CvarBall(Ball):
    """`0 ≤ W ≤ 1/(1 − share)`: the share of the mass may be trimmed and the rest scaled up (partial transport).

    The least mean over this ball is the conditional value at risk of the lower tail.

    Source: Rockafellar & Uryasev 2000; as robust transport: Nietert, Goldfeld & Cummings 2022, arXiv 2111.01361.
    """

    name: ClassVar[BallName] = "cvar"
    share: float | int

    def __post_init__(self) -> None:
        if not (isinstance(self.share, Real) and 0 <= self.share < 1):
            raise UserError(f"The share to trim is {self.share!r}; it must be at least 0 and below 1.")


def rho_for(contamination: float | int, *, ball: BallName = "chi-square") -> float:
    """The smallest radius at which weights can remove the share `contamination` of the mass completely.

    With `g` = contamination and `W = 1/(1 − g)` on the clean part, 0 on the rest:

        chi-square         rho* = g / (2(1 − g))      (chi2 = g/(1 − g))
        kullback-leibler   rho* = −log(1 − g)
        total-variation    rho* = g
        cvar               share = g

    Raises:
        UserError: the share is not in [0, 1).

    Source: for chi-square the theorem of Balaji, Chellappa & Feizi 2020 on contaminated distributions.
    """
    if not (isinstance(contamination, Real) and 0 <= contamination < 1):
        raise UserError(
            f"The contamination is {contamination!r}; it is the share of samples that do not belong, at least 0 and "
            "below 1."
        )
    g = float(contamination)
    radii = {
        "chi-square": g / (2 * (1 - g)),
        "kullback-leibler": -math.log1p(-g),
        "total-variation": g,
        "cvar": g,
    }
    if ball not in radii:
        raise UserError(f"There is no ball called {ball!r}; known are {', '.join(radii)}.")
    return radii[ball]


def _check_radius(name: str, value: float | int) -> None:
    if not (isinstance(value, Real) and 0 <= value < math.inf):
        raise UserError(f"The radius {name} is {value!r}; it must be a finite number, 0 or larger.")
