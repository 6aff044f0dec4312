"""What the law says of a width, measured or not: the mean over seeds, and runs that nobody has made yet.

The law y(k) = a + b·k^(−c) and its bootstrap are those of `saddle.theory.fit_power_law`. Two intervals at level 95 %:

    of the mean       where the mean over endlessly many seeds lies: the spread of the resampled laws,
    of m new runs     where the mean of m runs with new seeds will lie: a resampled law times the mean of m factors
                      e^r, drawn from the runs' own logarithmic residuals, pooled over widths and centred so that
                      their mean is one.

Few seeds measure the spread itself badly. So both are widened about the law by t_ν / z, Student's quantile over the
normal one, ν being the degrees of freedom behind the spread (after Hesterberg 2015, arXiv 1411.5279, section 4.3,
who widens percentile intervals likewise). On the logarithmic scale where all values are positive, else as they are.

Does the law hold? With more than three widths the means may lie farther from it than the seeds explain. That is
asked by an F test of the lack of fit, Σ n_k r_k² / (K − 3) against the pooled variance of the runs s², r_k being the
residual of a mean. Where p < 5 % every interval also holds a misfit: one more factor e^{τz} with a standard normal z
and τ² = (Σ n_k r_k² / (K − 3) − s²) / n̄. A law that misses the means by more than 25 % (root mean square) foresees
nothing.

The intervals know the seeds and this misfit only; `held_out_check` tries them.
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from scipy import stats

from saddle.theory.power_law import Number, PowerLaw, Undetermined, Values, fit_power_law

__all__ = ["Forecast", "forecast"]

DRAWS = 4000
POOR_FIT = 0.25
"As in a sweep's report: a law farther than this from the means (relative root mean square) is none."
SIGNIFICANT = 0.05


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """A fitted law with the runs' own spread about it."""

    law: PowerLaw
    residuals: Float[np.ndarray, "n"] | None
    "Residuals of the runs about their width's mean, inflated by √(n/(n−1)); None with one seed a width."
    relative: bool
    "Whether `residuals` are logarithms; else they are in units of the values."
    misfit: float = 0.0
    "τ: how far the means lie from the law beyond what the seeds explain; 0 where that is not significant."
    misfit_p: float | None = None
    "p of the lack of fit; None with three widths or one seed, which cannot tell."

    @property
    def spread(self) -> float | None:
        """Return the standard deviation of one run about its width's mean (relative where `relative`)."""
        return None if self.residuals is None else float(np.sqrt(np.mean(self.residuals**2)))

    def mean(self, width: Values, level: Number = 0.95) -> Float[np.ndarray, "2 n"] | None:
        """Return the interval of the mean over seeds at the widths; None with one seed a width."""
        curves = self.curves(width)
        return None if curves is None else self._widened(curves, self.law(width), level)

    def runs(self, width: Values, *, count: int = 1, level: Number = 0.95) -> Float[np.ndarray, "2 n"] | None:
        """Return the interval in which the mean of `count` new runs will lie; None with one seed a width."""
        curves = self.curves(width, DRAWS // 1000)
        if curves is None or self.residuals is None:
            return None
        generator = np.random.default_rng(1)
        drawn = generator.choice(self.residuals, size=(*curves.shape, count))
        if self.relative:
            new = curves * (np.exp(drawn) / np.mean(np.exp(self.residuals))).mean(axis=2)
        else:
            new = curves + drawn.mean(axis=2)
        return self._widened(new, self.law(width), level)

    def curves(self, width: Values, times: int = 1) -> Float[np.ndarray, "rows n"] | None:
        """Return the resampled laws, `times` times over, each off by its own misfit at every width.

        The width may be infinite, where the law is its limit a. None with one seed a width.
        """
        curves = self.law.curves(width)
        if curves is None:
            return None
        curves = np.tile(curves, (times, 1))
        if self.misfit == 0:
            return curves
        off = self.misfit * np.random.default_rng(3).normal(size=curves.shape)
        return curves * np.exp(off) if self.relative else curves + off

    def _widened(self, draws: np.ndarray, centre: np.ndarray, level: Number) -> Float[np.ndarray, "2 n"]:
        tails = [(1 - level) / 2, (1 + level) / 2]
        ends = np.quantile(draws, tails, axis=0)
        factor = float(stats.t.ppf(tails[1], max(self.law.freedom, 1)) / stats.norm.ppf(tails[1]))
        if np.all(ends > 0) and np.all(centre > 0):
            return centre * (ends / centre) ** factor
        return centre + factor * (ends - centre)


def forecast(width: Values, value: Values, *, seeds: Values | None = None) -> Forecast | Undetermined:
    """Fit the law to one value a (width, seed) and return what it foresees, or a sentence that says why it cannot.

    `Undetermined`: fewer than three widths; values that do not fall with width; an exponent at the limit of the
    search (the fall is so slow that it has no limit in sight, or all of it comes before the second width). With
    one seed a width there is a forecast without intervals. Also `Undetermined`: a law too far from the means.

    Raises:
        UserError: see `fit_power_law`.
    """
    law = fit_power_law(width, value, seeds=seeds)
    if not isinstance(law, PowerLaw):
        return law
    if law.at_limit:
        why = (
            "the values fall so slowly that no limit is in sight"
            if law.c < 1
            else "nearly all of the fall lies between the two smallest widths"
        )
        return Undetermined(
            reason=f"The fitted exponent c = {law.c:.2g} is at the limit of its search: {why}, so the law "
            "cannot say what other widths would give.",
            dropped=law.dropped,
        )
    if law.error > POOR_FIT:
        return Undetermined(
            reason=f"The best law misses the means of the widths by {100 * law.error:.0f}\u00a0% (root mean square), so "
            "it cannot say what other widths would give.",
            dropped=law.dropped,
        )
    k, y = np.asarray(width, dtype=float), np.asarray(value, dtype=float)
    residuals, relative = _residuals(k, y)
    misfit, p = _misfit(law, k, y, residuals, relative)
    return Forecast(law=law, residuals=residuals, relative=relative, misfit=misfit, misfit_p=p)


def _misfit(
    law: PowerLaw, k: np.ndarray, y: np.ndarray, residuals: np.ndarray | None, relative: bool
) -> tuple[float, float | None]:
    """Return τ and p of the F test of the lack of fit."""
    free, own = len(law.widths) - 3, sum(law.counts) - len(law.widths)
    if residuals is None or free < 1 or own < 1:
        return 0.0, None
    means = np.array([y[np.isfinite(y) & (k == each)].mean() for each in law.widths])
    at = law(law.widths)
    off = np.log(means / at) if relative else means - at
    between = float(np.sum(np.array(law.counts) * off**2) / free)
    within = float(np.mean(residuals**2))
    p = float(stats.f.sf(between / within, free, own)) if within > 0 else 1.0
    if p >= SIGNIFICANT:
        return 0.0, p
    return math.sqrt((between - within) / float(np.mean(law.counts))), p


def _residuals(k: np.ndarray, y: np.ndarray) -> tuple[np.ndarray | None, bool]:
    k, y = k[np.isfinite(y)], y[np.isfinite(y)]
    relative = bool(np.all(y > 0))
    y = np.log(y) if relative else y
    groups = [y[k == each] for each in np.unique(k)]
    apart = [(g - g.mean()) * math.sqrt(len(g) / (len(g) - 1)) for g in groups if len(g) > 1]
    return (np.concatenate(apart) if apart else None), relative
