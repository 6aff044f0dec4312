"""How a score falls with width: y = a + b·k^(−c), fitted, with intervals, and the width it recommends.

Problem solved. Seeds s at widths k gave values y_ks. Minimise over a ≥ 0, b ≥ 0 and 0.01 ≤ c ≤ 10

    Σ_k Σ_s ((y_ks − a − b·k^(−c)) / m_k)²,    m_k = the median over the seeds at width k,

so errors count relative to the level of their width: the spread of a Fréchet distance over seeds grows with the
distance. Dividing by each value itself would favour low values, and a logarithm of a residual would no longer be
linear in a and b. (Where a median is not positive, as an unbiased kernel distance may be, all m_k = 1.)

Algorithm. Variable projection (Golub and Pereyra 1973): for a fixed c the best (a, b) is a weighted straight line
in k^(−c) with two sign constraints, in closed form; what remains is one number c, found on a logarithmic grid and
refined by golden sections. Sums over the seeds of a width enter through their mean only, so a bootstrap resample
is one row of means, and a thousand rows are fitted at once.

Pairing. A seed draws the same images and noise at every width, so its runs may be lucky together. Where the same
five or more `seeds` stand at every width they are resampled jointly, which needs no assumption about that. Fewer have
too few resamples (three seeds: ten), so the deviations of all widths, relative to m_k, are pooled and resampled as if
runs were independent. Without `seeds` each width resamples its own.

A fit needs three distinct widths, and values that fall; otherwise the result is `Undetermined`, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float, Real

from saddle.errors import UserError

__all__ = ["PowerLaw", "Recommendation", "Undetermined", "fit_power_law", "recommend"]

Number = float | int
Values = Sequence[Number] | Real[np.ndarray, "n"]
EXPONENTS = np.geomspace(0.01, 10.0, 121)
GOLDEN = (5**0.5 - 1) / 2
PAIRED_FROM = 5
"Seeds from which joint resamples are many enough: five have 126, three have ten."
Mode = Literal["paired", "pooled", "within"]


@final
@dataclass(frozen=True, kw_only=True)
class Undetermined:
    """No law: the values cannot decide one. False in a condition."""

    reason: str
    "One sentence for a reader."
    dropped: int = 0
    "Values that were left out because they are not finite."

    def __bool__(self) -> Literal[False]:
        return False


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PowerLaw:
    """A fitted law y(k) = a + b·k^(−c). `a` is the limit of infinite width."""

    a: float
    b: float
    c: float
    widths: tuple[float, ...]
    "The distinct widths that were fitted, ascending."
    counts: tuple[int, ...]
    "Seeds used at each width."
    dropped: int
    "Values that were left out because they are not finite (diverged seeds)."
    error: float
    "Root mean square of the relative residuals of the widths' means; 0 by construction with three widths and a > 0."
    at_limit: bool
    "Whether c sits on the limit of the search, where the values do not determine it."
    draws: Float[np.ndarray, "resamples 3"] | None
    "(a, b, c) of every bootstrap resample, with b = 0 where the resample does not fall; None with one seed a width."
    paired: bool = False
    "Whether the resamples take the same seeds at every width."
    freedom: int = 0
    "Degrees of freedom behind the resamples' spread: n − 1 paired, Σ(n_k − 1) pooled; 0 with one seed a width."

    def __call__(self, width: Values | Number) -> Float[np.ndarray, "..."]:
        """Return y at `width`."""
        return np.asarray(self.a + self.b * np.asarray(width, dtype=float) ** -self.c)

    @property
    def flat_share(self) -> float:
        """Share of the bootstrap resamples in which the values do not fall with width at all."""
        return 0.0 if self.draws is None else float(np.mean(self.draws[:, 1] == 0))

    def interval(self, name: Literal["a", "b", "c"], level: Number = 0.95) -> tuple[float, float] | None:
        """Return the percentile interval of a parameter (of c: among the resamples that fall), or None."""
        if self.draws is None:
            return None
        column = self.draws[:, "abc".index(name)]
        if name == "c":
            column = column[self.draws[:, 1] > 0]
        return _percentiles(column, level)

    def curves(self, width: Values) -> Float[np.ndarray, "resamples n"] | None:
        """Return every resample's law at the widths."""
        if self.draws is None:
            return None
        a, b, c = self.draws.T[:, :, None]
        return a + b * np.asarray(width, dtype=float)[None] ** -c

    def band(
        self, width: Values, level: Number = 0.95
    ) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]] | None:
        """Return the pointwise percentile band of the law at the widths, or None."""
        curves = self.curves(width)
        if curves is None:
            return None
        low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high


@final
@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A width chosen by a law, and how sure the seeds make it."""

    width: float
    value: float
    "What the law predicts there."
    best: float
    "The best (lowest) value that the law predicts among the affordable candidates."
    interval: tuple[float, float] | None
    "Widths that hold 95 % of the bootstrap's choices; None with one seed a width."
    agreement: float | None
    "Share of the bootstrap resamples that choose this very width."
    tolerance: float
    budget: float | None
    at_edge: bool
    "Whether it is the largest width measured: then a wider one may be better still, and the values cannot say."
    extrapolated: bool
    "Whether it lies outside the measured widths."


def fit_power_law(
    width: Values, value: Values, *, seeds: Values | None = None, resamples: int = 1000, seed: int = 0
) -> PowerLaw | Undetermined:
    """Fit y = a + b·k^(−c) to one value a (width, seed); see the module for the problem and the algorithm.

    The bootstrap resamples the seeds within each width. Deviations from a width's mean are scaled by
    √(n / (n − 1)), without which a resampled mean of n seeds would vary too little (Davison and Hinkley 1997,
    section 2.3: n = 3 would lose a third of the variance). A width with one seed borrows the relative deviations
    of all the others.

    Args:
        width: k of every value; the same k stands once for each seed.
        value: what was measured; values that are not finite are left out and counted.
        seeds: the seed of every value: where all widths have the same five or more (of finite value), they are
            resampled together; with fewer than five anywhere the deviations are pooled over the widths.
        resamples: bootstrap resamples; 0 for none.
        seed: of the resampling.

    Raises:
        UserError: a width is not positive, or there are not as many values as widths.
    """
    k, y = np.asarray(width, dtype=float), np.asarray(value, dtype=float)
    if k.shape != y.shape or k.ndim != 1:
        raise UserError(
            f"A law is fitted to one value a width, but there are {k.size} widths and {y.size} values."
        )
    labels = None if seeds is None else np.asarray(seeds)
    if labels is not None and labels.shape != k.shape:
        raise UserError(f"Every value needs its seed, but there are {k.size} values and {labels.size} seeds.")
    if np.any(~(k > 0)):
        raise UserError(f"A width must be positive, but one is {k[~(k > 0)][0]:g}.")
    finite = np.isfinite(y)
    dropped = int(np.sum(~finite))
    k, y = k[finite], y[finite]
    widths = np.unique(k)
    if len(widths) < 3:
        return Undetermined(
            reason=f"A law a + b·k^(−c) needs at least 3 widths; {len(widths)} gave a finite value.",
            dropped=dropped,
        )
    groups = [y[k == each] for each in widths]
    counts = np.array([len(group) for group in groups])
    medians = np.array([np.median(group) for group in groups])
    scale = medians if np.all(medians > 0) else np.ones_like(medians)
    means = np.array([group.mean() for group in groups])
    log_width = np.log(widths / np.exp(np.mean(np.log(widths))))
    weights = counts / scale**2
    solution = _solve(log_width, weights, means[None])[0]
    # A slope that rounding alone makes is no fall.
    if solution[1] * np.ptp(np.exp(-solution[2] * log_width)) <= 1e-12 * np.max(np.abs(means)):
        rises = means[-1] > means[0] * (1 + 1e-12)
        how = "rise with width" if rises else "do not fall with width"
        return Undetermined(
            reason=f"The values {how}, so no law with b > 0 and c > 0 describes them.", dropped=dropped
        )
    mode: Mode = "within"
    if labels is not None and counts.min() < PAIRED_FROM:
        mode = "pooled"
    elif labels is not None and _same_seeds(labels[finite], k, widths):
        mode = "paired"
        groups = [
            group[np.argsort(labels[finite][k == each])] for group, each in zip(groups, widths, strict=True)
        ]
    draws = None
    if resamples and np.any(counts > 1):
        resampled = _resampled_means(groups, scale, resamples, np.random.default_rng(seed), mode)
        draws = _in_units_of_width(_solve(log_width, weights, resampled), widths)
    (a, b, c) = _in_units_of_width(solution[None], widths)[0]
    residual = (means - a - b * widths**-c) / scale
    return PowerLaw(
        a=float(a),
        b=float(b),
        c=float(c),
        widths=tuple(widths.tolist()),
        counts=tuple(counts.tolist()),
        dropped=dropped,
        error=float(np.sqrt(np.mean(residual**2))),
        at_limit=bool(c <= EXPONENTS[1] or c >= EXPONENTS[-2]),
        draws=draws,
        paired=mode == "paired",
        freedom=int(counts[0] - 1 if mode == "paired" else np.sum(counts - 1)),
    )


def recommend(
    law: PowerLaw,
    widths: Values,
    *,
    tolerance: Number = 0.05,
    cost: Mapping[int, Number] | Mapping[float, Number] | None = None,
    budget: Number | None = None,
) -> Recommendation:
    """Choose among `widths` by the law.

    Without a budget: the smallest width whose predicted value is at most (1 + tolerance) times the best prediction
    among the candidates. With one: the width of the best prediction among those that cost at most `budget`. The
    law is asked at the candidates only; one outside the measured widths is marked as extrapolated.

    Raises:
        UserError: no candidate is affordable, or a budget came without costs.
    """
    candidates = np.unique(np.asarray(widths, dtype=float))
    if budget is not None:
        if cost is None:
            raise UserError(f"A budget of {budget:g} needs the cost of every width; pass cost.")
        prices = {float(k): each for k, each in cost.items()}
        price = np.array([prices[each] for each in candidates.tolist()])
        if not np.any(price <= budget):
            cheapest = int(np.argmin(price))
            raise UserError(
                f"No width costs at most {budget:g}; the cheapest is {candidates[cheapest]:g}, "
                f"which costs {price[cheapest]:g}. Raise the budget or add a smaller width."
            )
        candidates = candidates[price <= budget]
    limit = 1 + tolerance if budget is None else 1.0
    predicted = law(candidates)
    chosen = int(_choices(predicted[None], limit)[0])
    curves = law.curves(candidates)
    interval = agreement = None
    if curves is not None:
        choices = candidates[_choices(curves, limit)]
        low, high = np.quantile(choices, [0.025, 0.975], method="closest_observation")
        interval, agreement = (float(low), float(high)), float(np.mean(choices == candidates[chosen]))
    width = float(candidates[chosen])
    return Recommendation(
        width=width,
        value=float(predicted[chosen]),
        best=float(predicted.min()),
        interval=interval,
        agreement=agreement,
        tolerance=float(tolerance),
        budget=None if budget is None else float(budget),
        at_edge=width >= max(law.widths),
        extrapolated=not min(law.widths) <= width <= max(law.widths),
    )


def _choices(curves: Float[np.ndarray, "rows n"], limit: Number) -> np.ndarray:
    """Return, a row, the first column within `limit` times the row's best."""
    best = curves.min(axis=1, keepdims=True)
    return np.argmax(curves <= best + (limit - 1) * np.abs(best), axis=1)


def _solve(
    log_width: Float[np.ndarray, "k"], weights: Float[np.ndarray, "k"], means: Float[np.ndarray, "rows k"]
) -> Float[np.ndarray, "rows 3"]:
    """Return the best (a, b, log c → c) of every row of means; the width is in units of the geometric mean."""

    def project(c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a, b and the weighted sum of squares for exponents of shape (rows, any)."""
        x = np.exp(-c[..., None] * log_width)
        y = means[:, None, :]
        total = weights.sum()
        x_mean, y_mean = (x @ weights) / total, (y @ weights) / total
        centred = x - x_mean[..., None]
        b = ((centred * y) @ weights) / ((centred * centred) @ weights)
        a = y_mean - b * x_mean
        through_zero = ((x * y) @ weights) / ((x * x) @ weights)
        b = np.where(a < 0, through_zero, b)
        flat = b <= 0
        a = np.where(flat, np.maximum(y_mean, 0), np.where(a < 0, 0.0, a))
        b = np.where(flat, 0.0, b)
        squares = ((y - a[..., None] - b[..., None] * x) ** 2) @ weights
        return a, b, squares

    best = np.argmin(project(EXPONENTS[None])[2], axis=1)
    low = np.log(EXPONENTS[np.maximum(best - 1, 0)])
    high = np.log(EXPONENTS[np.minimum(best + 1, len(EXPONENTS) - 1)])
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = project(np.exp(np.stack([left, right], axis=1)))[2].T
    for _ in range(60):
        keep_left = at_left <= at_right
        low, high = np.where(keep_left, low, left), np.where(keep_left, right, high)
        # One of the two inner points is an inner point of the smaller interval too.
        new = np.where(keep_left, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        at_new = project(np.exp(new[:, None]))[2][:, 0]
        left, right = np.where(keep_left, new, right), np.where(keep_left, left, new)
        at_left, at_right = np.where(keep_left, at_new, at_right), np.where(keep_left, at_left, at_new)
    c = np.exp((low + high) / 2)
    a, b, _ = project(c[:, None])
    return np.stack([a[:, 0], b[:, 0], c], axis=1)


def _in_units_of_width(
    solution: Float[np.ndarray, "rows 3"], widths: Float[np.ndarray, "k"]
) -> Float[np.ndarray, "rows 3"]:
    """Return (a, b, c) for the width itself: b·(k/k₀)^(−c) = (b·k₀^c)·k^(−c)."""
    a, b, c = solution.T
    return np.stack([a, b * np.exp(c * np.mean(np.log(widths))), c], axis=1)


def _same_seeds(labels: np.ndarray, k: np.ndarray, widths: np.ndarray) -> bool:
    """Whether the same seeds stand once at every width."""
    first = np.sort(labels[k == widths[0]])
    distinct = len(np.unique(first)) == len(first)
    return distinct and all(np.array_equal(np.sort(labels[k == each]), first) for each in widths)


def _resampled_means(
    groups: list[np.ndarray],
    scale: np.ndarray,
    resamples: int,
    generator: np.random.Generator,
    mode: Mode,
) -> Float[np.ndarray, "resamples k"]:
    """Return a row of widths' means for every resample of the seeds: jointly, from one pool, or within each width."""
    deviations = [
        (group - group.mean()) / size * np.sqrt(len(group) / max(len(group) - 1, 1))
        for group, size in zip(groups, scale, strict=True)
    ]
    if mode == "paired":
        by_seed = np.stack(deviations, axis=1)
        chosen = generator.integers(len(by_seed), size=(resamples, len(by_seed)))
        return np.array([group.mean() for group in groups]) + scale * by_seed[chosen].mean(axis=1)
    pooled = np.concatenate([each for each in deviations if len(each) > 1])
    columns = []
    for group, own, size in zip(groups, deviations, scale, strict=True):
        pool = own if len(own) > 1 and mode == "within" else pooled
        columns.append(
            group.mean() + size * generator.choice(pool, size=(resamples, len(group))).mean(axis=1)
        )
    return np.stack(columns, axis=1)


def _percentiles(column: np.ndarray, level: float) -> tuple[float, float] | None:
    if not len(column):
        return None
    low, high = np.quantile(column, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
