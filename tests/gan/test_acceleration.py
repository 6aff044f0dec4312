"""Every execution computes the same training, up to the rounding of its kernels."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest
import torch
from tests.gan.helpers import blobs, small

from saddle.core.evaluation import evaluate
from saddle.dynamics import Dynamics, Steps
from saddle.errors import UserError
from saddle.gan import GanConfig, GanProblem, make_dynamics, make_gan
from saddle.gan.acceleration import PLAIN, Execution, accelerated, candidates, choose
from saddle.gan.acceleration.captured import Captured
from saddle.gan.acceleration.precision import check_precision
from saddle.gan.batches import GanBatches, member_generators
from saddle.networks import Network
from saddle.runs import RunFolder
from saddle.studies.width_sweep.cells import FleetRecord, record_fleet, records

CPU = torch.device("cpu")
SEEDS = [0, 1, 2]
CONFIGS = {
    "mlp": small(arch="mlp"),
    "dcgan": small(),
    "resnet": small(arch="resnet"),
    "wgan-gp": small(loss="wasserstein", gradient_penalty=10.0, critic_steps=2),
    "spectral": small(arch="resnet", loss="hinge", spectral_norm="both"),
    "lazy-r1-r2": small(loss="relativistic", r1=0.1, r2=0.1, penalty_every=2),
    "extragradient": small(scheme="extragradient"),
    "optimistic": small(arch="mlp", scheme="optimistic"),
}
WAYS = [
    Execution(members=members, layout=layout)
    for members in ("together", "apart")
    for layout in ("channels-last", "contiguous")
]


def gan(config: GanConfig, width: int = 2):
    return make_gan(config, width_g=width, width_d=width, size=8, channels=1)


def batches(config: GanConfig, seeds: list[int] = SEEDS) -> GanBatches:
    return GanBatches(blobs(), seeds=seeds, batch=config.batch, latent=config.latent)


def steps(config: GanConfig, problem: Any, count: int, seeds: list[int] = SEEDS) -> list[dict[str, Any]]:
    """States after each of `count` steps of `config`'s scheme, computed by `problem`."""
    dynamics, source = make_dynamics(config), batches(config, seeds)
    state = gan(config).init(member_generators(seeds, 0))
    memory, found = dynamics.init(problem, state), []
    for step in range(count):
        source.step = step
        state, memory = dynamics.step(problem, state, memory, source)
        found.append(state | memory)
    return found


@pytest.mark.parametrize("way", WAYS[1::2], ids=str)
@pytest.mark.parametrize("name", ["mlp", "dcgan", "spectral"])
def test_networks_agree_in_double_precision_up_to_second_derivatives(name, way):
    # Sums of at most a few thousand terms in float64, in another order: some thousand 1e-16 of the largest entry.
    plain, other = gan(CONFIGS[name]), accelerated(gan(CONFIGS[name]), way, CPU)
    assert isinstance(other, GanProblem)
    state = {key: value.double() for key, value in plain.init(member_generators(SEEDS, 0)).items()}
    draw = torch.Generator().manual_seed(0)
    for network, faster in (
        (plain.generator, other.generator),
        (plain.discriminator, other.discriminator),
    ):
        x = torch.randn(3, 2, *network.input_shape, generator=draw, dtype=torch.float64)
        expected = derivatives(network, state, x)
        # Not by tensor: the gradient of a bias before a norm is zero, and rounding of the others' size.
        scale = max(float(each.detach().abs().max()) for each in expected)
        for ours, theirs in zip(derivatives(faster, state, x), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12 * scale)


def derivatives(network: Network, state: dict, x: torch.Tensor) -> list[torch.Tensor]:
    """The outputs, their gradient by the inputs, and the gradient of its square by the parameters."""
    x = x.clone().requires_grad_()
    live = {key: state[key].clone().requires_grad_() for key in network.parameters}
    y = network(state | live, x)
    (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    return [y, slope, *torch.autograd.grad(slope.square().sum(), list(live.values()), allow_unused=False)]


@pytest.mark.parametrize("name", ["mlp", "dcgan", "wgan-gp", "spectral", "lazy-r1-r2"])
def test_the_field_of_every_execution_is_the_plain_one_up_to_rounding(name):
    # float32 has 2^-24 = 6e-8; sums of n < 2,000 terms in two orders differ by at most n times that of the largest
    # partial sum, and as a rule by √n: 3e-6 of the field's largest entry. Allowed: 3e-5.
    config = CONFIGS[name]
    problem = gan(config)
    state = problem.init(member_generators(SEEDS, 0))
    for player in ("discriminator", "generator"):
        plain = evaluate(problem, state, next(batches(config)), [player])
        scale = max(float(expected.abs().max()) for expected in plain.direction.values())
        for way in WAYS[1:]:
            found = evaluate(accelerated(problem, way, CPU), state, next(batches(config)), [player])
            for key, expected in plain.direction.items():
                torch.testing.assert_close(found.direction[key], expected, rtol=0, atol=3e-5 * scale)
            torch.testing.assert_close(found.objective[player], plain.objective[player], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_captured_step_draws_and_computes_what_a_plain_one_does(name):
    # On a CPU a record is played by the very kernels, so everything around the graph is held to bit equality: copies
    # into its memory, the order of draws, lazy penalties in a record of their own, the sign of the derivative.
    config = CONFIGS[name]
    # The second step plays the records of the first; with lazy penalties, which every second step has, the third.
    count = 1 + max(1, config.penalty_every)
    plain, captured = (
        steps(config, problem, count, [0, 1]) for problem in (gan(config), Captured(gan(config)))
    )
    for ours, theirs in zip(captured, plain, strict=True):
        for key, value in theirs.items():
            # But for -0 = 0: the sign enters after the sum instead of before it.
            assert torch.equal(ours[key], value), key


def test_a_record_is_made_anew_when_a_member_leaves():
    config = CONFIGS["mlp"]
    captured = Captured(gan(config))
    steps(config, captured, 1)
    alone = steps(config, captured, 2, [1])
    for ours, theirs in zip(alone, steps(config, gan(config), 2, [1]), strict=True):
        assert all(torch.equal(ours[key], value) for key, value in theirs.items())


def test_cuda_has_the_candidates_and_a_cpu_only_its_own():
    cuda, dcgan = torch.device("cuda"), gan(CONFIGS["dcgan"])
    assert candidates(dcgan, 1, CPU) == [PLAIN]
    assert [each.members for each in candidates(dcgan, 3, CPU)] == ["auto", "together", "apart"]
    found = candidates(dcgan, 3, cuda)
    assert len(found) == len(set(found)) == 5 and sum(each.captured for each in found) == 4
    assert {each.layout for each in candidates(gan(CONFIGS["mlp"]), 3, cuda)} == {"channels-last"}
    assert candidates(dcgan, 3, cuda, deterministic=True) == [PLAIN, Execution(captured=True)]


def test_measuring_touches_no_randomness_and_the_chosen_one_trains_alike():
    config = CONFIGS["dcgan"]
    problem, dynamics = gan(config), make_dynamics(config)
    before = torch.get_rng_state()
    choice = choose(problem, dynamics, blobs(), SEEDS, steps=10, worth=0.0, round_=0.01)
    assert choice.left_out == {}
    assert len(choice.seconds) == 3 and all(0 < value < 10 for value in choice.seconds.values())
    plain, chosen = (
        steps(config, each, 2)[-1] for each in (problem, accelerated(problem, choice.execution, CPU))
    )
    for key in problem.generator.parameters:
        # Adam's first steps are h · sign where a gradient is rounding: two steps of 2e-4 either way at most.
        torch.testing.assert_close(chosen[key], plain[key], rtol=0, atol=9e-4)
    assert torch.equal(before, torch.get_rng_state())


def test_a_candidate_that_fails_is_left_out_with_its_reason_and_the_plain_one_wins():
    problem, taken = gan(CONFIGS["mlp"]), Counter()

    class Failing(Dynamics):
        """No step at all; none with members apart, and with members together only the two of the warming up."""

        def step(self, problem, state, memory, batches):
            limit = problem.generator.together_up_to
            taken[limit] += 1
            if limit == -1 or (limit == sys.maxsize and taken[limit] > 2):
                raise torch.OutOfMemoryError(f"no room at {taken[limit]}\nfor anything")
            return state, memory

    choice = choose(problem, Failing(steps=Steps.equal(0.1)), blobs(), SEEDS, steps=10, worth=0.0, round_=0.0)
    assert choice.execution == PLAIN and list(choice.seconds) == [str(PLAIN)]
    assert choice.left_out == {
        "members apart, channels-last": "OutOfMemoryError: no room at 1",
        "members together, channels-last": "OutOfMemoryError: no room at 3",
    }


def test_a_short_training_is_not_measured():
    config = CONFIGS["mlp"]
    choice = choose(gan(config), make_dynamics(config), blobs(), SEEDS, steps=10)
    assert choice.execution == PLAIN and list(choice.seconds) == [str(PLAIN)]


def test_reduced_precision_is_refused_where_the_gpu_does_not_have_it():
    # V100: 7.0, T4: 7.5, A100: 8.0, H100: 9.0.
    for precision in ("tf32", "bfloat16"):
        for capability in ((7, 0), (7, 5)):
            with pytest.raises(
                UserError, match=r"--precision \w+ needs a GPU of compute capability 8.0 or more"
            ):
                check_precision(precision, capability, "old GPU")
        check_precision(precision, (8, 0), "A100")
        check_precision(precision, (9, 0), "H100")
    check_precision("float32", (7, 0), "old GPU")


def test_an_execution_is_read_back_and_a_damaged_one_refused():
    way = Execution(members="apart", captured=True)
    assert Execution.read(asdict(way)) == way
    for damaged in (
        None,
        [],
        {},
        asdict(way) | {"members": "all"},
        asdict(way) | {"captured": 1},
        {"members": "auto"},
    ):
        assert Execution.read(damaged) is None


def test_a_run_keeps_the_execution_that_it_began_with(tmp_path):
    folder = RunFolder.create(tmp_path, {"kind": "gan", "seed": 0})
    record = FleetRecord((folder.path.name,), 1, Execution(members="apart", captured=True))
    record_fleet([folder], record)
    assert records([tmp_path]) == {folder.path.name: record}
    # A run from before executions were recorded, or with one that this version does not know, goes on plainly.
    for damage in ({}, {"execution": {"members": "by halves"}}):
        text = json.dumps({"members": [folder.path.name], "threads": 1} | damage)
        (folder.path / "fleet.json").write_text(text)
        assert records([tmp_path])[folder.path.name].execution == PLAIN
