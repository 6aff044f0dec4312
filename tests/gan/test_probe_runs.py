"""Probes inside training: they change nothing, come back after a resume, and bear with divergence."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.gan.helpers import blobs, equal, saved, small, train, what_counts
from tests.gan.test_train import VARIANTS, poison

from saddle.core.state import member
from saddle.gan import GanConfig, make_gan
from saddle.gan.batches import member_generators
from saddle.gan.probes import ProbeBatch, ProbeCadence, ProbePlan, describe, probe


def plan(config: GanConfig, *, every: int = 4, spectrum_every: int = 8, raw: bool = False) -> ProbePlan:
    batch = ProbeBatch.choose(
        blobs()[:150],
        blobs()[150:],
        latent=config.latent,
        labels=(torch.arange(150) % 3),
        classes=3,
        images=32,
    )
    cadence = ProbeCadence(every=every, spectrum_every=spectrum_every, raw=raw)

    def classify(images: torch.Tensor) -> torch.Tensor:
        return (images.float().mean((1, 2, 3)) // 90).long().clamp(max=2)

    return ProbePlan(batch=batch, cadence=cadence, classify=classify)


def rows_of(log: Any, index: int = 0) -> list[dict[str, Any]]:
    return [row for row in log.rows[index] if "probe" in row]


@pytest.mark.parametrize("name", ["non-saturating", "hinge-sn", "wgan-gp", "r3gan", "optimistic"])
def test_a_probed_run_is_bit_equal_to_one_that_is_not(name, tmp_path: Path):
    config = VARIANTS[name]
    train(tmp_path / "plain", config, [0, 1], 5)
    _, log = train(tmp_path / "probed", config, [0, 1], 5, probes=plan(config, every=2, spectrum_every=4))
    for seed in (0, 1):
        plain, probed = saved(tmp_path / "plain", seed), saved(tmp_path / "probed", seed)
        assert equal(what_counts(plain), what_counts(probed))
    for index in (0, 1):
        assert [row["step"] for row in rows_of(log, index)] == [2, 4]
        light, both = (row["probe"] for row in rows_of(log, index))
        assert light.keys() < both.keys()
        assert {"spectrum/radius", "path/switch", "jacobian/effective_rank"} <= both.keys() - light.keys()
        # Every number has a sentence, and is one; a generator that ignores its latents has a Jacobian of rank 0.
        assert all(describe(key) for key in both)
        assert all(math.isfinite(value) for key, value in both.items() if not key.startswith("jacobian/"))


def test_a_resumed_run_writes_the_rows_of_an_unbroken_one(tmp_path: Path):
    config = small()
    chosen = plan(config, every=3, spectrum_every=6)
    _, whole = train(tmp_path / "whole", config, [0, 1], 6, probes=chosen)
    found: dict[int, list[dict[str, Any]]] = {0: [], 1: []}
    for stop_at in (2, 2, None):
        _, log = train(tmp_path / "parts", config, [0, 1], 6, stop_at=stop_at, probes=chosen)
        for index in (0, 1):
            found[index] += rows_of(log, index)
    assert found == {index: rows_of(whole, index) for index in (0, 1)}


def test_time_in_probes_is_counted_apart(tmp_path: Path):
    config = small()
    _, log = train(tmp_path, config, [0], 4, probes=plan(config))
    first = log.endings[0]
    assert first.probe_seconds > 0
    assert first.probe_share * first.seconds_per_step * 4 == pytest.approx(first.probe_seconds)
    assert saved(tmp_path, 0)["clock"]["probed"] == pytest.approx(first.probe_seconds)
    endings, _ = train(tmp_path, config, [0], 8, probes=plan(config, every=0, spectrum_every=0))
    assert endings[0].probe_seconds == pytest.approx(first.probe_seconds), "earlier time is kept"


def test_a_diverged_member_is_told_as_such_and_the_others_go_on(tmp_path: Path):
    config = small()
    train(tmp_path, config, [0, 1, 2], 10)
    poison(tmp_path, [0, 1, 2], 1, float("nan"))
    _, log = train(tmp_path, config, [0, 1, 2], 51, probes=plan(config, every=25, spectrum_every=50))
    assert [(row["step"], row["probe"]) for row in rows_of(log, 1)] == [
        (25, {"weights/finite": 0.0}),
        (50, {"weights/finite": 0.0}),
    ]
    assert [row["step"] for row in rows_of(log, 2)] == [25, 50]
    assert all(row["probe"]["weights/finite"] == 1 for row in rows_of(log, 2))


def test_huge_weights_raise_nothing(tmp_path: Path):
    # Finite weights whose squares overflow: every number is told, as infinite or no number.
    config = small(scheme="simultaneous")
    gan = make_gan(config, width_g=2, width_d=2, size=8, channels=1)
    state = gan.init(member_generators([0, 1], 0))
    state = {key: torch.cat([t[:1], torch.full_like(t[1:], 1e30)]) for key, t in state.items()}
    average = {key: state[key] for key in gan.generator.parameters}
    start = gan.init(member_generators([0, 1], 0))
    good, bad = probe(gan, state, average, plan(config).batch, before=start, start=start, heavy=True)
    assert good["weights/finite"] == bad["weights/finite"] == 1
    assert not math.isfinite(bad["gradient_norm/discriminator"])
    assert math.isfinite(good["gradient_norm/discriminator"])


def test_a_member_is_probed_in_company_as_alone():
    config = small(loss="wasserstein", gradient_penalty=10.0)
    gan = make_gan(config, width_g=2, width_d=2, size=8, channels=1)
    state = gan.init(member_generators([0, 1, 2], 0))
    average = {key: state[key] for key in gan.generator.parameters}
    chosen = plan(config)
    together = probe(gan, state, average, chosen.batch, heavy=True, classify=chosen.classify)
    alone = probe(
        gan, member(state, 1), member(average, 1), chosen.batch, heavy=True, classify=chosen.classify
    )
    # Rank-deficient Jacobians have smallest values of rounding alone; a Ritz value that is nearly real, such parts.
    loose = ("jacobian/sigma_min", "jacobian/condition", "spectrum/")
    for name, value in alone[0].items():
        if not name.startswith(loose):
            assert together[1][name] == pytest.approx(value, rel=2e-3, abs=1e-5), name


def test_raw_weights_are_scored_once_at_the_end_where_asked(tmp_path: Path):
    config = replace(small(), ema=0.9)
    chosen = plan(config, every=0, spectrum_every=0, raw=True)

    def norm(state, seed):
        total = sum(float(tensor.square().sum()) for tensor in state.values())
        return [{"metric": "norm", "split": "test", "value": total}]

    _, log = train(tmp_path, config, [0], 20, probes=chosen, evaluate=norm)
    (row,) = rows_of(log)
    assert row["step"] == 20
    state = saved(tmp_path, 0)["state"]
    raw = sum(float(t.square().sum()) for key, t in state.items() if key.startswith("generator."))
    assert row["probe"] == {"raw/norm/test": pytest.approx(raw)}


def test_the_default_cadence_follows_from_the_steps_alone():
    for steps, every, spectrum in ((500, 250, 2000), (20_000, 250, 2000), (1_000_000, 10_000, 10_000)):
        assert ProbeCadence.resolve(steps, None, None) == ProbeCadence(every=every, spectrum_every=spectrum)
    off = ProbeCadence.resolve(1000, 0, 0)
    assert not any(off.light(step) or off.heavy(step) for step in range(1, 1001))
