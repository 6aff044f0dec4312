"""Conformance of a metric: what every number that compares two sets of features must obey."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from saddle.errors import UserError

__all__ = ["check_metric"]

Metric = Callable[[Tensor, Tensor], float]


def check_metric(
    metric: Metric,
    *,
    better: Literal["lower", "higher"],
    symmetric: bool = False,
    identical: float | None = None,
    dim: int = 6,
    count: int = 80,
    seed: int = 0,
) -> None:
    """Hold `metric(real, fake)`, on (n, d) features, to what a metric promises.

    Held to: a plain finite float; the same number each time, and for images or features in another order; different
    n on both sides; inputs left alone; UserError for NaN, for unequal numbers of features and for a single image; worse, never better, as the fakes move away (strictly from
    nearest to farthest), in the direction `better`. With `symmetric`, exchanging the sides changes nothing; with
    `identical`, that is the value of a set against itself.

    Raises AssertionError with a sentence that says which promise broke.
    """
    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    fake = 0.8 * torch.randn(count + 7, dim, generator=generator, dtype=torch.float64) + 0.1
    value = metric(real, fake)
    assert type(value) is float and math.isfinite(value), f"{value!r} is not a plain finite float"
    before = real.clone(), fake.clone()
    assert metric(real, fake) == value, "the second call gives another number"
    assert torch.equal(real, before[0]) and torch.equal(fake, before[1]), "the features were changed in place"

    def same(name: str, other: float, expected: float = value) -> None:
        assert math.isclose(other, expected, rel_tol=1e-9, abs_tol=1e-9), f"{name}: {other} is not {expected}"

    rows = torch.randperm(count, generator=generator), torch.randperm(count + 7, generator=generator)
    same("images in another order", metric(real[rows[0]], fake[rows[1]]))
    axes = torch.randperm(dim, generator=generator)
    same("features in another order", metric(real[:, axes], fake[:, axes]))
    if symmetric:
        same("the sides exchanged", metric(fake, real))
    if identical is not None:
        same("a set against itself", metric(real, real), identical)
    _check_refusals(metric, real, fake)
    sign = 1 if better == "lower" else -1
    away = [sign * metric(real, real[rows[0]] + 0.05 + shift) for shift in (0.0, 1.0, 2.0, 4.0, 8.0)]
    assert all(far >= near for near, far in pairwise(away)), f"moving the fakes away makes it better: {away}"
    assert away[-1] > away[0], f"moving the fakes away changes nothing: {away}"


def _check_refusals(metric: Metric, real: Tensor, fake: Tensor) -> None:
    """NaN, unequal features and a single image must be refused with a UserError, on either side."""
    holed = real.clone()
    holed[3, 1] = math.nan
    refused = {
        "NaN among the real features": (holed, fake),
        "NaN among the fake features": (fake, holed),
        "unequal numbers of features": (real, fake[:, 1:]),
        "a single real image": (real[:1], fake),
        "a single fake image": (real, fake[:1]),
    }
    for name, (x, y) in refused.items():
        try:
            metric(x, y)
        except UserError:
            continue
        raise AssertionError(f"{name} must raise a UserError")
