"""What a user may give wrongly, and the sentence that says so."""

import numpy as np
import pytest
import torch

from saddle.errors import UserError
from saddle.transport import ChiSquareBall, CvarBall, balanced, problem, robust, transport_problem

X, Y = np.arange(10.0).reshape(5, 2), np.ones((3, 2))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"x": X, "y": Y}, "No ball is given"),
        ({"x": X, "y": Y, "rho": 0.1, "chi2": 0.2}, "rho and chi2 are given together"),
        ({"x": X, "y": Y, "rho": -0.1}, "The radius rho is -0.1"),
        ({"x": X, "y": Y, "rho": float("nan")}, "The radius rho is nan"),
        ({"x": X, "y": Y, "rho": 0.1, "a": [0.5, 0.5]}, "a has 2 masses for 5 samples"),
        ({"x": X, "y": Y, "rho": 0.1, "a": [0.5, 0.7, -0.2, 0, 0]}, "negative mass -0.2"),
        ({"x": X, "y": Y, "rho": 0.1, "b": [0.5, 0.5, 0.25]}, "b sum to 1.25"),
        ({"x": X, "y": Y[:0], "rho": 0.1}, "y is empty"),
        ({"x": X, "y": np.ones((3, 3)), "rho": 0.1}, "x have 2 coordinates and y have 3"),
        ({"x": np.where(X == 3, np.nan, X), "y": Y, "rho": 0.1}, r"x holds 1 values .* first at \(1, 1\)"),
        ({"x": X[:, 0], "y": Y, "rho": 0.1}, r"x has the shape \(5,\)"),
        ({"x": [["a"]], "y": Y, "rho": 0.1}, "x is no array of numbers"),
        ({"x": X + 1j, "y": Y, "rho": 0.1}, "it holds complex numbers"),
        ({"x": 3.0, "y": Y, "rho": 0.1, "cost": np.ones((5, 3))}, "but x has 1 samples"),
        ({"x": X, "rho": 0.1}, "is computed from points"),
        ({"x": X, "y": Y, "rho": 0.1, "cost": "cosine"}, "The cost 'cosine' is unknown"),
        ({"x": X, "y": Y, "rho": 0.1, "cost": np.ones((5, 4))}, "cost matrix is 5 x 4, but y has 3"),
        ({"x": 1e200 * X, "y": Y, "rho": 0.1, "cost": "sqeuclidean"}, "lie so far apart"),
        ({"x": X, "y": Y, "ball": CvarBall(share=0.1), "mass": "free"}, "give chi-square balls"),
        ({"x": X, "y": Y, "rho": 0.1, "tol": 0}, "tol is 0"),
        ({"x": X, "y": Y, "rho": 0.1, "max_iterations": 0}, "max_iterations is 0"),
    ],
)
def test_one_sentence_for_what_cannot_work(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        robust(**arguments)


def test_too_large_for_memory_says_how_much_and_what_else(monkeypatch):
    monkeypatch.setattr(problem, "available_memory", lambda: 2**20)
    with pytest.raises(UserError, match=r"1000 x 1000 samples takes about 0\.1 GiB .*solver='entropic'"):
        robust(np.zeros((1000, 1)), np.zeros((1000, 1)), rho=0.1)


def test_the_memory_of_this_machine_is_known():
    free = problem.available_memory()
    assert free is None or free > 2**20


def test_masses_off_by_rounding_are_brought_to_one():
    made = transport_problem(X, Y, a=np.full(5, 0.2) * (1 + 1e-7), ball_x=ChiSquareBall(rho=0.1))
    assert made.a.sum() == pytest.approx(1, abs=1e-15)
    np.testing.assert_array_equal(made.b, np.full(3, 1 / 3))
    assert made.shape == (5, 3) and made.cost.shape == (5, 3)


def test_tensors_lists_and_integers_are_numbers():
    value = robust(X, Y, rho=0.1).value
    assert robust(torch.tensor(X, requires_grad=True), Y.astype(int).tolist(), rho=0.1).value == value
    rows = [torch.tensor(row, requires_grad=True) for row in X]
    assert robust(rows, torch.tensor(Y, dtype=torch.bfloat16), rho=0.1).value == value


def test_nothing_given_is_changed():
    cost = np.abs(X[:, :1] - np.arange(3.0))
    kept = cost.copy()
    robust(cost=cost, rho=0.1)
    balanced(cost=cost)
    np.testing.assert_array_equal(cost, kept)
