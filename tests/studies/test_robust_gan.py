"""The robust GAN in the plane: its game, its gradients in closed form, its data, and what is measured of it."""

import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pytest import approx

from saddle.core import evaluate, generators_of, member
from saddle.errors import UserError
from saddle.studies.robust_gan.gradients import penalised_gradient
from saddle.studies.robust_gan.layers import apply, draw_weights, trace
from saddle.studies.robust_gan.measures import auroc, mode_shares, off_share, transport_distance
from saddle.studies.robust_gan.methods import METHODS
from saddle.studies.robust_gan.mixture import Setting, means
from saddle.studies.robust_gan.problem import RobustGan
from saddle.studies.robust_gan.settings import SETTINGS
from saddle.studies.robust_gan.training import isolated, prepared, round_of, train, weights_of_all
from saddle.testing import check_problem

SMALL = Setting(name="small", contamination=0.1, kind="cluster", points=200)
RULES = ("none", "chi-square", "trim", "network", "given")


def small(rule, **changes):
    options: dict[str, Any] = {
        "rho": 0.05,
        "share": 0.1,
        "width": 5,
        "batch": 16,
        "precision": "float64",
    } | changes
    return RobustGan(setting=SMALL, rule=rule, **options)


def started(problem, fleet=2):
    state = problem.init(generators_of(range(fleet)))
    return state, next(problem.batches(generators_of(range(50, 50 + fleet))))


@pytest.mark.parametrize("rule", RULES)
def test_the_game_keeps_what_a_problem_promises(rule):
    # Among the promises: the gradients in closed form are those of automatic differentiation, the penalty's included,
    # and of central differences; members do not mix.
    check_problem(small(rule), second_derivatives=False)


def test_objectives_are_the_losses_written_by_hand():
    problem = small("chi-square", depth=1, gradient_penalty=3.0)
    state, batch = started(problem)
    values = problem.objective(state, batch)
    for i in range(2):
        net = {key: tensor[i].numpy() for key, tensor in state.items()}

        def hidden(player, x, net=net):
            before = x @ net[f"{player}.weight1"].T + net[f"{player}.bias1"]
            return np.where(before > 0, before, 0.2 * before), np.where(before > 0, 1.0, 0.2)

        def output(player, x, net=net):
            return hidden(player, x)[0] @ net[f"{player}.weight2"].T + net[f"{player}.bias2"]

        real = net["data.points"][np.floor(batch.choice[i].numpy() * 200).astype(int)]
        fake = output("generator", batch.latent[i].numpy())
        score = output("critic", real)[:, 0]
        mix = batch.mix[i].numpy()[:, None]
        slope = (
            hidden("critic", mix * real + (1 - mix) * fake)[1] * net["critic.weight2"] @ net["critic.weight1"]
        )
        penalty = np.mean((np.linalg.norm(slope, axis=1) - 1) ** 2)
        # W = (t − f)₊ / E(t − f)₊ with E(W − 1)² = 2 rho, by bisection for t: the larger t, the more equal the weights.
        low, high = score.min(), score.max() + 100 * np.ptp(score)
        for _ in range(200):
            t = (low + high) / 2
            weight = np.maximum(t - score, 0) / np.maximum(t - score, 0).mean()
            low, high = (t, high) if np.mean((weight - 1) ** 2) > 0.1 else (low, t)
        fake_score = output("critic", fake)[:, 0].mean()
        assert float(values["generator"][i]) == approx(-fake_score, rel=1e-9)
        assert float(values["critic"][i]) == approx(
            fake_score - np.mean(weight * score) + 3.0 * penalty, rel=1e-7
        )


def test_a_weigher_within_its_budget_pays_nothing_and_beyond_it_100_times_the_excess():
    problem = small("network", rho=10.0)
    state, batch = started(problem)
    index, real = problem.chosen(state, batch.choice)
    score = problem.scores(state, real)
    weight = problem.weights(state, score, real, index)
    assert torch.allclose(weight.mean(1), torch.ones(2, dtype=torch.float64))
    mean = (weight * score).mean(1)
    assert torch.allclose(problem.objective_of("weigher", state, batch), mean)
    tight = replace(problem, rho=0.0)
    paid = mean + 100 * (weight - 1).square().mean(1) / 2
    assert torch.allclose(tight.objective_of("weigher", state, batch), paid)


@pytest.mark.parametrize("scored", [1, 7])
def test_the_gradient_of_a_penalised_critic_is_that_of_automatic_differentiation(scored):
    generators = generators_of(range(3))
    state = {
        key: tensor.double().requires_grad_()
        for key, tensor in draw_weights(generators, "d", [4, 6, 5, 1]).items()
    }
    x = torch.randn(3, scored + 4, 4, dtype=torch.float64, generator=generators[0], requires_grad=True)
    c = torch.randn(3, scored, dtype=torch.float64, generator=generators[0])
    out = apply(state, "d", 3, x).squeeze(2)
    (slope,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    penalty = (slope[:, scored:].norm(dim=2) - 1).square().mean(1)
    total = ((c * out[:, :scored]).sum(1) + 2.5 * penalty).sum()
    # The last bias has no part in a gradient: one that depends on nothing counts as 0.
    expected = torch.autograd.grad(total, list(state.values()), allow_unused=True)
    with torch.no_grad():
        found = penalised_gradient(state, "d", trace(state, "d", 3, x.detach().clone()), c, 2.5)
    for key, value in zip(state, expected, strict=True):
        assert torch.allclose(found[key], value, rtol=1e-10, atol=1e-12), key


def test_a_critic_without_slope_has_a_penalty_without_gradient():
    # |∇D| = 0 everywhere: the norm has no derivative there, and 0 is taken rather than NaN.
    state = {
        key: torch.zeros_like(tensor)
        for key, tensor in draw_weights(generators_of([0]), "d", [2, 3, 1]).items()
    }
    found = penalised_gradient(state, "d", trace(state, "d", 2, torch.ones(1, 5, 2)), torch.zeros(1, 2), 1.0)
    assert all(bool((value == 0).all()) for value in found.values())


def test_a_critics_step_sees_the_least_mean_and_its_weights_as_constants():
    # Envelope: the gradient is that of the loss with the weights held, W/n a point.
    problem = small("chi-square")
    state, batch = started(problem)
    index, real = problem.chosen(state, batch.choice)
    held = problem.weights(state, problem.scores(state, real), real, index)
    leaves = {
        key: tensor.clone().requires_grad_() for key, tensor in state.items() if key.startswith("critic")
    }
    with_leaves = replace(problem, gradient_penalty=0.0)
    fake = problem.generate(state, batch.latent)
    loss = problem.scores(state | leaves, fake).mean(1) - (held * problem.scores(state | leaves, real)).mean(
        1
    )
    slopes = torch.autograd.grad(loss.sum(), list(leaves.values()))
    direction = evaluate(with_leaves, state, batch, ["critic"]).direction
    for key, slope in zip(leaves, slopes, strict=True):
        assert torch.allclose(direction[key], -slope, atol=1e-12)


def test_every_method_starts_alike():
    starts = {
        name: prepared(method.problem(SMALL).init(generators_of([3, 4])), SMALL, method, [3, 4])
        for name, method in METHODS.items()
    }
    first = starts["plain"]
    for name, start in starts.items():
        for key, tensor in first.items():
            if key != "data.points" or METHODS[name].points == "all":
                assert torch.equal(start[key], tensor), (name, key)
    outlier = METHODS["plain"].problem(SMALL).sample(generators_of([3, 4])).outlier
    for i in range(2):
        assert torch.equal(starts["oracle"]["data.points"][i], first["data.points"][i][~outlier[i]])
        kept = {tuple(point) for point in starts["filter"]["data.points"][i].tolist()}
        assert len(kept) == 180
        assert kept < {tuple(point) for point in first["data.points"][i].tolist()}


def test_a_weigher_takes_no_batch_from_the_others():
    plain = round_of(itertools.count(), weigher=False)
    with_weigher = round_of(itertools.count(), weigher=True)
    # Three critic steps, then the generator's; the weigher moves on the critic's last batch.
    assert (list(plain), list(with_weigher)) == ([0, 1, 2, 3], [0, 1, 2, 2, 3])


@pytest.mark.parametrize("name", ["exact", "stale", "network", "filter"])
def test_a_fleet_of_one_is_a_member_of_a_fleet_of_three(name):
    whole, alone = train(SMALL, METHODS[name], [5, 6, 7], 6), train(SMALL, METHODS[name], [6], 6)
    # Adam divides a gradient by its size, so that one of the size of rounding moves an entry by up to a step of 0.001, in
    # either direction; the others agree. Members differ from each other by a hundred times as much. The critic's last
    # bias changes no loss, as weights have the mean 1: its gradient is rounding and nothing else.
    for key, tensor in member(whole.state, 1).items():
        if key == "critic.bias4":
            continue
        gap = (tensor - alone.state[key]).abs()
        assert float(gap.median()) < 1e-5, key
        assert float(gap.max()) < 2e-2, key
    assert np.abs(whole.weight[1] - alone.weight[0]).mean() < 1e-2
    assert whole.off.shape == (2, 3)
    assert whole.steps.tolist() == [0, 6]


def test_weights_of_all_points_are_those_of_batches_within_the_budget():
    problem = replace(METHODS["exact"].problem(SMALL), batch=64)
    state = problem.init(generators_of([0, 1]))
    weight, score = weights_of_all(problem, state)
    assert weight.shape == score.shape == (2, 200)
    # The first three batches are whole: mean 1, and E(W − 1)²/2 = rho.
    blocks = weight[:, :192].reshape(2, 3, 64)
    assert torch.allclose(blocks.mean(2), torch.ones(2, 3), atol=1e-5)
    assert torch.allclose((blocks - 1).square().mean(2) / 2, torch.full((2, 3), problem.rho), rtol=1e-4)


def test_settings_draw_what_they_say():
    for setting in SETTINGS.values():
        assert Setting.of(json.loads(json.dumps(setting.settings()))) == setting
        sample = setting.draw(generators_of([0, 1]))
        assert sample.points.shape == (2, 4000, 2)
        assert sample.outlier.sum(1).tolist() == [round(4000 * setting.contamination)] * 2
        assert torch.equal(sample.outlier, sample.mode < 0)
        inlier = sample.points[0][~sample.outlier[0]]
        # 4000 points of N(μ, 0.25² I): none in two thousand million is 6.5 standard deviations away.
        assert (torch.cdist(inlier, means()).amin(1) < 6.5 * 0.25).all()
        share = torch.bincount(sample.mode[0][~sample.outlier[0]], minlength=4) / len(inlier)
        assert torch.allclose(share, torch.tensor(setting.shares), atol=0.035)
    assert not torch.equal(SETTINGS["clean"].clean([0], 10), SETTINGS["clean"].clean([1], 10))


def test_an_isolation_forest_removes_exactly_the_share_it_is_told():
    points = SETTINGS["uniform 10 %"].draw(generators_of([0]))
    gone = isolated(points.points[0].numpy(), 0.1, 0)
    assert gone.sum() == 400
    assert points.outlier[0].numpy()[gone].mean() > 0.6


def test_measures_of_points_that_are_known():
    # Two points on means, one at 1.4 from (2, 0), one at 1.6 from it, one that is no number.
    points = torch.tensor([[[2.0, 0.0], [0.0, -2.0], [3.4, 0.0], [3.6, 0.0], [torch.nan, 0.0]]])
    assert off_share(points, 4).tolist() == approx([0.4])
    assert mode_shares(points, 4)[0].tolist() == approx([0.4, 0.0, 0.0, 0.2])
    # The best matching of a set with its translate is the translation: for every cost that is a norm, W1 = |shift|.
    cloud = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    assert transport_distance(cloud, cloud + torch.tensor([3.0, 4.0])) == approx(5.0, rel=1e-6)
    assert np.isnan(transport_distance(points[0], cloud[:5]))
    # Pairs (positive, negative): 3 > 1, 3 > 2, 2 > 1, and 2 = 2 counts half.
    assert auroc(np.array([3.0, 2.0, 1.0, 2.0]), np.array([True, True, False, False])) == 3.5 / 4
    assert np.isnan(auroc(np.ones(3), np.zeros(3, dtype=bool)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "none"}, "contamination"),
        ({"contamination": 0.0}, "contamination"),
        ({"shares": (0.5, 0.6)}, "sum to 1"),
        ({"assumed": 1.0}, "from 0 to below 1"),
        ({"points": 0}, "at least 1 clean"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(UserError, match=words):
        replace(SMALL, **changes)


def test_games_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match="width is 0"):
        small("none", width=0)
    with pytest.raises(UserError, match="share 1"):
        small("trim", share=1.0)
