"""The study `robust-gan`: its cells, claims and page, trained shortly or made up."""

import json

import numpy as np
import pytest

from saddle.core.claim import Verdict
from saddle.errors import UserError
from saddle.report import Table
from saddle.studies.cell import Cell, CellResult
from saddle.studies.robust_gan.cells import cell_name, cells, chunks, compute
from saddle.studies.robust_gan.claims import claims
from saddle.studies.robust_gan.config import FULL, METHOD_NAMES, SETTING_NAMES, RobustGanConfig
from saddle.studies.robust_gan.methods import METHODS
from saddle.studies.robust_gan.page import sections
from saddle.studies.robust_gan.reading import Results
from saddle.studies.robust_gan.settings import SETTINGS
from saddle.transport import rho_for

TINY = RobustGanConfig(
    seeds=5,
    steps=4,
    samples=40,
    plan=(
        ("cluster 10 %", ("plain", "exact", "stale", "oracle")),
        ("light mode", ("plain", "exact")),
    ),
)


@pytest.fixture(scope="module")
def trained() -> dict[str, CellResult]:
    # Settings as they come back from their folders: they have been JSON. Numbers that are NaN come back as None.
    found = {}
    for cell in cells(TINY):
        result = compute(Cell(name=cell.name, settings=json.loads(json.dumps(cell.settings))))
        numbers = {
            key: [None if np.isnan(value) else value for value in values]
            for key, values in result.numbers.items()
        }
        found[cell.name] = CellResult(numbers=json.loads(json.dumps(numbers)), arrays=result.arrays)
    return found


def made_up(values, config):
    """Results in which every seed has its method's numbers; `values[setting, method]` replace those of a method."""
    found = {}
    for setting, methods in config.plan:
        for method in methods:
            numbers = {"off": 0.12, "distance": 0.7, "spent": 0.03, "auroc_weight": 1.0, "light": 0.1}
            if method != "plain":
                numbers |= {"off": 0.005, "distance": 0.3}
            if method in ("network", "stale"):
                numbers["off"] = 0.05
            numbers |= values.get((setting, method), {})
            for seeds in chunks(config):
                # A little of a spread, the same for all methods, so that intervals are no points.
                wobble = [1 + 0.01 * (seed % 3) for seed in seeds]
                shares = np.full((len(seeds), 4), numbers["light"])
                found[cell_name(setting, method, seeds)] = CellResult(
                    numbers={
                        name: [value * each for each in wobble]
                        for name, value in numbers.items()
                        if name != "light"
                    },
                    arrays={"mode_shares": shares},
                )
    return found


def verdict(made, *words):
    (claim,) = [claim for claim in made if all(word in claim.statement for word in words)]
    return claim.verdict


def test_the_names_are_those_of_the_things():
    assert tuple(METHODS) == METHOD_NAMES
    assert tuple(SETTINGS) == SETTING_NAMES
    assert tuple(setting for setting, _ in FULL) == SETTING_NAMES
    assert METHODS["exact, 2 rho*"].problem(SETTINGS["cluster 5 %"]).rho == 2 * rho_for(0.05)


def test_cells_are_groups_of_four_seeds_and_shared_by_longer_studies():
    full, less = RobustGanConfig.full(), RobustGanConfig(seeds=4)
    by_name = {cell.name: cell for cell in cells(full)}
    assert len(by_name) == len(cells(full)) == 2 * sum(len(methods) for _, methods in FULL)
    assert all(by_name[cell.name].settings == cell.settings for cell in cells(less))
    assert [list(group) for group in chunks(RobustGanConfig(seeds=6, first_seed=2))] == [[2, 3, 4, 5], [6, 7]]


def test_a_cell_measures_every_seed(trained):
    found = Results(TINY, trained)
    assert found.values("cluster 10 %", "exact", "off").shape == (5,)
    assert found.values("cluster 10 %", "plain", "floor").max() < 2
    assert (found.values("cluster 10 %", "exact", "spent") <= rho_for(0.1) * 1.001).all()
    assert np.isnan(found.values("light mode", "exact", "auroc_weight")).all()
    shares = found.array("cluster 10 %", "oracle", "mode_shares")
    assert np.allclose(shares.sum(1), 1 - found.values("cluster 10 %", "oracle", "off"))
    assert found.outliers("cluster 10 %").sum() == 5 * 400
    assert np.array_equal(
        found.first("cluster 10 %", "exact").arrays["outlier"][0], found.outliers("cluster 10 %")[0]
    )


def test_the_page_shows_every_method_and_setting(trained):
    shown = sections(TINY, trained, claims(TINY, trained))
    tables = [block for section in shown for block in section.blocks if isinstance(block, Table)]
    off, distance, *_ = tables
    assert [row[0] for row in off.rows] == ["plain", "exact", "stale", "oracle"]
    assert distance.rows[-1][0] == "two clean samples"
    text = repr(shown)
    assert "NaN" not in text
    assert all(
        method.words in text for name, method in METHODS.items() if name in ("exact", "stale", "oracle")
    )


def test_claims_follow_the_numbers():
    config = RobustGanConfig.full()
    made = claims(config, made_up({("cluster 10 %", "exact"): {"off": 0.02}}, config))
    assert verdict(made, "cluster, exact batch weights at rho* put at most 0.03") == Verdict.SUPPORTED
    assert verdict(made, "10 % outliers in a cluster, the plain", "at least 0.10") == Verdict.SUPPORTED
    assert verdict(made, "uniform", "than the weight network") == Verdict.SUPPORTED
    # 0.4 of the distance on clean data; the same share of a light mode as the data has.
    assert verdict(made, "cost at most 10 % of W1") == Verdict.SUPPORTED
    assert verdict(made, "mass 0.1", "keeps at least half") == Verdict.SUPPORTED
    assert verdict(made, "mass 0.1", "loses at least half") == Verdict.REFUTED
    worse = {
        ("cluster 10 %", "exact"): {"off": 0.04, "distance": 0.5},
        ("uniform 10 %", "exact"): {"off": 0.2},
    }
    made = claims(config, made_up(worse, config))
    assert (
        verdict(made, "10 % outliers in a cluster, exact batch weights at rho* put at most")
        == Verdict.REFUTED
    )
    assert verdict(made, "0.42 or less") == Verdict.REFUTED
    assert verdict(made, "uniform", "than the plain WGAN-GP") == Verdict.REFUTED
    assert verdict(made, "10 % outliers in a cluster", "than the weight network") == Verdict.SUPPORTED


def test_a_run_that_came_to_nothing_is_not_measured():
    config = RobustGanConfig.quick()
    broken = made_up({("cluster 10 %", "exact"): {"distance": float("nan")}}, config)
    made = claims(config, broken)
    assert verdict(made, "0.42 or less") == Verdict.UNDECIDED


def test_a_quick_study_has_the_claims_of_its_settings():
    config = RobustGanConfig.quick()
    made = claims(config, made_up({}, config))
    assert not any("uniform" in claim.statement or "mode of mass" in claim.statement for claim in made)
    assert {claim.measured.n for claim in made} == {4}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": 0}, "seeds is 0"),
        ({"plan": ()}, "at least one"),
        ({"plan": (("nowhere", ("plain",)),)}, "settings are"),
        ({"plan": (("clean", ("plain", "magic")),)}, "settings are"),
        ({"plan": (("clean", ("exact", "plain")),)}, "plain first"),
    ],
)
def test_plans_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(UserError, match=words):
        RobustGanConfig(**changes)
