"""The cached real side gives the plain functions' numbers, for less."""

import pytest
import torch

from saddle.errors import UserError
from saddle.metrics import (
    METRICS,
    Reference,
    frechet_distance,
    kernel_distance,
    pairs,
    precision_recall_density_coverage,
    reference,
)


def normal(n, d, seed, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + shift


@pytest.mark.parametrize("cells", [700, 1 << 22])
@pytest.mark.parametrize("m", [150, 20])
def test_reference_gives_the_plain_functions_numbers(monkeypatch, cells, m):
    monkeypatch.setattr(pairs, "CELLS", cells)
    real, fake = normal(120, 30, 1), normal(m, 30, 2, 0.2)
    scores, kernel = Reference(real, name="random").scores_with_error(fake)
    assert list(scores) == [info.key for info in METRICS]
    assert scores["frechet"] == frechet_distance(real, fake)
    assert kernel.value == scores["kernel"] == pytest.approx(kernel_distance(real, fake).value, rel=1e-12)
    assert kernel.standard_error == pytest.approx(kernel_distance(real, fake).standard_error, rel=1e-12)
    near = precision_recall_density_coverage(real, fake)
    assert {key: scores[key] for key in vars(near)} == vars(near)
    assert all(type(value) is float for value in scores.values())


def test_the_real_side_is_worked_on_once(monkeypatch):
    # Three sweeps over pairs for the first fakes (real-real, fake-fake, real-fake), two for all later ones.
    swept = []
    original = pairs.sweep
    monkeypatch.setattr(
        reference, "sweep", lambda a, b, *v: (swept.append((a.count, b.count)), original(a, b, *v))[1]
    )
    kept = Reference(normal(60, 8, 1))
    first = kept.scores(normal(50, 8, 2))
    assert swept == [(60, 60), (50, 50), (60, 50)]
    assert kept.scores(normal(50, 8, 2)) == first
    assert swept[3:] == [(50, 50), (60, 50)]
    assert "lower" in vars(kept._gaussian) and "_moments" in vars(kept._gaussian)


def test_the_floor_is_better_than_a_shifted_generator():
    kept = Reference(normal(300, 8, 1))
    floor, shifted = kept.scores(normal(300, 8, 2)), kept.scores(normal(300, 8, 3, 1.0))
    for info in METRICS:
        sign = 1 if info.better == "lower" else -1
        assert sign * floor[info.key] < sign * shifted[info.key], info.key


def test_a_reference_says_what_it_holds():
    kept = Reference(normal(60, 8, 1), name="random", neighbours=3)
    assert len(kept) == 60
    assert repr(kept) == "Reference(60 images, 8 features, name='random', neighbours=3)"


@pytest.mark.parametrize(("count", "neighbours"), [(2, 1), (5, 5), (5, 0)])
def test_a_reference_too_small_is_refused(count, neighbours):
    with pytest.raises(UserError):
        Reference(normal(count, 8, 1), neighbours=neighbours)
