"""Every scheme against its symbol on the bilinear game min_x max_y xy, and Adam against torch's."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from pytest import approx
from torch import Tensor

from saddle.core import Batch, Player, Problem, State, stack
from saddle.dynamics import Adam, Alternating, Dynamics, Extragradient, Optimistic, Sgd, Simultaneous, Steps
from saddle.errors import UserError


class Bilinear(Problem):
    """L = xy, x descends, y ascends; member i starts at (1, i + 1)."""

    players = (Player(name="x", keys=("x",), sense=-1), Player(name="y", keys=("y",), sense=1))

    def init(self, generators: Sequence[torch.Generator]) -> State:
        fleet = len(generators)
        return {
            "x": torch.ones(fleet, 1, dtype=torch.float64),
            "y": torch.arange(1.0, fleet + 1, dtype=torch.float64)[:, None],
        }

    def objective(self, state: State, batch: Batch) -> dict[str, Tensor]:
        value = (state["x"] * state["y"]).sum(1)
        return {"x": value, "y": value}


def trajectory(dynamics: Dynamics, steps: int, fleet: int = 1) -> list[State]:
    problem = Bilinear()
    state = problem.init([torch.Generator() for _ in range(fleet)])
    memory = dynamics.init(problem, state)
    states = [state]
    for _ in range(steps):
        state, memory = dynamics.step(problem, state, memory, itertools.repeat(None))
        states.append(state)
    return states


def norm(state: State) -> float:
    return math.hypot(float(state["x"][0, 0]), float(state["y"][0, 0]))


@pytest.mark.parametrize("h", [0.05, 0.3, 0.9])
def test_simultaneous_spirals_out_at_its_radius(h):
    # z⁺ = (1 ± ih) z.
    states = trajectory(Simultaneous(steps=Steps.equal(h)), 50)
    assert norm(states[-1]) / norm(states[0]) == approx((1 + h * h) ** 25, rel=1e-12)


@pytest.mark.parametrize("h", [0.05, 0.3, 0.9])
def test_extragradient_contracts_at_its_radius(h):
    # z⁺ = (1 - h² ± ih) z.
    states = trajectory(Extragradient(steps=Steps.equal(h)), 50)
    assert norm(states[-1]) / norm(states[0]) == approx((1 - h**2 + h**4) ** 25, rel=1e-12)


@pytest.mark.parametrize("h", [0.05, 0.3, 0.9])
def test_alternating_conserves_its_quadratic_form(h):
    # x⁺ = x - h y, y⁺ = y + h x⁺ leaves x² + y² - h x y where it was.
    states = trajectory(Alternating(steps=Steps.equal(h)), 50)
    values = [float(s["x"] ** 2 + s["y"] ** 2 - h * s["x"] * s["y"]) for s in states]
    assert values == approx([values[0]] * 51, rel=1e-12)


@pytest.mark.parametrize("h", [0.05, 0.3])
def test_optimistic_follows_its_companion_matrix(h):
    # z_{t+1} = z_t + 2hV z_t - hV z_{t-1}, V = [[0, -1], [1, 0]], and z_1 = z_0 + hV z_0.
    states = trajectory(Optimistic(steps=Steps.equal(h)), 40)
    turn, one = h * np.array([[0.0, -1.0], [1.0, 0.0]]), np.eye(2)
    companion = np.block([[one + 2 * turn, -turn], [one, 0 * one]])
    start = np.array([1.0, 1.0])
    expected = np.linalg.matrix_power(companion, 39) @ np.concatenate([start + turn @ start, start])
    assert [float(states[-1]["x"]), float(states[-1]["y"])] == approx(expected[:2], rel=1e-10)


def test_repeats_take_that_many_steps_each_on_a_fresh_batch():
    problem, seen = Bilinear(), []

    def batches():
        for index in itertools.count():
            seen.append(index)
            yield None

    state = problem.init([torch.Generator()])
    dynamics = Alternating(steps=Steps.equal(0.1), order=("y", "x"), repeats={"y": 3})
    state, _ = dynamics.step(problem, state, dynamics.init(problem, state), batches())
    # y: three steps of 0.1·x = 0.1, then x: one of -0.1·y.
    assert float(state["y"]) == approx(1.3)
    assert float(state["x"]) == approx(1 - 0.13)
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize("scheme", [Simultaneous, Alternating, Extragradient, Optimistic])
@pytest.mark.parametrize("base", [Sgd(), Adam(beta1=0.5, beta2=0.9)])
def test_a_fleet_is_its_members(scheme, base):
    together = trajectory(scheme(steps=Steps.equal(0.1), base=base), 20, fleet=3)[-1]
    alone = trajectory(scheme(steps=Steps.equal(0.1), base=base), 20, fleet=1)[-1]
    assert torch.equal(together["x"][:1], alone["x"])
    assert torch.equal(together["y"][:1], alone["y"])


@pytest.mark.parametrize("scheme", [Simultaneous, Alternating, Extragradient, Optimistic])
def test_step_is_pure(scheme):
    problem, dynamics = Bilinear(), scheme(steps=Steps.equal(0.1), base=Adam())
    state = problem.init([torch.Generator()])
    memory = dynamics.init(problem, state)
    before = [{k: v.clone() for k, v in entries.items()} for entries in (state, memory)]
    first = dynamics.step(problem, state, memory, itertools.repeat(None))
    second = dynamics.step(problem, state, memory, itertools.repeat(None))
    for old, now in zip(before, (state, memory), strict=True):
        assert all(torch.equal(old[key], now[key]) for key in old)
    assert torch.equal(first[0]["x"], second[0]["x"])


@pytest.mark.parametrize(("beta1", "beta2"), [(0.5, 0.999), (0.0, 0.9)])
def test_adam_is_torchs_adam(beta1, beta2):
    player = Player(name="w", keys=("w",))
    adam = Adam(beta1=beta1, beta2=beta2)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(1, 7, dtype=torch.float64, generator=generator)
    ours: State = {"w": start.clone()}
    memory = adam.init(player, ours)
    theirs = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.Adam([theirs], lr=0.01, betas=(beta1, beta2))
    for _ in range(20):
        gradient = torch.randn(1, 7, dtype=torch.float64, generator=generator)
        moved, changed = adam.displacement(player, {"w": -gradient}, memory, 0.01)
        memory |= changed
        ours = {"w": ours["w"] + moved["w"]}
        theirs.grad = gradient.clone()
        optimizer.step()
    torch.testing.assert_close(ours["w"], theirs.data, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("step", [0.0, -1.0, math.inf, math.nan])
def test_a_step_must_be_positive_and_finite(step):
    with pytest.raises(UserError, match="must be positive and finite"):
        Steps.equal(step)


def test_a_missing_step_and_an_unknown_player_are_named():
    with pytest.raises(UserError, match="no step for player 'y'"):
        Steps(by_player={"x": 1.0}).of("y")
    with pytest.raises(UserError, match="no player 'z' in Bilinear; its players are: x, y"):
        Bilinear().player("z")


def test_stack_undoes_member():
    problem = Bilinear()
    state = problem.init([torch.Generator() for _ in range(3)])
    from saddle.core import fleet_size, member

    again = stack([member(state, i) for i in range(3)])
    assert fleet_size(again) == 3
    assert all(torch.equal(again[key], state[key]) for key in state)
