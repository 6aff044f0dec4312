"""Facts of precision, recall, density and coverage."""

import pytest
import torch

from saddle.errors import UserError
from saddle.metrics import expected_coverage, pairs
from saddle.metrics import precision_recall_density_coverage as prdc
from saddle.metrics.pairs import Points, sweep
from saddle.metrics.prdc import NeighbourRadii
from saddle.testing.metric import check_metric


def normal(n, d, seed, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


@pytest.mark.parametrize(
    ("name", "identical"), [("precision", 1.0), ("recall", 1.0), ("density", 6 / 5), ("coverage", 1.0)]
)
def test_each_keeps_the_promises_of_a_metric(name, identical):
    check_metric(lambda x, y: getattr(prdc(x, y), name), better="higher", identical=identical)


def naive(x, y, k):
    """The definitions with the whole distance matrices."""

    def distances(a, b):
        return (a[:, None] - b[None]).norm(dim=2)

    def radii(a):
        return distances(a, a).sort(dim=1).values[:, k]

    cross = distances(x, y)
    in_real, in_fake = cross <= radii(x)[:, None], cross <= radii(y)[None]
    return {
        "precision": float(in_real.any(0).double().mean()),
        "recall": float(in_fake.any(1).double().mean()),
        "density": float(in_real.double().sum() / (k * len(y))),
        "coverage": float(in_real.any(1).double().mean()),
    }


@pytest.mark.parametrize("cells", [1, 500, 1 << 22])
@pytest.mark.parametrize("k", [1, 5])
def test_the_blocks_give_what_the_definition_gives(monkeypatch, cells, k):
    monkeypatch.setattr(pairs, "CELLS", cells)
    x, y = normal(90, 4, 1), 0.7 * normal(70, 4, 2, 0.3)
    assert vars(prdc(x, y, k)) == naive(x, y, k)


def test_precision_and_recall_exchange_with_the_sides():
    x, y = normal(80, 3, 1), 0.5 * normal(60, 3, 2)
    assert prdc(x, y).precision == prdc(y, x).recall
    assert prdc(x, y).precision > prdc(x, y).recall


def test_dropping_modes_costs_recall_and_coverage_but_not_precision():
    # Ten far clusters, and a generator that makes five of them.
    centres = 100 * torch.eye(10, dtype=torch.float64).repeat(60, 1)
    real, full = normal(600, 10, 1) + centres, normal(600, 10, 2) + centres
    dropped = normal(600, 10, 3) + centres[:, :].roll(0, 1)[torch.arange(600) % 5]
    whole, half = prdc(real, full), prdc(real, dropped)
    assert half.precision > whole.precision - 0.05
    assert half.recall < 0.55 * whole.recall
    assert half.coverage < 0.55


def test_noise_costs_precision_and_density():
    real, good = normal(400, 6, 1), normal(400, 6, 2)
    noisy = torch.cat([good[:200], 10 * normal(200, 6, 3)])
    assert prdc(real, noisy).precision < 0.6 * prdc(real, good).precision + 0.02
    assert prdc(real, noisy).density < 0.6 * prdc(real, good).density + 0.02


def test_a_real_outlier_inflates_precision_but_hardly_density():
    # Naeem et al. 2020, figure 2: the ball of one real outlier swallows fakes that lie nowhere near the data.
    real = torch.cat([normal(300, 4, 1), torch.full((1, 4), 10.0, dtype=torch.float64)])
    fake = normal(300, 4, 2, 9.0)
    scores = prdc(real, fake)
    assert scores.precision > 0.9
    assert scores.density < 0.3


@pytest.mark.parametrize(("n", "m", "k"), [(40, 40, 3), (40, 25, 5)])
def test_coverage_of_equal_distributions_has_its_closed_form(n, m, k):
    draws = torch.tensor([prdc(normal(n, 3, 2 * i), normal(m, 3, 2 * i + 1), k).coverage for i in range(200)])
    error = float(draws.std()) / 200**0.5
    assert float(draws.mean()) == pytest.approx(expected_coverage(n, m, k), abs=3 * error)


def test_expected_coverage_is_the_published_form_for_equal_sizes():
    # Naeem et al. 2020, lemma 2: 1 - (n-1)…(n-k) / ((2n-1)…(2n-k)); and 1 - 2^-k for many images.
    assert expected_coverage(4, 4, 2) == pytest.approx(1 - (3 * 2) / (7 * 6))
    assert expected_coverage(10**9, 10**9, 5) == pytest.approx(1 - 2**-5)


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e8])
def test_tight_clusters_far_from_the_origin_have_exact_neighbours(offset):
    # Points on a line at known gaps, in clusters offset apart: |x|² + |y|² - 2x·y would round these gaps away, but
    # the differences of such numbers are exact, so the radii are too. Gaps are powers of two at any offset.
    gaps = torch.tensor([0.0, 1.0, 3.0, 7.0, 15.0, 31.0], dtype=torch.float64) * 2**-8
    clusters = [gaps + offset, gaps - offset, gaps + 3 * offset]
    line = torch.cat(clusters)[:, None]
    expected = (line - line.T).abs().sort(dim=1).values[:, 2]
    points = Points(line, line.mean(dim=0))
    radii = NeighbourRadii(points, 2)
    sweep(points, points, radii)
    assert torch.equal(radii.values, expected)
    shifted = line + 2**-9
    assert vars(prdc(line, shifted, 2)) == naive(line, shifted, 2)


def test_many_tight_clusters_take_the_direct_route_and_agree():
    # 200 points within 1e-7 of each of two far centres: every row has more candidates than are gathered.
    x = torch.cat([1e-7 * normal(200, 8, 1) + 1e4, 1e-7 * normal(200, 8, 2) - 1e4])
    y = torch.cat([1e-7 * normal(100, 8, 3) + 1e4, 1e-7 * normal(100, 8, 4) - 1e4])
    assert vars(prdc(x, y)) == naive(x, y, 5)


def test_a_ball_contains_its_boundary():
    # Reals 0, 2, 4 and k = 1: radii 2. A fake at -2 lies on the boundary of 0's ball, one at -2.5 outside.
    real = torch.tensor([[0.0], [2.0], [4.0]])
    assert prdc(real, torch.tensor([[-2.0], [-2.5]]), 1).precision == 0.5
    # Copies of real images sit at bit-equal distances, so a set against itself is perfect, also with repeats.
    twice = normal(40, 5, 1).repeat(2, 1)
    scores = prdc(twice, twice.flip(0), 1)
    assert (scores.precision, scores.recall, scores.coverage) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("n", "m", "side"), [(5, 9, "5 real"), (9, 5, "5 fake")])
def test_more_neighbours_than_images_are_refused(n, m, side):
    with pytest.raises(UserError, match=f"5 neighbours cannot be found among {side} images"):
        prdc(normal(n, 3, 1), normal(m, 3, 2))
