"""What a sweep's report says: the numbers it compares, the width it recommends, and its words, on made-up sweeps."""

import importlib.util
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from saddle.errors import UserError
from saddle.studies.width_sweep import wording
from saddle.studies.width_sweep.law import choose
from saddle.studies.width_sweep.reading import Score, find, read_sweep
from saddle.studies.width_sweep.report import build_report, page_of
from saddle.studies.width_sweep.summary import (
    about,
    compared,
    fluctuations,
    gaps,
    levels,
    median_interval,
    metric_names,
)
from saddle.theory import PowerLaw, Undetermined

_spec = importlib.util.spec_from_file_location(
    "fabricated_sweep", Path(__file__).with_name("fabricated_sweep.py")
)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
fabricate = _module.fabricate

FD = "FD(classifier)"


def scores(table: Mapping[int, Sequence[float]], metric: str = "FD(random)") -> list[Score]:
    return [
        Score(
            width=width, seed=seed, run=f"{width}-{seed}", metric=metric, split="test", step=100, value=float(value),
            n_real=360, n_fake=360, floor=1.0, status="done",
        )
        for width, values in table.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip


def text_of(page) -> str:
    """The words of a page, without charts and tags."""
    html = re.sub(r"<(script|style|svg).*?</\1>", " ", page.render(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("&#39;", "'")


@pytest.fixture(autouse=True)
def words_only(monkeypatch):
    """Drawing the charts takes most of a page's time; what they draw is looked at in the browser tests."""
    monkeypatch.setattr("saddle.report.charts.still", lambda spec: "<svg></svg>")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return read_sweep(fabricate(tmp_path_factory.mktemp("sweep"), diverged=((2, 1),)))


def test_a_folder_is_read_as_it_was_written(sweep):
    assert sweep.widths == (2, 4, 8, 16) and sweep.seeds == (0, 1, 2)
    assert len(sweep.runs) == 12
    assert {run.status for run in sweep.runs} == {"done", "diverged"}
    assert sweep.data["n_test"] == 360
    assert find(sweep.config, "arch") == "dcgan" and find(sweep.config, "nowhere") is None
    assert sorted(sweep.runs[0].pictures) == list(range(150, 1501, 150))
    assert metric_names(sweep)[:3] == (FD, "KD(classifier)", "precision(classifier)")


def test_failed_runs_are_compared_with_nothing(sweep):
    found = compared(sweep, FD, "test")
    assert len(found) == 11
    assert {score.step for score in found} == {1500}
    assert (2, 1) not in {(score.width, score.seed) for score in found}
    assert len(fluctuations(sweep, FD, "test")) == 11
    assert len(gaps(sweep, FD)) == 11


def test_runs_of_different_length_are_compared_at_the_last_step_they_share(tmp_path):
    folder = fabricate(tmp_path / "s", unfinished=((4, 0), (16, 2)))
    # Two runs are unfinished: only those that are done count, and all are at 1,500.
    assert {score.step for score in compared(read_sweep(folder), FD, "test")} == {1500}
    for path in folder.glob("*/result.json"):
        path.unlink()
    # None is done: the last step that all of them have reached is a third of the way.
    assert {score.step for score in compared(read_sweep(folder), FD, "test")} == {450}
    assert len(compared(read_sweep(folder), FD, "test")) == 12


def test_runs_of_another_configuration_are_no_part_of_the_sweep(tmp_path):
    folder = fabricate(tmp_path / "s")
    other = folder / "f"
    other.mkdir()
    (other / "config.json").write_text(
        json.dumps({"kind": "gan", "data": {"size": 64}, "width": 2, "seed": 9})
    )
    begun = folder / "e"
    begun.mkdir()
    (begun / "config.json").write_text(
        json.dumps({"kind": "gan", "data": {"size": 8}, "width": 32, "seed": 0})
    )
    runs = {run.key: run for run in read_sweep(folder).runs}
    assert "f" not in runs and len(runs) == 13
    assert runs["e"].status == "unfinished" and runs["e"].width == 32


def test_the_interval_of_the_median_is_that_of_order_statistics():
    # P(Bin(n, 1/2) ≤ r − 1): n = 3, r = 1: 1 − 2/8. n = 6, r = 1: 1 − 2/64. n = 9, r = 2: 1 − 2 (1 + 9)/512.
    assert median_interval([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0, approx(0.75))
    assert median_interval([float(i) for i in range(6)]) == (2.5, 0.0, 5.0, approx(0.96875))
    assert median_interval([float(i) for i in range(9)]) == (4.0, 1.0, 7.0, approx(1 - 20 / 512))
    assert median_interval([5.0]) == (5.0, 5.0, 5.0, 0.0)


def test_the_interval_holds_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(2000, 5))
    held = [low <= math.log(2) <= high for _, low, high, _ in map(median_interval, draws.tolist())]
    # 1 − 2⁻⁴ = 0.9375, with a standard error of 0.0054.
    assert np.mean(held) == approx(0.9375, abs=0.02)


def test_a_steady_fall_is_no_fluctuation_and_a_swing_is(tmp_path):
    found = read_sweep(fabricate(tmp_path / "s"))
    steady = [100.0, 99.0, 98.0, 97.0, 96.0]
    swing = [100.0, 90.0, 100.0, 90.0, 100.0]
    rows = [
        Score(
            width=width, seed=0, run="r", metric="FD(x)", split="test", step=step, value=value,
            n_real=1, n_fake=1, floor=0.0, status="done",
        )
        for width, values in ((2, steady), (4, swing))
        for step, value in enumerate(values)
    ]  # fmt: skip
    sweep = type(found)(folder=found.folder, config={}, data={}, runs=(), scores=tuple(rows))
    (_, _, calm), (_, _, wild) = fluctuations(sweep, "FD(x)", "test")
    assert calm == approx(math.sqrt(4 / 8) / 98)
    assert wild == approx(math.sqrt(400 / 8) / 96)


def test_metrics_are_known_by_the_names_they_are_shown_with():
    for name, key, better in (
        ("FD(random)", "frechet", "lower"),
        ("FID", "frechet", "lower"),
        ("KD(inception-768)", "kernel", "lower"),
        ("coverage(pixels)", "coverage", "higher"),
    ):
        info = about(name)
        assert info is not None and (info.key, info.better) == (key, better)
    assert about("sharpness") is None


def test_the_law_chooses_the_smallest_width_near_the_best():
    # y = 10 + 64 k⁻²: 14, 11, 10.25 and 10.06 at 4, 8, 16 and 32, so 16 is within 5 % of the best.
    choice = choose(
        scores({k: [(10 + 64 / k**2) * (1 + e) for e in (-0.002, 0, 0.002)] for k in (4, 8, 16, 32)})
    )
    assert choice is not None and choice.by_law and isinstance(choice.law, PowerLaw)
    assert choice.width == 16 and not choice.at_edge
    words = wording.headline(choice, "FD(random)", "test")
    assert words.startswith("Width 16 is recommended: the smallest of the 4 measured widths (4 to 32)")
    assert "10.2 against 10.1" in words
    assert wording.edge(choice) is None


def test_without_a_law_the_medians_choose():
    choice = choose(scores({2: [30, 31, 32], 4: [9, 10, 11], 8: [50, 51, 52]}))
    assert choice is not None and not choice.by_law
    assert choice.width == 4 and choice.interval == (4, 4) and choice.agreement == 1
    assert "whose median test FD(random) is within 5\u00a0%" in wording.headline(choice, "FD(random)", "test")


def test_a_distance_that_rises_with_width_is_said_to_rise():
    table = scores({2: [10, 11, 12], 4: [20, 21, 22], 8: [40, 41, 42]})
    choice = choose(table)
    assert choice is not None and isinstance(choice.law, Undetermined) and choice.width == 2
    words = wording.trend(levels(table), "FD(random)", "test")
    assert "rises from 11.0 at width 2 to 41.0 at width 8" in words and "more width is worse" in words
    assert "rise with width" in wording.law_words(choice)


def test_widths_that_overlap_are_not_told_apart():
    same = levels(scores({2: [10, 12, 14], 4: [11, 13, 15]}))
    assert "does not show that width matters" in wording.trend(same, "FD(random)", "test")
    assert wording.separation(same) == "Widths 2 and 4 cannot be told apart: their seeds overlap."
    apart = levels(scores({2: [10, 12, 14], 4: [1, 2, 3]}))
    # Three and three: 2 / C(6, 3) = 10 %. Two and two: 2 / C(4, 2) = 33 %, which is a hint at most.
    words = wording.trend(apart, "FD(random)", "test")
    assert "of the other: more width is better (were there no difference, 3 and 3 seeds" in words
    assert "in 10\u00a0% of sweeps" in words
    assert wording.separation(apart) == "The seeds of neighbouring widths do not overlap."
    # For a share that is better when higher, rising is better.
    higher = levels(scores({2: [0.1, 0.2], 4: [0.5, 0.6]}))
    assert "that hints that more width is better" in wording.trend(higher, "recall(random)", "test")


def test_one_seed_and_the_widest_width_come_with_their_doubts():
    choice = choose(scores({2: [40.0], 4: [20.0], 8: [10.0]}))
    assert choice is not None and choice.width == 8 and choice.interval is None
    assert "another seed might choose another width" in wording.headline(choice, "FD(random)", "test")
    assert "Add a width above 8" in str(wording.edge(choice))
    measured = levels(scores({2: [40.0], 4: [20.0]}))
    assert "with one seed that may be chance" in wording.trend(measured, "FD(random)", "test")
    assert wording.separation(measured) is None
    assert "no intervals" in wording.bars(measured)


def test_the_page_of_a_sweep_says_what_it_rests_on(sweep):
    text = text_of(page_of(sweep))
    for fact in (
        "How wide must a GAN be on digits?",
        "1,437 training and 360 test images of 8×8×1",
        "Of 12 runs: 1 diverged, 11 done.",
        "the loss of the discriminator is not finite at step 700",
        "test, n = 360",
        "real against real (test): 5.20",
        "FD(classifier) against width",
        "2 and 3 per width",
        "All runs are compared at step 1,500.",
        "Time for 1,000 steps",
    ):
        assert fact in text.replace("\u00a0", " "), fact


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"unfinished": ((4, 0),)}, "The sweep is not finished: the numbers may change."),
        ({"seeds": 1}, "With one seed a width there is no interval"),
        ({"widths": (4, 8)}, "at least 3 widths; 2 gave"),
        ({"widths": (4,)}, "One width, 4, was trained, so no width can be recommended."),
        ({"rising": True}, "more width is worse"),
        ({"diverged": ((2, 0), (2, 1), (2, 2))}, "No run of width 2 can be compared: none is done."),
        ({"unfinished": tuple((16, seed) for seed in range(3))}, "Width 16 has no run to compare yet."),
        ({"seeds": 6, "widths": (2, 4, 8)}, "order-statistic interval"),
    ],
)
def test_unusual_sweeps_give_a_page_that_says_so(tmp_path, options, fact):
    assert fact in text_of(page_of(read_sweep(fabricate(tmp_path / "s", **options)))).replace("\u00a0", " ")


def test_a_folder_with_parts_missing_still_gives_a_page(tmp_path):
    folder = fabricate(tmp_path / "s", widths=(2, 4), seeds=1)
    (folder / "results.csv").unlink()
    for path in folder.glob("*/metrics.jsonl"):
        path.unlink()
    text = text_of(page_of(read_sweep(folder)))
    assert "There are no scores yet" in text and "Samples" in text
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.name not in ("sweep.json", "s"):
            path.unlink() if path.is_file() else path.rmdir()
    assert "There are no run folders." in text_of(page_of(read_sweep(folder)))


def test_a_folder_without_a_sweep_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no sweep"):
        build_report(tmp_path)
    with pytest.raises(UserError, match="There is no folder"):
        build_report(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
