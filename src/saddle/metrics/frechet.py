"""The Fréchet distance between the Gaussians of two sets of features, without a matrix square root."""

from functools import cached_property
from typing import final

import numpy as np
import scipy.linalg
import torch
from jaxtyping import Float
from torch import Tensor

from saddle.metrics._check import check_pair
from saddle.metrics.moments import Moments

__all__ = ["Gaussian", "frechet_between", "frechet_distance"]

TOLERANCE = 1e-8
"Estimated rounding in tr (C₁C₂)^½ that the fast route may leave, relative to tr C₁ + tr C₂."


def frechet_distance(real: Float[Tensor, "n d"], fake: Float[Tensor, "m e"]) -> float:
    """Return the squared Fréchet distance of two sets of features, as the FID is defined.

        d² = |μ₁ - μ₂|² + tr C₁ + tr C₂ - 2 tr (C₁C₂)^½

    with unbiased covariances, in float64. With any factors Cᵢ = FᵢFᵢᵀ the last trace is the sum of the singular
    values of F₁ᵀF₂, which needs no matrix root, no complex number and no eps, and stays exact where a covariance is
    singular (n ≤ d, constant or repeated features). See `Gaussian` for the factors.

    Raises UserError for fewer than two images a side, different numbers of features, or NaN.
    Sources: Dowson & Landau 1982; Heusel et al. 2017, arXiv 1706.08500.
    """
    check_pair(real, fake)
    return frechet_between(Gaussian(real), Gaussian(fake))


@final
class Gaussian:
    """Mean, covariance and factor of one set of features; everything is computed at most once, on the CPU.

    Two factors, for two needs:

    - `root`, F with FFᵀ = C taken from the centred features X alone: Xᵀ/√(n-1) for n ≤ d, else Rᵀ/√(n-1) of X = QR.
      The covariance is never formed, so singular directions keep all their digits.
    - `lower`, the Cholesky factor of C over the features that vary: cheaper for n > d, and absent where C is singular.
    """

    def __init__(self, features: Float[Tensor, "n d"]) -> None:
        self._features = features.detach()
        self.count, self.dim = features.shape
        self.wide = self.count <= self.dim
        "Too few images for a covariance of full rank."

    @cached_property
    def centred(self) -> np.ndarray:
        """The centred features, (n, d)."""
        rows = self._features.cpu().double().numpy()
        rows = rows - rows[0]
        return rows - rows.mean(axis=0)

    @cached_property
    def _moments(self) -> Moments:
        return Moments(self._features)

    @cached_property
    def mean(self) -> np.ndarray:
        if self.wide:
            rows = self._features.cpu().double().numpy()
            return rows[0] + (rows - rows[0]).mean(axis=0)
        return self._moments.mean

    @cached_property
    def covariance(self) -> np.ndarray:
        return self._moments.covariance

    @cached_property
    def trace(self) -> float:
        """tr C."""
        if self.wide:
            return float(np.square(self.centred).sum() / (self.count - 1))
        return float(np.trace(self.covariance))

    @cached_property
    def norm(self) -> float:
        """The Frobenius norm of C, which bounds its largest eigenvalue."""
        return float(np.linalg.norm(self.covariance))

    @cached_property
    def varying(self) -> np.ndarray:
        """Which features are not constant, (d,) of bool; `Moments` makes this exact."""
        return np.diagonal(self.covariance) > 0

    @cached_property
    def root(self) -> np.ndarray:
        """F, (d, min(n, d)), with FFᵀ = C."""
        scale = (self.count - 1) ** -0.5
        if self.wide:
            return self.centred.T * scale
        return _triangle(self._features, self.mean).T * scale

    @cached_property
    def lower(self) -> np.ndarray | None:
        """The Cholesky factor of C over the varying features, or None where C is singular."""
        return _cholesky(self.covariance, self.varying)


def frechet_between(real: Gaussian, fake: Gaussian) -> float:
    """Return the squared Fréchet distance of two `Gaussian`s; a reused `real` is factored once."""
    offset = real.mean - fake.mean
    distance = offset @ offset + real.trace + fake.trace - 2 * _cross_trace(real, fake)
    # The distance of equal sets is 0 up to the rounding of three equal traces; never report that as negative.
    return max(float(distance), 0.0)


def _cross_trace(real: Gaussian, fake: Gaussian) -> float:
    """tr (C₁C₂)^½."""
    if not real.wide and not fake.wide:
        fast = _cross_trace_fast(real, fake)
        if fast is not None:
            return fast
    return float(np.linalg.svd(real.root.T @ fake.root, compute_uv=False).sum())


def _cross_trace_fast(real: Gaussian, fake: Gaussian) -> float | None:
    """Σ √λ(LᵀC₂L) with C₁ = LLᵀ, or None where rounding might exceed `TOLERANCE`.

    A feature that is constant on one side adds nothing to the trace and is dropped first: that is exact.
    """
    varying = real.varying & fake.varying
    if not varying.any():
        return 0.0
    own = bool((varying == real.varying).all())
    lower = real.lower if own else _cholesky(real.covariance, varying)
    if lower is None:
        return None
    # sygst with itype 2 turns one triangle of C₂ into that of LᵀC₂L: half the work of two products.
    (sygst,) = scipy.linalg.get_lapack_funcs(("sygst",), dtype=np.float64)
    product, info = sygst(_part(fake.covariance, varying), lower, itype=2, lower=1)
    assert info == 0
    values = np.asarray(scipy.linalg.eigvalsh(product, lower=True, overwrite_a=True, check_finite=False))
    doubt = _doubt(values, np.finfo(np.float64).eps * real.norm * fake.norm)
    if doubt > TOLERANCE * (real.trace + fake.trace):
        return None
    return float(np.sqrt(np.maximum(values, 0.0)).sum())


def _doubt(values: np.ndarray, delta: float) -> float:
    """Estimate the error of Σ √λ when rounding moves each eigenvalue λ by about δ = ε |C₁||C₂|.

    Forming covariances squares the condition number: a root near zero keeps half its digits. To first order √λ moves
    by δ/2√λ, with random signs, which add in squares; where λ is near δ or below it moves by up to √δ, always
    upwards, which adds in full (δ²/λ^(3/2) is the second order that joins the two).
    """
    clipped = np.maximum(values, delta)
    first = np.sqrt(np.square(delta / (2 * np.sqrt(clipped))).sum())
    second = (np.square(delta) / clipped**1.5).sum()
    return float(first + second)


def _part(matrix: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The kept rows and columns of a symmetric matrix, in LAPACK's order of columns (its transpose, as it is)."""
    return (matrix if keep.all() else matrix[np.ix_(keep, keep)]).T


def _cholesky(covariance: np.ndarray, keep: np.ndarray) -> np.ndarray | None:
    """The lower Cholesky factor of the kept rows and columns, or None where a pivot is not positive."""
    try:
        return np.asarray(scipy.linalg.cholesky(_part(covariance, keep), lower=True, check_finite=False))
    except np.linalg.LinAlgError:
        return None


def _triangle(features: Tensor, mean: np.ndarray) -> np.ndarray:
    """R of the QR factors of the centred features, (d, d), a block of rows at a time.

    R of [R; block] is R of all rows up to signs of its rows, which no product RᵀR sees.
    """
    dim = features.shape[1]
    centre = torch.from_numpy(mean)
    triangle = torch.zeros(0, dim, dtype=torch.float64)
    for rows in features.split(max(4 * dim, 256)):
        triangle = torch.linalg.qr(torch.cat([triangle, rows.cpu().double() - centre]), mode="r").R
    return triangle.numpy()
