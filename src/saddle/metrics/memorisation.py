"""Whether a generator copies its training images: the C_T test, and the share of samples that are not authentic."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics._check import check_pair
from saddle.metrics.neighbours import nearest

__all__ = ["Memorisation", "copying_score", "memorisation"]

RESAMPLES = 2000


@final
@dataclass(frozen=True, kw_only=True)
class Memorisation:
    """How generated images lie to the training images, beside how held-out images do."""

    score: float
    """Z of the C_T test; below -3 the generator copies, near 0 it is as far from the training set as held-out images
    are, well above 0 it is farther (underfitting)."""
    closer: float
    "P(d(fake, train) < d(test, train)), ties as halves: 0.5 without copying, 1 for exact copies. The score's effect size."
    closer_interval: tuple[float, float]
    "95 % of `closer` over bootstrap resamples of the fakes and of the held-out images; the training set stays."
    unauthentic: float
    "Share of fakes no farther from their nearest training image than that image is from its nearest other one."
    unauthentic_test: float
    "The same share of the held-out images: what a generator that copies nothing would have."
    unauthentic_interval: tuple[float, float]
    "95 % Wilson interval of `unauthentic`."
    copies: float
    "Share of fakes at distance 0 from a training image."
    fakes: int
    train: int
    test: int

    @property
    def copied(self) -> bool:
        """The test's verdict at Z < -3, the threshold of Meehan et al. (one in 741 if nothing is copied)."""
        return self.score < -3


def memorisation(
    fake: Float[Tensor, "m d"],
    train: Float[Tensor, "n e"],
    test: Float[Tensor, "t f"],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Memorisation:
    """Hold the distances of `fake` to the training images against those of held-out images to them.

    With d(y) the distance of y to its nearest training image, and U the number of pairs (fake y, test x) with
    d(y) > d(x), ties counted as halves,

        score = (U - mt/2) / √(mt (m + t + 1)/12)        (the Mann-Whitney Z, with the variance corrected for ties)

    over the whole space (one cell). A fake y is *authentic* if d(y) > the distance from its nearest training image to
    the nearest other one.

    Features or pixels, as rows: the answer is about copying in that space. Features that ignore small shifts find
    copies that pixels miss. A score says nothing about quality: noise is authentic. The power grows with m and t (Z is
    a test, not a size): compare `closer` where sizes differ.

    Raises UserError for fewer than two images a side, different numbers of features, or NaN.
    Sources: Meehan, Chaudhuri & Dasgupta 2020, arXiv 2004.05675, section 3; authenticity as in Alaa et al. 2022, arXiv
    2102.08921, section 3.3.
    """
    check_pair(train, fake)
    check_pair(train, test)
    if resamples < 1:
        raise UserError(f"resamples is {resamples}, and an interval needs some. Pass 2000, say.")
    fake_at, fake_far = (each[:, 0] for each in nearest(fake, train, 1))
    test_at, test_far = (each[:, 0] for each in nearest(test, train, 1))
    gaps = nearest(train, train, 2)[1][:, 1]
    z, closer = copying_score(fake_far, test_far)
    share = float((fake_far <= gaps[fake_at]).double().mean())
    return Memorisation(
        score=z,
        closer=closer,
        closer_interval=_bootstrap(fake_far, test_far, resamples, seed),
        unauthentic=share,
        unauthentic_test=float((test_far <= gaps[test_at]).double().mean()),
        unauthentic_interval=_wilson(share, len(fake)),
        copies=float((fake_far == 0).double().mean()),
        fakes=len(fake),
        train=len(train),
        test=len(test),
    )


def copying_score(fake: Float[Tensor, " m"], test: Float[Tensor, " t"]) -> tuple[float, float]:
    """Z of the Mann-Whitney test of nearest distances (negative: fakes are nearer), and P(fake < test) + P(=)/2."""
    m, t = len(fake), len(test)
    _, inverse, counts = torch.cat([fake, test]).unique(return_inverse=True, return_counts=True)
    # Midranks: those of equal values share their mean.
    last = counts.cumsum(0).double()
    ranks = (last - (counts.double() - 1) / 2)[inverse]
    u = float(ranks[:m].sum()) - m * (m + 1) / 2
    n = m + t
    ties = float((counts.double() ** 3 - counts.double()).sum()) / (n * (n - 1))
    variance = m * t / 12 * (n + 1 - ties)
    # All distances are equal: neither side is nearer.
    z = 0.0 if variance <= 0 else (u - m * t / 2) / sqrt(variance)
    return z, 1 - u / (m * t)


def _bootstrap(fake: Tensor, test: Tensor, resamples: int, seed: int) -> tuple[float, float]:
    """Quantiles of P(fake < test) + P(=)/2; every resample only recounts the sorted distinct values."""
    m = len(fake)
    values, places = torch.cat([fake, test]).cpu().unique(return_inverse=True)
    draw = torch.Generator().manual_seed(seed)

    def again(side: Tensor) -> Tensor:
        drawn = side[torch.randint(len(side), (len(side),), generator=draw)]
        return torch.bincount(drawn, minlength=len(values)).double() / len(side)

    found = torch.zeros(resamples, dtype=torch.float64)
    for index in range(resamples):
        nearer, other = again(places[:m]), again(places[m:])
        found[index] = nearer @ (1 - other.cumsum(0) + other / 2)
    low, high = found.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).clamp(0, 1).tolist()
    return low, high


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson 1927: the shares whose test at 5 % the measured one would pass."""
    z = 1.959963984540054
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)
