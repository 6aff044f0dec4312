"""The study gan-width on made numbers: what is measured on a course, how seeds are paired, and what the claims say."""

import json
import math

import numpy as np
import pytest
from tests.studies.fabricated_sweep import fabricate

from saddle.core import Measured, Verdict
from saddle.errors import UserError
from saddle.runs import write_table
from saddle.studies.gan_width.claims import claims
from saddle.studies.gan_width.config import GanWidthConfig
from saddle.studies.gan_width.course_claims import speed_claims
from saddle.studies.gan_width.law_claims import law_claims
from saddle.studies.gan_width.measures import Evidence, first_below, measure, unrest
from saddle.studies.gan_width.nnd_claims import nnd_claims
from saddle.studies.gan_width.page import sections
from saddle.studies.gan_width.statistics import mean, opened, paired, per_doubling, share
from saddle.studies.width_sweep.config import SweepConfig
from saddle.studies.width_sweep.reading import read_sweep

WIDTHS, SEEDS = (2, 4, 8, 16), 5


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """Make a sweep whose test distance is `level(width, seed, share of training)`, train 10 % below."""
    bare = fabricate(tmp_path_factory.mktemp("bare") / "s", widths=WIDTHS, seeds=SEEDS, steps=1000)
    runs = [(path.parent.name, json.loads(path.read_text())) for path in sorted(bare.glob("*/config.json"))]

    def make(level, *, nnd=None, references=None) -> Evidence:
        rows = [
            {
                "width": config["width"], "seed": config["seed"], "run": run, "step": step, "metric": "FD(classifier)",
                "split": split, "value": share * level(config["width"], config["seed"], step / 1000),
                "n_real": 360, "n_fake": 360, "floor": 1.0, "status": "done",
            }
            for run, config in runs
            for step in range(100, 1001, 100)
            for split, share in (("test", 1.0), ("train", 0.9))
        ]  # fmt: skip
        # The table is read at once, so that the next one may lie in its place.
        write_table(bare, rows)
        return measure("both", read_sweep(bare), {"nnd": nnd} if nnd else {}, references or {})

    return make


def falling(width: int, seed: int, done: float) -> float:
    """200·k^(−1/2) at the end, reached the faster the wider; seeds differ by a factor that widths share, and a little."""
    return (
        200
        * width**-0.5
        * (1 + 0.02 * seed + 0.002 * seed * width)
        * (1 + 9 * math.exp(-done * 4 * width**0.5))
    )


def test_a_level_is_reached_between_evaluations_on_the_logarithm():
    # From 100 at step 10 to 1 at step 20 the logarithm passes 10 in the middle.
    assert first_below([(10, 100.0), (20, 1.0)], 10.0) == pytest.approx(15)
    assert first_below([(10, 5.0), (20, 1.0)], 10.0) == 10
    assert first_below([(10, 50.0), (20, 20.0)], 10.0) == math.inf
    assert first_below([(10, 50.0), (20, 0.0)], 10.0) == 20
    assert first_below([], 10.0) == math.inf


def test_fluctuation_counts_a_wave_and_hardly_a_fall():
    # Successive differences of ±2a are 4a² each: √(4a²/2) = a√2 over the mean.
    wave = [(step, 10.0 + (-1) ** step) for step in range(1, 31)]
    assert unrest(wave) == pytest.approx(2**0.5 / 10)
    fall = [(step, 100 - float(step)) for step in range(1, 31)]
    assert unrest(fall) == pytest.approx(1 / 2**0.5 / np.mean([100 - s for s in range(21, 31)]))
    assert unrest(wave[:2]) is None and unrest([]) is None


def test_a_power_law_has_its_exponent_as_factor_of_a_doubling():
    # y = c_s·k^(−1/2) with any factor a seed: every seed's slope on log₂ k is ln 2^(−1/2).
    table = {(k, s): (1 + s) * k**-0.5 for k in WIDTHS for s in range(SEEDS)}
    factor = per_doubling(table, WIDTHS, "factor")
    assert factor.value == pytest.approx(2**-0.5) and factor.n == SEEDS
    assert factor.interval == pytest.approx((2**-0.5, 2**-0.5))
    ratio = paired(table, 2, 16, "ratio")
    assert ratio.value == pytest.approx(8**0.5) and ratio.n == SEEDS


def test_seeds_that_lack_a_width_are_left_out_and_counted():
    table = {(k, s): float(k + s) for k in (2, 4) for s in range(3)} | {(4, 2): math.inf}
    assert per_doubling(table, (2, 4), "slope").n == 2
    difference = paired(table, 4, 2, "difference")
    assert (difference.value, difference.n) == (2.0, 2)
    assert paired({}, 2, 4, "ratio").n == 0 and share([]).n == 0


def test_five_of_five_seeds_decide_against_one_half():
    # Wilson 1927: 5 of 5 has the lower end 5 / (5 + z²).
    found = share([True] * 5)
    assert found.interval[0] == pytest.approx(5 / (5 + 1.959964**2), rel=1e-6) and found.interval[0] > 0.5


def verdicts(found) -> dict[str, str]:
    return {claim.statement: str(claim.verdict) for claim in found}


def test_a_falling_sweep_bears_the_claims_out(evidence):
    both = evidence(falling)
    found = claims(GanWidthConfig(widths=WIDTHS), {"both": both})
    decided = [claim for claim in found if claim.verdict is Verdict.SUPPORTED]
    words = " ".join(claim.statement for claim in decided)
    for part in ("test distance FD(classifier)", "train distance", "Every doubling of the width lowers", "fall is steady",
                 "below that to test images", "converge faster", "reached in fewer steps"):  # fmt: skip
        assert part in words, part
    # The gap is a tenth of the distance, so that it falls with width.
    (gap,) = [claim for claim in found if "grows with width" in claim.statement]
    assert gap.verdict is Verdict.REFUTED and gap.certainty == "recalled"
    assert all(claim.certainty == "stated" for claim in found if "figure 1" in claim.source)


def test_a_rising_sweep_refutes_them(evidence):
    both = evidence(lambda k, s, done: (10 + 0.1 * s + 0.01 * s * k) * k**0.5 / done)
    found = verdicts(claims(GanWidthConfig(widths=WIDTHS), {"both": both}))
    ruled = {words: verdict for words, verdict in found.items() if "distance" in words and "ratio." in words}
    assert set(ruled.values()) == {"refuted"} and len(ruled) >= 2
    assert next(v for w, v in found.items() if "fall is steady" in w) == "refuted"


def test_the_law_foresees_what_follows_it(evidence):
    # 5 + 100/k exactly, up to a factor a seed: fitted to 2, 4, 8 it gives 11.25 at 16.
    both = evidence(lambda k, s, done: (5 + 100 / k) * (1 + 0.001 * s))
    (claim,) = law_claims(both)
    assert (
        claim.verdict is Verdict.SUPPORTED
        and abs(claim.measured.value) < 1e-3
        and claim.certainty == "derived"
    )


def test_a_memorising_generator_is_held_against_every_run(evidence):
    rng = np.random.default_rng(0)
    nnd = {(k, s): 4 / k + 0.01 * rng.random() for k in WIDTHS for s in range(SEEDS)}
    lines = {
        "memorised": {s: 1.5 + 0.01 * s for s in range(SEEDS)},
        "held-out": {s: 0.001 * s for s in range(SEEDS)},
    }
    both = evidence(falling, nnd=nnd, references=lines)
    falls, slope, most, best, sanity = nnd_claims(both)
    assert {c.verdict for c in (falls, slope, best, sanity)} == {Verdict.SUPPORTED}
    # 4/k is below 1.5 from k = 4 on: 15 of 20 runs.
    assert most.measured.value == 0.75 and most.measured.n == 20
    assert "width 16 at 5 of 5 seeds" in best.note and "by construction" in sanity.note


def test_no_value_chooses_the_best_width_that_it_is_judged_by(evidence):
    # Both widths are equal but for one lucky value: seed 0 at width 4. The median of the other seeds (7, 8, 9) is lower
    # at width 2, so that width 2 is taken for seed 0, and its value of 5 counts.
    nnd = {(2, s): v for s, v in enumerate((5.0, 6.9, 7.9, 8.9))} | {
        (4, s): v for s, v in enumerate((0.0, 7.0, 8.0, 9.0))
    }
    both = evidence(falling, nnd=nnd, references={"memorised": dict.fromkeys(range(4), 10.0)})
    found = next(claim for claim in nnd_claims(both) if "best width" in claim.statement)
    others = {
        s: min((2, 4), key=lambda k: np.median([nnd[k, t] for t in range(4) if t != s])) for s in range(4)
    }
    assert others[0] == 2
    assert found.measured.value == pytest.approx(np.mean([10 - nnd[others[s], s] for s in range(4)]))


def test_equal_values_decide_nothing():
    level = {(k, s): 50.0 for k in (2, 4, 8) for s in range(5)}
    for found in (per_doubling(level, (2, 4, 8), "factor"), paired(level, 2, 8, "ratio")):
        assert (found.value, found.n, found.interval) == (1.0, 5, (0.0, math.inf))
    assert per_doubling(level, (2, 4, 8), "slope").interval == (-math.inf, math.inf)
    assert mean([0.0, 0.0], "").interval == (-math.inf, math.inf)


def test_who_settled_before_the_first_evaluation_is_not_known(evidence):
    # Every run is at its last level from its first evaluation on.
    flat = evidence(lambda k, s, done: 100 / k + s)
    settled, sooner = speed_claims(flat)
    assert settled.verdict is Verdict.UNDECIDED and settled.measured.interval == (0.0, math.inf)
    assert "20 of 20 runs" in settled.note and len(flat.early) == 20
    # The narrowest's level is reached by all at once: no seed says who was first.
    assert sooner.measured.n == 0 and "5 of 5 seeds are left out" in sooner.note
    # Only the widest is there at once: its steps are at most those, so that the upper end still decides.
    measured = Measured(value=0.5, interval=(0.4, 0.6), n=5)
    assert opened(measured, (2, 4, 8), {8}).interval == (0.0, 0.6)
    assert opened(measured, (2, 4, 8), {2}).interval == (0.4, math.inf)
    assert opened(measured, (2, 4, 8), {4}).interval == (0.4, 0.6)


def test_collapsed_and_diverged_runs_are_counted(evidence):
    def collapsing(width: int, seed: int, done: float) -> float:
        return 10.0 if done < 0.9 else 10.0 * (3 if width == 2 else 1.5)

    both = evidence(collapsing)
    assert {key: ended for key, ended in both.ended.items() if ended != "done"} == {
        (2, seed): "collapsed" for seed in range(SEEDS)
    }


def test_the_page_asks_what_a_sceptic_asks(evidence):
    both = evidence(falling)
    config = GanWidthConfig(widths=WIDTHS)
    headings = [
        section.heading for section in sections(config, {"both": both}, claims(config, {"both": both}))
    ]
    assert headings[:4] == [
        "What was trained",
        "Does the distance fall?",
        "Is wider faster and steadier?",
        "Train against test",
    ]
    assert "Could it be foreseen?" in headings and "Recalled and measured" in headings


def test_every_side_is_a_sweep_of_its_own():
    config = GanWidthConfig(widths=(4, 8), sides=("both", "generator", "discriminator"))
    both, generator, discriminator = (config.sweep(side) for side in config.sides)
    assert (both.width_g, both.width_d) == (None, None)
    assert (generator.width_g, generator.width_d) == (None, 8)
    assert (discriminator.width_g, discriminator.width_d) == (8, None)
    assert [sweep.out.name for sweep in (both, generator, discriminator)] == list(config.sides)


def test_the_options_of_a_sweep_are_taken(tmp_path):
    sweep = GanWidthConfig(widths=(4, 8), seeds=2, out=tmp_path / "x").sweep("both")
    assert GanWidthConfig.of_sweep(sweep).sweep("both") == sweep
    with pytest.raises(UserError, match="one network's width"):
        GanWidthConfig.of_sweep(SweepConfig(data=sweep.data, width_g=4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (4,)}, "fewer than two widths"),
        ({"sides": ()}, "names a side twice or none"),
        ({"sides": ("both", "both")}, "names a side twice or none"),
        ({"hold_width": 0}, "--hold-width is 0"),
        ({"widths": (4, 4)}, "names a width twice"),
        ({"seeds": 0}, "--seeds is 0"),
    ],
)
def test_what_cannot_be_studied_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        GanWidthConfig(**options)
