"""Robust GANs: the weighted step by hand, every loss with every kind of weights, resuming, running weights."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest import approx
from tests.gan.helpers import blobs, equal, saved, small, train, what_counts
from tests.gan.test_probe_runs import plan, rows_of

from saddle.errors import UserError
from saddle.gan import GanConfig, make_dynamics, make_gan
from saddle.gan.acceleration.captured import Captured
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.checkpoint import read_fleet
from saddle.gan.distributed import shared
from saddle.gan.distributed.world import World
from saddle.gan.full_weights import full_weights, real_terms
from saddle.gan.losses import make_loss
from saddle.gan.problem import DISCRIMINATOR, WEIGHTS
from saddle.gan.sampling import fixed_latents, sample
from saddle.gan.scheme import WithWeightNetwork
from saddle.gan.trust import TRUST, RunningWeights, read_trust
from saddle.gan.weighing import network_weights
from saddle.studies.width_sweep.cells import _used
from saddle.transport import ChiSquareBall, CvarBall, rho_for, weights

LOSSES = ("non-saturating", "least-squares", "hinge", "wasserstein", "relativistic")
KINDS = ("exact", "trim", "network")
# Every loss with some weights, every kind of weights with some loss, and pairs (relativistic) with two of them.
PAIRS = (
    ("wasserstein", "exact"),
    ("relativistic", "exact"),
    ("hinge", "trim"),
    ("least-squares", "trim"),
    ("non-saturating", "network"),
    ("relativistic", "network"),
)


def robust(loss: str, by: str, **options: object) -> GanConfig:
    own = {"robust_after": 3, "robust_every": 2} if by == "network" else {}
    return small(loss=loss, robust=0.1, robust_by=by, **(own | options))


def gan(config: GanConfig):
    return make_gan(config, width_g=2, width_d=2, size=8, channels=1)


def batches(config: GanConfig, seeds=(0,), images=None, tracked=True) -> GanBatches:
    images = blobs() if images is None else images
    return GanBatches(images, seeds=list(seeds), batch=config.batch, latent=config.latent, tracked=tracked)


@pytest.mark.parametrize("by", ["exact", "trim"])
@pytest.mark.parametrize("loss", ["wasserstein", "hinge", "non-saturating", "least-squares"])
def test_the_discriminators_gradient_is_that_of_the_loss_with_the_best_weights_held_fixed(loss, by):
    # Danskin: d/dθ max_W E[W ℓ(θ)] = E[W* dℓ/dθ]. Weights by hand: a grid of thresholds gives the chi-square ones.
    config = robust(loss, by, norm_d="none")
    problem = gan(config)
    state = problem.init(member_generators([0], 0))
    batch = next(batches(config))
    keys = problem.player(DISCRIMINATOR).keys
    live = {key: state[key].clone().requires_grad_() for key in keys}
    ours = torch.autograd.grad(
        problem.objective_of(DISCRIMINATOR, state | live, batch).sum(), list(live.values())
    )

    real = problem.discriminator(state | live, batch.real)
    fake = problem.discriminator(state | live, problem.generator(state, batch.latent).detach())
    term = {
        "wasserstein": -real,
        "hinge": torch.relu(1 - real),
        "non-saturating": torch.nn.functional.softplus(-real),
        "least-squares": (real - 1) ** 2 / 2,
    }[loss]
    rest = {
        "wasserstein": fake,
        "hinge": torch.relu(1 + fake),
        "non-saturating": torch.nn.functional.softplus(fake),
        "least-squares": fake**2 / 2,
    }[loss]
    scores = -term.detach().double()[0]
    if by == "trim":
        # 16 images, 10 % trimmed: the highest score of them goes and 0.6 of the next, the others weigh 1/0.9.
        w = torch.full((16,), 1 / 0.9, dtype=torch.float64)
        order = scores.argsort(descending=True)
        w[order[0]], w[order[1]] = 0.0, 0.4 / 0.9
    else:
        # W = (t − f)₊ / E(t − f)₊ with t by bisection, so that E(W − 1)² = 2 rho* = 0.1 / 0.9.
        low, high = scores.min().item(), scores.max().item() + 1e4
        for _ in range(200):
            t = (low + high) / 2
            w = (t - scores).clamp_min(0)
            w = w / w.mean()
            low, high = (t, high) if (w - 1).square().mean() > 0.1 / 0.9 else (low, t)
    hand = (w.float() * term[0]).mean() + rest.mean()
    theirs = torch.autograd.grad(hand, list(live.values()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-4, atol=1e-6)


def test_no_robustness_is_the_game_without_weights():
    config = small()
    problem = gan(config)
    assert problem.weighing is None
    assert not any(key.startswith("weights.") for key in problem.init(member_generators([0], 0)))
    assert GanBatches(blobs(), seeds=[0], batch=16, latent=8).trust is None
    # A radius of almost nothing leaves the gradient where it was.
    state = problem.init(member_generators([0], 0))
    values = [
        gan(c).objective_of(DISCRIMINATOR, state, next(batches(c, tracked=False)))
        for c in (config, replace(config, robust=1e-12))
    ]
    torch.testing.assert_close(*values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_terms_and_rest_are_the_discriminators_loss(loss):
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 2, 8, generator=generator, dtype=torch.float64)
    each = make_loss(loss)
    whole = each.real_terms(real, fake).mean(1) + each.fake_terms(fake).mean(1)
    torch.testing.assert_close(whole, each.discriminator(real, fake))


@pytest.mark.parametrize(("loss", "by"), PAIRS)
def test_a_stopped_and_resumed_robust_run_is_bit_equal_to_an_unbroken_one(loss, by, tmp_path):
    penalty = {"gradient_penalty": 10.0, "critic_steps": 2} if loss == "wasserstein" else {}
    config = robust(loss, by, **penalty)
    train(tmp_path / "whole", config, [0, 1], 9)
    train(tmp_path / "parts", config, [0, 1], 9, stop_at=5)
    endings, _ = train(tmp_path / "parts", config, [0, 1], 9)
    assert [ending.status for ending in endings] == ["done", "done"]
    for seed in (0, 1):
        whole, parts = saved(tmp_path / "whole", seed), saved(tmp_path / "parts", seed)
        assert equal(what_counts(whole), what_counts(parts))
        assert (whole["streams"]["visits"] > 0).any()
        a, b = (read_trust(tmp_path / kind / str(seed) / TRUST, 200) for kind in ("whole", "parts"))
        assert a is not None and b is not None and a.step == b.step == 9
        assert np.array_equal(a.weights, b.weights) and np.array_equal(a.visits, b.visits)
        assert a.final is not None and b.final is not None and np.array_equal(a.final, b.final)
        # One visit an image and critic step: 9 or 18 batches of 16.
        assert a.visits.sum() == 16 * 9 * config.critic_steps
        assert a.final.mean() == approx(1, abs=1e-5)


@pytest.mark.parametrize("scheme", ["simultaneous", "extragradient", "optimistic"])
@pytest.mark.parametrize("by", ["exact", "network"])
def test_every_scheme_trains_with_weights(scheme, by, tmp_path):
    config = robust("relativistic" if by == "exact" else "hinge", by, scheme=scheme, arch="mlp")
    endings, _ = train(tmp_path, config, [0], 6)
    assert endings[0].status == "done"
    assert sum(read_fleet([tmp_path / "0"])[0]["streams"]["visits"]) > 0  # type: ignore[index]


def test_the_weights_of_a_planted_cluster_fall():
    # Nine images in ten are the standing generator's own, and one is white: the only thing that the critic can tell
    # apart is the white ones, so their scores rise, and at the critical radius they may lose all their weight.
    config = robust("wasserstein", "exact", gradient_penalty=10.0, lr_d=2e-3, lr_g=1e-9, arch="mlp")
    problem, dynamics = gan(config), make_dynamics(config)
    state = problem.init(member_generators([0], 0))
    images = sample(problem.generator, state, fixed_latents(0, 100, 8, purpose=1)).clone()
    images[:10] = 255
    memory, source = dynamics.init(problem, state), batches(config, images=images)
    for step in range(60):
        source.step = step
        state, memory = dynamics.step(problem, state, memory, source)
    trust, final = source.trust, full_weights(problem, state, images)
    assert trust is not None
    assert trust.mean[0, :10].max() < 0.5 < trust.mean[0, 10:].mean()
    assert final[:10].max() < 0.1 and final[10:].mean() > 1


@pytest.mark.parametrize(("loss", "by"), [("relativistic", "exact"), ("hinge", "network")])
def test_probes_change_nothing_and_are_no_visits(loss, by, tmp_path):
    config = robust(loss, by)
    train(tmp_path / "plain", config, [0], 8)
    _, log = train(tmp_path / "probed", config, [0], 8, probes=plan(config))
    assert equal(what_counts(saved(tmp_path / "plain", 0)), what_counts(saved(tmp_path / "probed", 0)))
    assert len(rows_of(log)) >= 2


def test_full_weights_are_the_closed_form_of_all_scores():
    config = robust("wasserstein", "exact")
    problem = gan(config)
    state = problem.init(member_generators([1], 0))
    images = blobs(300)
    scores = problem.discriminator(state, images.float().div(127.5).sub(1)[None])[0]
    # No batch norm in a Wasserstein critic, so the batches do not matter.
    torch.testing.assert_close(real_terms(problem, state, images), -scores.detach(), rtol=1e-4, atol=1e-5)
    found = full_weights(problem, state, images)
    expected = weights(scores.detach(), ball=ChiSquareBall(rho=rho_for(0.1)))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    assert (found - 1).square().mean().item() / 2 == approx(rho_for(0.1), rel=1e-3)


def test_full_weights_of_pairs_do_not_depend_on_the_batches():
    config = small(loss="relativistic", robust=0.1, robust_by="trim", norm_d="none")
    problem = gan(config)
    state = problem.init(member_generators([1], 0))
    found = full_weights(problem, state, blobs(300))
    assert found.mean().item() == approx(1, abs=1e-5) and found.max().item() <= 1 / 0.9 + 1e-5


@pytest.mark.parametrize("size", [8, 14, 16, 28, 32])
def test_a_fresh_weight_network_weighs_every_image_alike_and_can_learn(size):
    # Its last layer starts at zero: w = 1 exactly, and the ReLU is open, so gradients reach that layer.
    config = small(loss="wasserstein", robust=0.1, robust_by="network")
    problem = make_gan(config, width_g=2, width_d=2, size=size, channels=3)
    state = problem.init(member_generators([0, 1], 0))
    network = problem.weight_network
    assert network is not None
    images = torch.rand(2, 4, 3, size, size) * 2 - 1
    torch.testing.assert_close(network_weights(network, state, images), torch.ones(2, 4))
    pixels = torch.randint(0, 256, (64, 3, size, size), dtype=torch.uint8)
    batch = next(batches(config, seeds=(0, 1), images=pixels))
    live = {key: state[key].requires_grad_() for key in network.parameters}
    slopes = torch.autograd.grad(
        problem.objective_of(WEIGHTS, state | live, batch).sum(), list(live.values())
    )
    assert all(torch.isfinite(slope).all() for slope in slopes)
    assert max(slope.abs().max() for slope in slopes) > 0


def test_the_weight_network_descends_its_penalised_objective():
    # The smallest of balls, so that weights at random lie outside it.
    config = robust("wasserstein", "network", robust_penalty=7.0, robust_scale=1e-3)
    problem = gan(config)
    state = problem.init(member_generators([0], 0))
    generator = torch.Generator().manual_seed(3)
    network = problem.weight_network
    assert network is not None
    for key in network.parameters:
        state[key] = state[key] + 0.3 * torch.randn(state[key].shape, generator=generator)
    batch = next(batches(config))
    scores = problem.discriminator(state, batch.real)
    w = network_weights(network, state, batch.real)
    assert w.mean().item() == approx(1, abs=1e-5) and (w > 0).all()
    outside = max(0.0, float((w - 1).square().mean() / 2) - 1e-3 * rho_for(0.1))
    expected = float((w * scores).mean()) + 7 * outside
    assert outside > 0
    assert problem.objective_of(WEIGHTS, state, batch).item() == approx(expected, rel=1e-4)


def test_the_weight_network_steps_when_the_papers_code_does():
    # Discriminator's steps that are multiples of 5 and larger than 300: of each training step, 1 or 5 of them.
    plain = make_dynamics(small(robust=0.1, robust_by="network"))
    critics = make_dynamics(small(robust=0.1, robust_by="network", critic_steps=5))
    assert isinstance(plain, WithWeightNetwork) and isinstance(critics, WithWeightNetwork)
    assert [step + 1 for step in range(320) if plain._due(step)] == [305, 310, 315, 320]
    assert [critics._due(step) for step in range(58, 63)] == [0, 0, 1, 1, 1]
    every = WithWeightNetwork(
        steps=plain.steps, base=plain.base, scheme=plain.scheme, every=2, after=3, repeats=5
    )
    for step in range(6):
        own = [d for d in range(5 * step + 1, 5 * step + 6) if d % 2 == 0 and d > 3]
        assert every._due(step) == len(own)


@pytest.mark.parametrize("by", KINDS)
def test_a_captured_step_is_a_plain_one_and_notes_the_same_weights(by):
    config = robust("wasserstein", by, gradient_penalty=10.0, penalty_every=2, critic_steps=2)
    problem, dynamics = gan(config), make_dynamics(config)
    ends = []
    for game in (problem, Captured(problem)):
        state = problem.init(member_generators([0, 1], 0))
        memory, source = dynamics.init(problem, state), batches(config, seeds=(0, 1))
        for step in range(5):
            source.step = step
            state, memory = dynamics.step(game, state, memory, source)
        assert source.trust is not None
        ends.append(state | {"trust": source.trust.mean, "visits": source.trust.visits})
    assert equal(*ends)


def test_a_member_without_finite_weights_leaves_and_the_others_go_on(tmp_path):
    config = robust("wasserstein", "network")
    train(tmp_path, config, [0, 1], 10)
    payloads = [torch.load(tmp_path / str(seed) / "checkpoint.pt", weights_only=True) for seed in (0, 1)]
    key = next(key for key in payloads[0]["state"] if key.startswith("weights."))
    payloads[0]["state"][key].fill_(math.nan)
    torch.save(payloads[0], tmp_path / "0" / "checkpoint.pt")
    endings, _ = train(tmp_path, config, [0, 1], 52)
    assert [ending.status for ending in endings] == ["diverged", "done"]


def test_every_process_has_its_part_of_the_whole_batchs_weights(monkeypatch):
    scores = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    problem = gan(robust("wasserstein", "exact"))
    whole = weights(scores, ball=ChiSquareBall(rho=rho_for(0.1)))
    for rank in (0, 1):
        own = scores[:, 4 * rank : 4 * rank + 4]

        def add_up(gathered, rank=rank):
            other = 1 - rank
            gathered[:, other] = -scores[:, 4 * other : 4 * other + 4]

        monkeypatch.setattr(shared, "add_up", add_up)
        weighing = shared.Distributed(problem, World(rank=rank, size=2))._problem.weighing
        assert weighing is not None
        part, everything = weighing({}, torch.zeros(2, 4, 1, 8, 8), -own)
        torch.testing.assert_close(everything, whole)
        torch.testing.assert_close(part, whole[:, 4 * rank : 4 * rank + 4])
    with pytest.raises(UserError, match="one process only"):
        shared.Distributed(gan(robust("hinge", "network")), World(rank=0, size=2))


def test_a_running_weight_is_the_mean_of_ten_visits_and_then_forgets():
    trust = RunningWeights(1, 3, torch.device("cpu"))
    given = [0.0, 2.0, 1.0, 3.0, 0.5, 0.5, 1.5, 2.5, 1.0, 0.0, 4.0, 0.0]
    for value in given:
        trust.update(torch.tensor([[2, 0]]), torch.tensor([[value, 1.0]]))
    mean = sum(given[:10]) / 10
    for value in given[10:]:
        mean = 0.9 * mean + 0.1 * value
    assert trust.mean[0].tolist() == approx([1.0, 1.0, mean], rel=1e-5)
    assert trust.visits[0].tolist() == [12, 0, 12]


def test_a_checkpoint_without_running_weights_is_refused_in_a_sentence(tmp_path):
    config = robust("hinge", "exact")
    train(tmp_path, config, [0], 3)
    path = tmp_path / "0" / "checkpoint.pt"
    payload = torch.load(path, weights_only=True)
    del payload["streams"]["trust"]
    torch.save(payload, path)
    with pytest.raises(UserError, match="running weights"):
        train(tmp_path, config, [0], 5)


@pytest.mark.parametrize(("content", "images"), [(b"", 3), (b"PK\x03\x04 nothing", 3), (b"\x93NUMPY", None)])
def test_a_damaged_trust_file_counts_as_none(content: bytes, images, tmp_path: Path):
    path = tmp_path / TRUST
    path.write_bytes(content)
    assert read_trust(path, images) is None
    np.savez(path, step=3, weights=np.ones(4), visits=np.ones(4, int))
    assert read_trust(path, 5) is None
    assert read_trust(path, 4) is not None
    np.savez(path, step=3, weights=np.array([{}, {}], dtype=object), visits=np.ones(2, int))
    assert read_trust(path, 2) is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"robust": -0.1}, "below 0.5"),
        ({"robust": 0.5}, "below 0.5"),
        ({"robust": float("nan")}, "below 0.5"),
        ({"robust_by": "trim"}, "no effect without --robust"),
        ({"robust_scale": 2.0}, "no effect without --robust"),
        ({"robust": 0.1, "robust_every": 3}, "no effect without --robust-by network"),
        ({"robust": 0.4, "robust_by": "trim", "robust_scale": 2.5}, "below 1"),
        ({"robust": 0.1, "robust_scale": 0.0}, "positive"),
        ({"robust": 0.1, "batch": 1}, "larger"),
        ({"robust": 0.1, "robust_by": "network", "robust_every": 0}, "at least 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        GanConfig(**options)


def test_the_ball_is_scaled_and_older_runs_keep_their_identity():
    assert gan(small(robust=0.1, robust_scale=2.0)).weighing.ball == ChiSquareBall(rho=2 * rho_for(0.1))  # type: ignore
    assert gan(small(robust=0.1, robust_by="trim", robust_scale=0.5)).weighing.ball == CvarBall(share=0.05)  # type: ignore
    assert not [name for name in _used(GanConfig()) if name.startswith("robust")]
    assert [name for name in _used(GanConfig(robust=0.05)) if name.startswith("robust")] == ["robust"]


@pytest.mark.parametrize("by", KINDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_has_finite_slopes_with_every_kind_of_weights(loss, by):
    config = robust(loss, by)
    problem = gan(config)
    state = problem.init(member_generators([0], 0))
    names = [player.name for player in problem.players] + [WEIGHTS] * (by == "network")
    for name in names:
        keys = (
            [key for key in state if key.startswith("weights.")]
            if name == WEIGHTS
            else problem.player(name).keys
        )
        live = {key: state[key].clone().requires_grad_() for key in keys}
        value = problem.objective_of(name, state | live, next(batches(config)))
        slopes = torch.autograd.grad(value.sum(), list(live.values()))
        assert all(torch.isfinite(slope).all() for slope in slopes)
        assert max(float(slope.abs().max()) for slope in slopes) > 0
