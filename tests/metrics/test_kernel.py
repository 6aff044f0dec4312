"""Facts of the kernel distance."""

import pytest
import torch

from saddle.metrics import kernel_distance, pairs
from saddle.testing.metric import check_metric


def normal(n, d, seed, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_kernel_keeps_the_promises_of_a_metric():
    check_metric(lambda x, y: kernel_distance(x, y).value, better="lower", symmetric=True)


def naive(x, y):
    """The three sums as loops, in Python's own arithmetic."""
    x, y = x.tolist(), y.tolist()

    def k(a, b):
        return (sum(p * q for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    def within(z):
        return sum(k(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j) / (
            len(z) * (len(z) - 1)
        )

    return within(x) + within(y) - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


@pytest.mark.parametrize("cells", [1, 50, 1 << 22])
def test_kernel_is_the_triple_loop_for_any_block(monkeypatch, cells):
    monkeypatch.setattr(pairs, "CELLS", cells)
    x, y = normal(23, 5, 1, 0.5), normal(17, 5, 2)
    assert kernel_distance(x, y).value == pytest.approx(naive(x, y), rel=1e-11)


def test_kernel_agrees_with_torchmetrics():
    peer = pytest.importorskip("torchmetrics.image.kid")
    x, y = normal(60, 16, 1, 0.3), normal(60, 16, 2)
    assert kernel_distance(x, y).value == pytest.approx(float(peer.poly_mmd(x, y)), rel=1e-10)


def test_the_standard_error_is_the_jackknife():
    # Leave each image out and recompute: the row sums must give the same.
    x, y = normal(12, 3, 1, 0.5), normal(9, 3, 2)
    variance = 0.0
    for real in (True, False):
        n = len(x) if real else len(y)
        left = []
        for i in range(n):
            keep = torch.arange(n) != i
            left.append(kernel_distance(x[keep], y).value if real else kernel_distance(x, y[keep]).value)
        mean = sum(left) / n
        variance += (n - 1) / n * sum((t - mean) ** 2 for t in left)
    assert kernel_distance(x, y).standard_error == pytest.approx(variance**0.5, rel=1e-9)


def test_the_standard_error_is_the_spread_over_repetitions_and_the_mean_is_unbiased():
    # x ~ N(0, 1), y ~ N(s, 1), d = 1: E k = E (xy + 1)³ = E x³ E y³ + 3 E x² E y² + 3 E x E y + 1, independent pairs.
    s = 0.5
    second, third = 1 + s**2, s**3 + 3 * s
    expected = (3 + 1) + (third**2 + 3 * second**2 + 3 * s**2 + 1) - 2 * (3 * second + 1)
    drawn = [kernel_distance(normal(150, 1, 2 * i), normal(100, 1, 2 * i + 1, s)) for i in range(300)]
    values = torch.tensor([r.value for r in drawn])
    spread = float(values.std())
    # 300 repetitions: the mean is known to spread/√300, its spread to about 1/√600 = 4 % and more with heavy tails.
    assert float(values.mean()) == pytest.approx(expected, abs=3 * spread / 300**0.5)
    errors = torch.tensor([r.standard_error for r in drawn])
    assert float(errors.square().mean()) ** 0.5 == pytest.approx(spread, rel=0.2)


def test_equal_distributions_give_both_signs():
    values = [kernel_distance(normal(50, 4, 2 * i), normal(50, 4, 2 * i + 1)).value for i in range(20)]
    assert min(values) < 0 < max(values)
