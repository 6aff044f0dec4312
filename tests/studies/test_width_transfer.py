"""The study `width-transfer`: best steps, their slope, the claims and the page; and that older runs keep their folders."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pytest import approx

from saddle.core import Verdict
from saddle.data import ImageSet, Split
from saddle.errors import UserError
from saddle.gan import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.report import Chart
from saddle.runs import config_hash
from saddle.studies.cell import Cell, CellResult
from saddle.studies.width_sweep.cells import Widths, identity
from saddle.studies.width_transfer.best import best_exponents, transfer
from saddle.studies.width_transfer.cells import cells, check_name, compute, name_of
from saddle.studies.width_transfer.claims import claims
from saddle.studies.width_transfer.config import WidthTransferConfig
from saddle.studies.width_transfer.page import sections

CONFIG = WidthTransferConfig(widths=(32, 64, 128), exponents=(-12, -11, -10, -9, -8, -7, -6), seeds=4)


def fabricated(slopes: dict[str, float], config: WidthTransferConfig = CONFIG) -> dict[str, CellResult]:
    """Distances 2^(2 + (e − e*)²/4) with the best exponent e* = −7 at width 32 falling by `slopes` a doubling."""
    found: dict[str, CellResult] = {}
    exponents = np.array(config.exponents, dtype=float)[:, None]
    jitter = np.linspace(-0.1, 0.1, config.seeds)
    for name, slope in slopes.items():
        for doublings, width in enumerate(config.widths):
            best = -7 + slope * doublings + jitter
            distance = 2 ** (2 + (exponents - best) ** 2 / 4)
            found[name_of("mlp", name, width)] = CellResult(arrays={"distance": distance})
        growth = 2.0 ** (np.arange(3) * (1 if name == "standard" else 0))
        change = np.broadcast_to(growth[:, None, None], (2, 3, config.check_steps + 1, config.seeds))
        found[check_name("mlp", name)] = CellResult(
            numbers={"layers": ["generator.hidden1", "generator.hidden2"], "hidden": ["generator.hidden2"]},
            arrays={"change": change, "value": change},
        )
    return found


def test_the_best_step_is_the_vertex_and_never_beyond_the_grid():
    exponents = np.arange(-10.0, -3.0)
    level = np.stack([(exponents + 7.3) ** 2, exponents, -exponents], axis=1)
    # A parabola is found exactly; a falling or rising line has its best at an end.
    assert best_exponents(exponents, level) == approx([-7.3, -10, -4])


def test_slope_and_cost_are_those_that_were_put_in():
    results = fabricated({"standard": -1.0, "mup": 0.0})
    standard, mup = (transfer(CONFIG, results, "mlp", name) for name in ("standard", "mup"))
    assert standard.slope.value == approx(-1) and mup.slope.value == approx(0, abs=1e-9)
    # Two doublings carry the best exponent from −7 to −9: (2)²/4 = 1 in log₂, so a factor of 2.
    assert standard.cost.value == approx(1) and mup.cost.value == approx(0)
    assert standard.at_ends == standard.diverged == 0


def test_a_run_that_diverged_counts_as_bad_and_is_reported():
    results = fabricated({"standard": -1.0, "mup": 0.0})
    distance = results[name_of("mlp", "mup", 128)].arrays["distance"].copy()
    distance[0, 0] = np.inf
    results[name_of("mlp", "mup", 128)] = CellResult(arrays={"distance": distance})
    found = transfer(CONFIG, results, "mlp", "mup")
    assert found.diverged == 1 and np.isfinite(found.levels).all()
    worst = np.log2(distance[1:, 0].max())
    assert found.levels[-1, 0, 0] == approx(worst + 1)
    assert found.slope.value == approx(0, abs=1e-9)
    assert any("1 of 84 runs diverged" in claim.note for claim in claims(CONFIG, results))


def test_claims_follow_the_numbers_either_way():
    said = {
        c.statement.split(", ")[-1][:30]: c.verdict
        for c in claims(CONFIG, fabricated({"standard": -1.0, "mup": 0.0}))
    }
    assert len(said) >= 4 and set(said.values()) == {Verdict.SUPPORTED}
    # The other way round, best steps and costs are refuted; the coordinate checks stand for themselves.
    turned = claims(CONFIG, fabricated({"standard": 0.0, "mup": -1.0}))
    assert [claim.verdict for claim in turned] == [Verdict.SUPPORTED] * 2 + [Verdict.REFUTED] * 4


def test_the_page_shows_the_slopes_it_claims():
    results = fabricated({"standard": -1.0, "mup": 0.0})
    made = sections(CONFIG, results, claims(CONFIG, results))
    assert [section.heading for section in made][-1] == "How it was measured"
    figures = made[0].blocks[0].figures  # type: ignore[attr-defined]
    assert [figure.value for figure in figures] == ["× 0.50", "× 2.00", "× 1.00", "× 1.00"]
    chart = made[0].blocks[1]
    assert isinstance(chart, Chart)
    rows = [
        layer["data"]["values"] for layer in chart.specification["layer"] if layer["mark"]["type"] == "point"
    ]  # type: ignore[attr-defined]
    assert [row["y"] for row in rows[0]] == approx([2**-7, 2**-8, 2**-9])
    checks = made[2].blocks[1].blocks  # type: ignore[attr-defined]
    assert "generator.hidden2 has slope 1.00" in checks[0].description
    assert "generator.hidden2 has slope 0.00" in checks[1].description


TINY = WidthTransferConfig(
    widths=(4, 8), exponents=(-10, -9, -8), iterations=3, seeds=2, features="pixels", samples=70, check_steps=1
)  # fmt: skip


def test_a_member_is_what_it_is_alone():
    # All steps and seeds train as one fleet; the last step's members alone give the same numbers, up to rounding.
    cell = next(cell for cell in cells(TINY) if cell.name == name_of("mlp", "mup", 8))
    settings = json.loads(json.dumps(cell.settings))
    every = compute(Cell(name=cell.name, settings=settings)).arrays
    alone = compute(Cell(name=cell.name, settings={**settings, "exponents": [-8]})).arrays
    for key in ("distance", "loss_generator", "loss_discriminator"):
        assert every[key].shape == (3, 2)
        assert every[key][2] == approx(alone[key][0], rel=1e-3)
    assert len(np.unique(every["distance"])) == 6


def test_the_check_knows_which_layers_are_hidden():
    cell = next(cell for cell in cells(TINY) if cell.name == check_name("mlp", "standard"))
    result = compute(Cell(name=cell.name, settings=json.loads(json.dumps(cell.settings))))
    assert result.numbers["hidden"] == [
        f"{player}.hidden{i}" for player in ("generator", "discriminator") for i in (2, 3)
    ]
    assert result.arrays["change"].shape == (8, 2, 2, 2)


def test_cells_are_all_widths_in_both_parameterisations_and_the_checks():
    names = [cell.name for cell in cells(replace(TINY, archs=("mlp", "dcgan")))]
    assert len(names) == len(set(names)) == 2 * 2 + 2 * 3 + 4


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"archs": ("vit",)}, "name some of"),
        ({"widths": (8,)}, "rising widths"),
        ({"widths": (8, 4)}, "rising widths"),
        ({"exponents": (-8, -6, -4)}, "one more than the last"),
        ({"seeds": 0}, "at least 1"),
        ({"features": "vgg"}, "random or pixels"),
    ],
)
def test_settings_that_cannot_be_studied_are_refused(change, match):
    with pytest.raises(UserError, match=match):
        replace(TINY, **change)


def sweep_identity(gan: GanConfig) -> dict[str, object]:
    images = ImageSet(name="zeros", images=torch.zeros(4, 1, 8, 8, dtype=torch.uint8))
    widths = Widths(width=4, generator=4, discriminator=4)
    metrics = MetricsConfig(features="random")
    return identity(widths, 3, split=Split(train=images, test=images), gan=gan, metrics=metrics, samples=100)


def test_runs_of_before_keep_their_folders():
    # Hashes written down by the version before the option `parameterisation` came (commit 0dd45c8).
    assert config_hash(sweep_identity(GanConfig())) == "ef29eddc74307280"
    assert config_hash(sweep_identity(GanConfig(arch="mlp", lr_g=1e-3))) == "9c4201a88e58bb7d"
    assert "parameterisation" not in sweep_identity(GanConfig())["gan"]  # type: ignore[operator]
    used = sweep_identity(GanConfig(parameterisation="mup"))
    assert used["gan"]["parameterisation"] == "mup"  # type: ignore[index]
    assert config_hash(used) != "ef29eddc74307280"
