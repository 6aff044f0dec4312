"""Facts of nearest neighbours and of the memorisation score."""

from math import sqrt

import pytest
import torch
from scipy.stats import mannwhitneyu

from saddle.errors import UserError
from saddle.metrics import nearest, pairs
from saddle.metrics.memorisation import copying_score, memorisation


def normal(n, d, seed, scale=1.0):
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("cells", [1, 300, 1 << 22])
@pytest.mark.parametrize("k", [1, 4])
def test_the_blocks_give_what_the_definition_gives(monkeypatch, cells, k):
    monkeypatch.setattr(pairs, "CELLS", cells)
    monkeypatch.setattr("saddle.metrics.neighbours.CELLS", cells)
    fake, train = normal(23, 3, 0), normal(40, 3, 1)
    indices, distances = nearest(fake, train, k)
    ordered, order = (fake[:, None] - train[None]).norm(dim=2).sort(dim=1)
    assert torch.equal(indices, order[:, :k])
    assert torch.allclose(distances, ordered[:, :k], rtol=1e-14)


def test_copies_far_from_the_origin_are_at_exactly_zero():
    # |x|² + |y|² - 2x·y would leave 1e8² ε ≈ 2 here.
    train = normal(50, 4, 0) + 1e8
    indices, distances = nearest(train[10:20], train, 1)
    assert indices[:, 0].tolist() == list(range(10, 20))
    assert not distances.any()


def test_of_repeated_images_the_first_is_named():
    train = torch.tensor([[5.0], [1.0], [1.0], [0.0]])
    indices, distances = nearest(torch.tensor([[1.0]]), train, 3)
    assert indices.tolist() == [[1, 2, 3]]
    assert distances.tolist() == [[0.0, 0.0, 1.0]]


def test_the_score_is_the_mann_whitney_test_of_scipy():
    # Rounded, so that there are ties; SciPy's p-value without continuity correction is that of our Z.
    fake, test = normal(30, 1, 0)[:, 0].mul(4).round(), normal(41, 1, 1)[:, 0].mul(4).add(1).round()
    z, closer = copying_score(fake, test)
    peer = mannwhitneyu(fake, test, use_continuity=False, method="asymptotic", alternative="less")
    assert peer.pvalue == pytest.approx(
        0.5 * (1 + float(torch.erf(torch.tensor(z / sqrt(2)).double()))), rel=1e-5
    )
    assert closer == pytest.approx(1 - peer.statistic / (30 * 41))
    assert copying_score(test, fake)[0] == pytest.approx(-z)


def test_exact_copies_are_found():
    # All m distances are 0 and below all t others: U = 0. With ties among the fakes Var U = mt/12 (n + 1 - (m³ - m)/n(n-1)).
    train, test = normal(200, 5, 0), normal(60, 5, 1)
    fake = train[torch.randint(200, (80,), generator=torch.Generator().manual_seed(2))]
    found = memorisation(fake, train, test)
    m, t, n = 80, 60, 140
    variance = m * t / 12 * (n + 1 - (m**3 - m) / (n * (n - 1)))
    assert found.score == pytest.approx(-m * t / 2 / sqrt(variance))
    assert found.copied
    assert (found.closer, found.unauthentic, found.copies) == (1.0, 1.0, 1.0)
    assert found.unauthentic_interval[1] == pytest.approx(1.0)
    assert found.unauthentic_test < 0.6
    assert found.closer_interval == pytest.approx((1.0, 1.0))


def test_the_same_distribution_gives_a_standard_normal_score():
    # Under the null Z → N(0, 1) given independent distances; those to one training set are independent given that set.
    scores = torch.tensor([
        memorisation(normal(50, 3, 3 * i), normal(60, 3, 3 * i + 1), normal(50, 3, 3 * i + 2), resamples=1).score
        for i in range(100)
    ])  # fmt: skip
    assert abs(float(scores.mean())) < 3.5 / sqrt(100)
    assert float(scores.std()) == pytest.approx(1, abs=3.5 / sqrt(2 * 100))


def test_the_score_rises_with_the_distance_from_the_training_set():
    train, test, fresh = normal(150, 4, 0), normal(100, 4, 1), normal(100, 4, 2)
    near = train[:100] + normal(100, 4, 3, 0.05)
    far = 3 * fresh
    copied, fair, noisy = (memorisation(each, train, test) for each in (near, fresh, far))
    assert copied.score < -5 < fair.score < 3.5 < noisy.score
    assert copied.unauthentic > 0.95 > fair.unauthentic > noisy.unauthentic
    assert copied.closer > 0.95 > 0.6 > fair.closer > 0.4 > noisy.closer
    assert copied.copies == 0
    for each in (copied, fair, noisy):
        assert each.closer_interval[0] - 1e-12 <= each.closer <= each.closer_interval[1] + 1e-12
        assert each.unauthentic_interval[0] <= each.unauthentic <= each.unauthentic_interval[1]
    # Z = (1/2 - closer) · mt / √(mt(m + t + 1)/12), so about fair samples the interval is 2 · 1.96 √(201/12)/100 wide.
    assert fair.closer_interval[1] - fair.closer_interval[0] == pytest.approx(0.160, rel=0.2)
    assert memorisation(fresh, train, test) == fair


def test_held_out_images_in_the_place_of_fakes_are_as_authentic_as_themselves():
    train, test = normal(80, 3, 0), normal(50, 3, 1)
    found = memorisation(test, train, test)
    assert (found.score, found.closer) == (0.0, 0.5)
    assert found.unauthentic == found.unauthentic_test


def test_copies_of_repeated_training_images_count():
    # The gap of a repeated image is 0, and so is the copy's distance: not farther, so not authentic.
    train = normal(20, 3, 0).repeat(2, 1)
    assert memorisation(train[:5], train, normal(30, 3, 1)).unauthentic == 1.0


def test_what_a_user_can_get_wrong_is_said():
    with pytest.raises(UserError, match="9 neighbours cannot be found among 4 images"):
        nearest(normal(5, 2, 0), normal(4, 2, 1), 9)
    with pytest.raises(UserError, match="different extractors"):
        memorisation(normal(5, 2, 0), normal(5, 2, 1), normal(5, 3, 2))
    with pytest.raises(UserError, match="NaN"):
        memorisation(normal(5, 2, 0) * float("nan"), normal(5, 2, 1), normal(5, 2, 2))
    with pytest.raises(UserError, match="resamples is 0"):
        memorisation(normal(5, 2, 0), normal(5, 2, 1), normal(5, 2, 2), resamples=0)
