"""The study `robust-transport`: its samples, what each kind of cell computes, claims and figures, on small problems."""

import json

import numpy as np
import pytest
from pytest import approx

from saddle.core.claim import Verdict
from saddle.errors import UserError
from saddle.report import Badge, Explorer
from saddle.studies.cell import Cell, CellResult
from saddle.studies.robust_transport import page
from saddle.studies.robust_transport.cells import cells, compute
from saddle.studies.robust_transport.claims import claims
from saddle.studies.robust_transport.config import CASES, RobustTransportConfig
from saddle.studies.robust_transport.knee import knee, knee_of
from saddle.studies.robust_transport.limits import limits, shrinkage
from saddle.studies.robust_transport.modes import matched, minority
from saddle.studies.robust_transport.pictures import CLEAN, OUTLIERS, PARTS
from saddle.studies.robust_transport.ranking import METHODS, auroc
from saddle.studies.robust_transport.ranking_figures import ranking_table
from saddle.studies.robust_transport.samples import contaminated, ring
from saddle.studies.robust_transport.theorem import BALLS, theorem

TINY = RobustTransportConfig(
    seeds=1,
    instances=3,
    other_instances=1,
    points=40,
    shares=(0.1,),
    dimensions=(2,),
    ring_outliers=(25,),
    ring_radii=12,
    clean_points=20,
)


@pytest.fixture(scope="module")
def results() -> dict[str, CellResult]:
    # As they come back from their folders: settings and numbers that have been JSON.
    found = {}
    for cell in cells(TINY):
        result = compute(Cell(name=cell.name, settings=json.loads(json.dumps(cell.settings))))
        found[cell.name] = CellResult(numbers=json.loads(json.dumps(result.numbers)), arrays=result.arrays)
    return found


def test_outliers_are_where_their_case_says():
    rng = np.random.default_rng(0)
    for d in (2, 10):
        for case in CASES:
            points, outlier = contaminated(rng, case, 300, 0.1, d)
            assert points.shape == (300, d) and outlier.sum() == 30
            spread = np.linalg.norm(points[outlier] - points[outlier].mean(0), axis=1).mean()
            distance = np.linalg.norm(points[outlier].mean(0))
            if case == "far clump":
                assert distance == approx(8, abs=0.3) and spread < 0.2 * d
            if case == "tight clump":
                # N(·, 0.05² I) at distance sqrt(d/2) from the mean: closer to it than half of the clean points.
                assert distance == approx(np.sqrt(d / 2), abs=0.1) and spread < 0.05 * d
                assert distance < np.median(np.linalg.norm(points[~outlier], axis=1))
    turned = ring(rng, 4000, modes=5, radius=3.0, sd=1e-9, turn=0.5)
    angles = np.round(np.degrees(np.arctan2(turned[:, 1], turned[:, 0])) % 360, 3)
    assert np.unique(angles).tolist() == [36, 108, 180, 252, 324]


def test_auroc_counts_pairs_and_halves_ties():
    outlier = np.array([True, True, False, False])
    assert auroc(np.array([3.0, 2.0, 1.0, 0.0]), outlier) == 1
    assert auroc(np.array([1.0, 1.0, 1.0, 1.0]), outlier) == 0.5
    # Pairs: 2 > 0, 2 > 1, 1 > 0 and a tie at 1.
    assert auroc(np.array([2.0, 1.0, 1.0, 0.0]), outlier) == 3.5 / 4


def test_the_knee_of_two_lines_is_where_they_meet():
    x = np.linspace(0.05, 0.75, 29)
    for corner in (0.2236, 1 / 3, 0.5):
        lines = np.where(x < corner, 40 * (corner - x), -0.5 * (x - corner)) + 2
        assert knee_of(x, lines) == approx(corner, abs=2e-4)


def test_far_outliers_keep_the_residual_share_and_the_value_bends_at_the_critical_radius():
    # 25 of 125: R* = 0.2/0.8 = 1/4. (In 2 % of such problems the interior point once ran its slack to 0.)
    found = knee(1, 25, 29)
    assert found["g"] == 0.2 and found["critical"] == 0.25
    assert found["uncertified"] == 0
    assert np.abs(np.array(found["mass"]) - found["predicted"]).max() < 0.002
    assert found["knee"] == approx(0.25, rel=0.02)


def test_random_problems_obey_the_theorem_on_certified_bounds():
    found = theorem(5, 4, 2)
    assert found["ball"] == ["chi-square"] * 4 + [name for name in BALLS[1:] for _ in range(2)]
    for low, high, least, most in zip(
        found["robust_low"], found["robust_high"], found["bound_low"], found["bound_high"], strict=True
    ):
        assert low <= high <= least <= most
    for cost, factor, high in zip(found["cost"], found["factor_low"], found["robust_high"], strict=True):
        assert (factor is None) == (cost == "sqeuclidean")
        assert factor is None or high <= factor


def test_limits_and_price_have_the_signs_of_the_theory():
    found = limits(3)
    assert 0 <= found["towards_flat"] < 0.005
    assert found["towards_least"] == approx(0, abs=1e-5) and found["free_at_one"] == approx(0, abs=1e-8)
    assert found["conventions"] == 0 and found["uncertified"] == 0
    assert max(found[key] for key in ("rise", "bulge", "over_scaled", "free_over_unit")) <= 0
    assert all(0 < shipped < 1 for shipped in found["shipped"])
    kept = shrinkage(0, 1.0, 40)
    # The program without unit mass keeps at most 1 − sqrt(0.1), and never more than the one with it.
    assert (
        kept["mass-free"] <= 1 - 0.1**0.5 and kept["mass-free"] <= kept["two-sided"] <= kept["one-sided"] <= 1
    )


def test_a_light_mode_is_dropped_and_matched_outliers_are_not():
    found = minority(0)
    light = [kept for share, kept in zip(found["share"], found["kept"], strict=True) if share <= 0.08]
    assert max(light) < 1e-6
    assert np.abs(np.array(found["kept"]) - found["predicted"]).max() < 0.002
    both = matched(0)
    # Opposite outliers cost 60 a unit and go at R*; those near each other cost about what clean ones do, and stay in part.
    assert both["opposite"][2] < 1e-3 and min(both["near each other"]) > 0.03


def test_every_cell_is_there_once_and_knows_its_settings():
    names = [cell.name for cell in cells(TINY)]
    assert len(set(names)) == len(names) == 1 + TINY.seeds * (4 + 1 + 3 + 4)
    assert len(cells(RobustTransportConfig.quick())) == 1 + 6 * (4 + 3 + 3 + 8)


def test_no_claim_of_the_theory_is_refuted_on_tiny_problems(results):
    found = claims(TINY, results)
    assert found[0].measured.value == 0 and found[0].measured.n > 60
    derived = [claim for claim in found if claim.certainty == "derived"]
    # The twelve radii of the tiny ring are too few to place the knee within 2 %.
    refuted = [claim.statement for claim in derived if claim.verdict == Verdict.REFUTED]
    assert [each for each in refuted if "knee" not in each] == []


def test_a_violation_and_a_certificate_that_is_missing_are_counted(results):
    spoilt = dict(results)
    numbers = {key: list(column) for key, column in results["theorem 0"].numbers.items()}
    numbers["robust_low"][0] = numbers["bound_high"][0] * 1.01
    numbers["certified"][0] = False
    spoilt["theorem 0"] = CellResult(numbers=numbers)
    before, after = claims(TINY, results), claims(TINY, spoilt)
    assert [claim.predicted for claim in before] == [claim.predicted for claim in after]
    assert after[0].measured.value == 1 and after[0].verdict == Verdict.REFUTED
    assert after[1].measured.value == 1 and after[1].verdict == Verdict.REFUTED


def test_the_table_of_rankings_marks_the_best_and_what_is_worse_than_chance():
    values = {name: 0.6 + 0.01 * i for i, name in enumerate(METHODS)} | {"kNN(X)": 0.1}
    rows = {"auroc": {name: [value] for name, value in values.items()}, "scaled": {}}
    table = ranking_table(TINY, {f"ranking {case} 2 0": CellResult(numbers=rows) for case in CASES}, 2)
    marks = dict(zip(METHODS, table.rows[0][2:], strict=True))
    assert marks["kNN(X)"] == Badge("0.100", "bad")
    assert [name for name in METHODS if marks[name] == Badge("0.680", "good")] == ["LOF(X)"]


def test_the_page_draws_a_coupling_and_says_a_sentence_for_every_ball_and_radius(results):
    shown = {
        section.heading: section.blocks for section in page.sections(TINY, results, claims(TINY, results))
    }
    (_, explorer) = shown["Weights and potentials"]
    assert isinstance(explorer, Explorer)
    assert set(explorer.readings) == {(k, p) for k in range(4) for p in range(len(PARTS))}
    value, coupling, weights = explorer.charts
    # More room never costs more, in any ball.
    lines = [layer["data"]["values"] for layer in value.specification["layer"][:4]]
    assert all(np.all(np.diff([row["y"] for row in line]) <= 1e-6) for line in lines)
    ways = coupling.specification["layer"][0]["data"]["values"]
    assert {(row["k"], row["p"]) for row in ways} == set(explorer.readings)
    points = weights.specification["data"]["values"]
    assert len(points) == (CLEAN + OUTLIERS) * 4 * len(PARTS)
    # Without room all weights are 1; at the critical radius of CVaR all outliers have 0.
    assert {row["weight"] for row in points if row["p"] == 0} == {1}
    cvar = [
        row["weight"] for row in points if row["k"] == BALLS.index("cvar") and row["p"] == 3 and row["out"]
    ]
    assert max(cvar) < 1e-6
    assert "keep 0.000" in explorer.readings[BALLS.index("cvar"), 3]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"seeds": 0}, "seeds is 0; it must be at least 1"),
        ({"points": 10}, "points is 10; it must be at least 40"),
        ({"shares": (0.6,)}, "between 0.02 and 0.4"),
        ({"dimensions": ()}, "dimensions of at least 1"),
        ({"ring_outliers": (0,)}, "between 1 and 60"),
    ],
)
def test_what_cannot_be_studied_is_refused(wrong, sentence):
    with pytest.raises(UserError, match=sentence):
        RobustTransportConfig(**wrong)
