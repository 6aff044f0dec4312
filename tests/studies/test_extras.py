"""Extras of finished runs: their files, their rows in the table, their sections, and what is measured anew."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch

from saddle.data import DataConfig
from saddle.gan.config import GanConfig
from saddle.gan.sampling import sample
from saddle.gan.saved import open_run
from saddle.metrics.config import MetricsConfig
from saddle.metrics.divergence.config import NndConfig
from saddle.runs import RunFolder
from saddle.studies.diagnosis import Finding, Severity
from saddle.studies.width_sweep.config import RunOptions, SweepConfig
from saddle.studies.width_sweep.extra_files import extra_path, read_extra, read_settings, write_extra
from saddle.studies.width_sweep.extra_jobs import drawer
from saddle.studies.width_sweep.extras import ExtrasOptions, compute_extras, divergence_name, read_extras
from saddle.studies.width_sweep.reading import read_sweep
from saddle.studies.width_sweep.report import page_of
from saddle.studies.width_sweep.sweep import run_sweep

SMALL = NndConfig(width=1, iterations=2, batch=4, ema=0.5, evaluation_batches=2)
OPTIONS = ExtrasOptions(nnd="quick", memorisation=True, device="cpu", workers=1)


def sweep_of(out: Path) -> SweepConfig:
    return SweepConfig(
        data=DataConfig(data="digits", limit=60),
        gan=GanConfig(arch="mlp", batch=16),
        metrics=MetricsConfig(features="pixels", neighbours=3),
        run=RunOptions(steps=2, workers=1, probe_every=0, spectrum_every=0),
        widths=(1, 2),
        seeds=2,
        nnd=True,
        out=out,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    """A finished sweep with what is measured besides its scores, the critics tiny."""
    out = tmp_path_factory.mktemp("extras") / "s"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NndConfig, "quick", classmethod(lambda cls: SMALL))
        outcome = run_sweep(sweep_of(out))
        assert not outcome.failures and not outcome.extras.failures and len(outcome.extras.outcomes) == 3
        assert set(compute_extras(out, OPTIONS).outcomes) == {"nearest neighbours"}
    return out


@pytest.fixture
def swept(measured, tmp_path, monkeypatch) -> Path:
    """A copy, to be changed."""
    monkeypatch.setattr(NndConfig, "quick", classmethod(lambda cls: SMALL))
    return Path(shutil.copytree(measured, tmp_path / "s"))


def runs(folder: Path) -> list[RunFolder]:
    return [RunFolder.open(path.parent) for path in sorted(folder.glob("*/config.json"))]


def test_an_extra_counts_for_its_own_settings_only(tmp_path):
    write_extra(tmp_path, "nnd", {"step": 4, "sizes": (1, 2)}, {"value": 0.5, "gone": float("nan")})
    assert read_extra(tmp_path, "nnd") == {"value": 0.5, "gone": None}
    assert read_extra(tmp_path, "nnd", {"step": 4, "sizes": (1, 2)}) == {"value": 0.5, "gone": None}
    assert read_extra(tmp_path, "nnd", {"step": 5, "sizes": (1, 2)}) is None
    assert read_extra(tmp_path, "nnd", {"step": 4, "sizes": (1, 3)}) is None
    # The checkpoint of a run whose further training was stopped is later than its last result.
    assert read_extra(tmp_path, "nnd", {"step": 3, "sizes": (1, 2)}) is not None
    assert read_settings(tmp_path, "nnd") == {"step": 4, "sizes": [1, 2]}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "numbers": {}}', '{"version": 1, "numbers": 3}', "[" * 9999]
)
def test_a_damaged_extra_is_a_missing_one(tmp_path, text):
    path = extra_path(tmp_path, "nnd")
    path.parent.mkdir()
    path.write_text(text)
    assert read_extra(tmp_path, "nnd") is None and read_settings(tmp_path, "nnd") == {}


def test_a_divergence_is_called_by_its_protocol():
    known = {"exact": NndConfig.exact(), "quick": NndConfig.quick(), "own": SMALL}
    names = {key: divergence_name(vars(config) | {"step": 3}) for key, config in known.items()}
    assert names == {"exact": "NND", "quick": "NND(quick)", "own": "NND(own)"}
    assert divergence_name(None) == "NND(own)"


def test_the_table_has_a_row_a_run_and_readers_the_same_scores(measured, monkeypatch):
    monkeypatch.setattr(NndConfig, "quick", classmethod(lambda cls: SMALL))
    table = polars.read_csv(measured / "results.csv")
    rows = table.filter(polars.col("metric") == "NND(quick)")
    assert sorted(zip(rows["width"], rows["seed"], strict=True)) == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert set(rows["split"]) == {"test"} and set(rows["step"]) == {2} and rows["floor"].null_count() == 4
    assert set(rows["n_fake"]) == {SMALL.batch * SMALL.evaluation_batches}
    stored = {
        (run.config["width"], run.config["seed"]): (read_extra(run.path, "nnd") or {})["value"]
        for run in runs(measured)
    }
    found = {(w, s): v for w, s, v in zip(rows["width"], rows["seed"], rows["value"], strict=True)}
    assert found == pytest.approx(stored, rel=1e-9)


def test_nothing_is_measured_twice_and_what_was_trained_on_is(swept):
    assert compute_extras(swept, OPTIONS).outcomes == {}
    first = runs(swept)[0]
    # A run that went on has another step.
    result = json.loads((first.path / "result.json").read_text())
    for name in ("nnd", "memorisation"):
        settings = read_settings(first.path, name)
        write_extra(first.path, name, settings | {"step": 1}, {"value": 0.0})
    outcomes = compute_extras(swept, OPTIONS).outcomes
    assert set(outcomes) == {f"width {first.config['width']}: divergence", "nearest neighbours"}
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert read_settings(first.path, "nnd")["step"] == result["step"]


def test_a_run_measured_again_gives_the_same_numbers(swept):
    before = {run.path.name: read_extra(run.path, "nnd") for run in runs(swept)}
    for run in runs(swept)[:1]:
        extra_path(run.path, "nnd").unlink()
    compute_extras(swept, OPTIONS)
    # The critics of a fleet never mix, so that one run alone gives what it gave beside its mate, up to rounding.
    for run in runs(swept):
        again = read_extra(run.path, "nnd")
        assert again is not None
        assert again["value"] == pytest.approx((before[run.path.name] or {})["value"], rel=1e-4)


def test_a_generator_is_drawn_from_as_samples_are_made(measured):
    saved = open_run(runs(measured)[0].path)
    mine = drawer(saved, "cpu")(8, torch.Generator().manual_seed(3))
    latents = torch.randn(1, 8, saved.config.latent, generator=torch.Generator().manual_seed(3))
    # Padding to another batch may round a pixel differently.
    other = sample(saved.network, saved.state, latents)
    assert (mine.int() - other.int()).abs().max() <= 1


def test_pictures_are_of_training_images_and_nearest_in_pixels(measured):
    from saddle.studies.width_sweep.images import load_images

    run = runs(measured)[0]
    data = run.config["data"]
    train = load_images(measured / "cache", data["train"], data["test"]).train.images.numpy()
    with np.load(extra_path(run.path, "memorisation").with_suffix(".npz")) as stored:
        shown, near = stored["samples"], stored["by_pixels"]
    gaps = np.sqrt(((shown[:, None].astype(float) - train[None]) ** 2).sum(axis=(2, 3, 4)))
    mine = np.sqrt(((shown[:, None].astype(float) - near) ** 2).sum(axis=(2, 3, 4)))
    np.testing.assert_allclose(mine, np.sort(gaps, axis=1)[:, :3])


def test_a_report_has_the_sections_of_what_was_measured(swept):
    finding = Finding(
        kind="mode-collapse",
        title="Modes are missing",
        sentence="Two classes of ten are not drawn.",
        evidence={"coverage/classes": 0.8},
        next_step="Widen both networks.",
        severity=Severity.WARNING,
    )
    for run in runs(swept):
        write_extra(run.path, "diagnosis", {"step": 2, "status": "done"}, {"findings": [finding.to_json()]})
    headings = [heading for heading, _ in page_of(read_sweep(swept)).sections]
    assert "Generalisation: NND" in headings and "What went wrong" in headings
    extras = read_extras(read_sweep(swept))
    assert set(extras.references) == {"memorised", "held-out"}
    assert all(set(found) == {0, 1} for found in extras.references.values())
    assert len(extras.findings) == 4 and len(extras.tables["nnd"]) == 4


def small_sweep(folder: Path) -> tuple[Path, list[Path]]:
    """Two runs of step 10, simulated."""
    from tests.studies.fabricated_sweep import fabricate

    fabricate(folder, widths=(2,), seeds=2, steps=10)
    return folder, sorted(path.parent for path in folder.glob("*/config.json"))


@pytest.mark.parametrize("value", ['"wide"', "true", "null", "1e999", "1" + "0" * 400, "[1]"])
def test_what_is_no_number_is_left_out(tmp_path, value):
    folder, (first, second) = small_sweep(tmp_path / "s")
    settings = asdict(SMALL) | {"step": 10}
    write_extra(second, "nnd", settings, {"value": 0.5})
    for name, numbers in (
        ("nnd", f'{{"value": {value}}}'),
        ("memorisation", f'{{"score": {value}, "pixels": {value}}}'),
    ):
        write_extra(first, name, settings, {})
        stored = json.dumps(settings)
        extra_path(first, name).write_text(f'{{"version": 1, "settings": {stored}, "numbers": {numbers}}}')
    (folder / "extras").mkdir()
    lines = f'{{"memorised": {{"x": {{"value": 1}}, "0": {{"value": {value}}}, "1": {{"value": 2}}}}}}'
    extra_path(folder, "nnd").write_text(
        f'{{"version": 1, "settings": {json.dumps(settings)}, "numbers": {lines}}}'
    )
    found = read_extras(read_sweep(folder))
    assert found.tables == {"nnd": {(2, 1): 0.5}} and found.references == {"memorised": {1: 2.0}}


def test_what_was_measured_before_a_run_was_trained_on_does_not_count(tmp_path):
    folder, (first, second) = small_sweep(tmp_path / "s")
    write_extra(first, "nnd", asdict(SMALL) | {"step": 5}, {"value": 0.1})
    write_extra(second, "nnd", asdict(SMALL) | {"step": 10}, {"value": 0.2})
    write_extra(first, "diagnosis", {"step": 5, "status": "done"}, {"findings": []})
    found = read_extras(read_sweep(folder))
    assert found.tables == {"nnd": {(2, 1): 0.2}} and found.findings == {}


def test_divergences_of_two_protocols_are_not_mixed(tmp_path):
    folder, (first, second) = small_sweep(tmp_path / "s")
    write_extra(first, "nnd", asdict(NndConfig.exact()) | {"step": 10}, {"value": 3.0})
    write_extra(second, "nnd", asdict(NndConfig.quick()) | {"step": 10}, {"value": 0.2})
    (folder / "extras").mkdir()
    write_extra(folder, "nnd", asdict(NndConfig.quick()), {"memorised": {"0": {"value": 1.0}}})
    found = read_extras(read_sweep(folder))
    assert found.protocol == "NND" and found.tables == {"nnd": {(2, 0): 3.0}} and found.references == {}


def test_pictures_that_are_none_are_left_out(tmp_path):
    from saddle.studies.gan_width.pictures import _arrays, _sheet

    good = {"samples": (2, 1, 4, 4), "by_features": (2, 3, 1, 4, 4), "by_pixels": (2, 3, 1, 4, 4)}
    path = tmp_path / "m.npz"

    def write(**changed) -> None:
        arrays: dict[str, Any] = {k: np.zeros(v, np.uint8) for k, v in good.items()} | changed
        np.savez_compressed(path, **arrays)

    write()
    assert _sheet(*_arrays(path)).startswith(b"\x89PNG")
    for bad in (
        np.zeros(good["samples"], np.float32),
        np.zeros((2, 2, 4, 4), np.uint8),
        np.zeros((0, 1, 4, 4), np.uint8),
        np.zeros((2, 1, 4, 5), np.uint8),
        np.uint8(3),
        np.array([{}], dtype=object),
        np.zeros((1, 1, 9000, 9000), np.uint8),  # 81 MB of zeros in 80 kB
    ):
        write(samples=bad)
        with pytest.raises(ValueError, match=r"image|bytes|large|belong|[Pp]ickle"):
            _arrays(path)


def test_runs_without_extras_have_none(tmp_path):
    from tests.studies.fabricated_sweep import fabricate

    sweep = read_sweep(fabricate(tmp_path / "s", seeds=2))
    extras = read_extras(sweep)
    assert extras.tables == {} and extras.references == {} and extras.findings == {}
    assert (
        compute_extras(
            tmp_path / "s", replace(OPTIONS, nnd="none", memorisation=False, diagnose=False)
        ).outcomes
        == {}
    )
