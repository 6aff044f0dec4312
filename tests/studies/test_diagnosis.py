"""Each finding on both sides of its threshold, from evidence that is made up."""

import math

import pytest

from saddle.studies.diagnosis import KINDS, Evidence, Severity, diagnose
from saddle.studies.diagnosis.curve import Curve
from saddle.studies.diagnosis.evidence import Score
from saddle.studies.diagnosis.findings import (
    data_normalisation,
    dead_units,
    discriminator_overfit,
    divergence,
    memorisation,
    mode_collapse,
    oscillation,
    under_training,
    vanishing_gradient,
)
from saddle.studies.diagnosis.findings.oscillation import swings

HEALTHY = {
    "loss/generator": 0.7,
    "loss/discriminator": 1.3,
    "diversity/pixels": 1.0,
    "classes/present": 1.0,
    "steepness/fake": 8.0,
    "loss_slope/generator": 0.5,
    "gain/generator": 1.0,
    "dead/generator.hidden1": 0.03,
    "saturated/samples": 0.4,
    "saturated/data": 0.5,
    "memorisation/nearer_train": 0.52,
    "memorisation/distance_ratio": 1.2,
    "memorisation/score": -4.0,
    "auc/overfit": 0.52,
    "auc/overfit error": 0.02,
    "pixels/range": 1.0,
    "pixels/mean": 0.3,
    "pixels/std": 0.4,
    "pixels/variation": 0.3,
    "pixels/constant": 0.0,
    "pixels/dark": 0.5,
    "pixels/bright": 0.1,
    "pixels/levels": 17.0,
    "pixels/distinct": 1.0,
}
SETTLED = (9.0, 4.0, 2.0, 1.5, 1.2, 1.1, 1.05, 1.04, 1.02, 1.03, 1.01, 1.02)


def evidence(distances=SETTLED, *, status="done", **changed):
    """A healthy run with some numbers changed (`_` stands for `/` in the first place)."""
    numbers = HEALTHY | {name.replace("__", "/"): value for name, value in changed.items()}
    steps = tuple(range(100, 100 * len(distances) + 1, 100))
    curve = Curve(steps, tuple(map(float, distances)))
    return Evidence(
        step=1200,
        status=status,
        curves={name: Curve((1200,), (value,)) for name, value in numbers.items()},
        scores=(Score(metric="FD(pixels)", split="test", curve=curve, floor=0.5),),
    )


def test_a_healthy_run_is_looked_at_for_everything_and_nothing_is_found():
    findings = diagnose(evidence())
    assert sorted(finding.kind for finding in findings) == sorted(KINDS)
    assert {finding.severity for finding in findings} == {Severity.FINE}
    # What is fine is told with its numbers, not left out.
    assert all(finding.evidence and finding.sentence and not finding.next_step for finding in findings)


def test_without_numbers_everything_is_said_to_be_not_decidable():
    findings = diagnose(Evidence(missing={"checkpoint": "the run has no checkpoint"}))
    assert {finding.severity for finding in findings} == {Severity.UNDECIDED}
    assert len(findings) == len(KINDS)
    assert "no checkpoint" in next(f.sentence for f in findings if f.kind == "memorisation")


@pytest.mark.parametrize(
    ("judge", "good", "bad"),
    [
        (mode_collapse.judge, {"diversity__pixels": 0.51}, {"diversity__pixels": 0.49}),
        (mode_collapse.judge, {"classes__present": 0.8}, {"classes__present": 0.7}),
        (vanishing_gradient.judge, {"steepness__fake": 1.1}, {"steepness__fake": 0.9}),
        (vanishing_gradient.judge, {"loss_slope__generator": 0.11}, {"loss_slope__generator": 0.09}),
        (vanishing_gradient.judge, {"gain__generator": 0.02}, {"gain__generator": 0.005}),
        (discriminator_overfit.judge, {"auc__overfit": 0.64}, {"auc__overfit": 0.66}),
        (divergence.judge, {"loss__generator": -999.0}, {"loss__generator": -1001.0}),
        (memorisation.judge, {"memorisation__distance_ratio": 0.5}, {"memorisation__distance_ratio": 0.5, "memorisation__nearer_train": 0.76}),
        (memorisation.judge, {"memorisation__nearer_train": 0.95}, {"memorisation__nearer_train": 0.95, "memorisation__distance_ratio": 0.89}),
        (dead_units.judge, {"dead__generator.hidden1": 0.4}, {"dead__generator.hidden1": 0.41}),
        # The data are at the ends of tanh themselves: only what the samples have beyond that counts.
        (dead_units.judge, {"saturated__samples": 0.7}, {"saturated__samples": 0.76}),
        (data_normalisation.judge, {"pixels__range": 0.41}, {"pixels__range": 0.39}),
        (data_normalisation.judge, {"pixels__constant": 0.05}, {"pixels__constant": 0.06}),
        (data_normalisation.judge, {"pixels__variation": 0.03}, {"pixels__variation": 0.01}),
        (data_normalisation.judge, {"pixels__dark": 0.96}, {"pixels__dark": 0.98}),
        (data_normalisation.judge, {"pixels__bright": 0.96}, {"pixels__bright": 0.98}),
        (data_normalisation.judge, {"pixels__levels": 3.0}, {"pixels__levels": 2.0}),
        (data_normalisation.judge, {"pixels__distinct": 0.6}, {"pixels__distinct": 0.4}),
    ],
)  # fmt: skip
def test_a_finding_is_made_beyond_its_threshold_only(judge, good, bad):
    assert judge(evidence(**good)).severity == Severity.FINE
    found = judge(evidence(**bad))
    assert found.present
    assert found.next_step
    # The number that crossed stands beside its threshold.
    named = next(iter(bad)).replace("__", "/")
    assert any(name.startswith(named) or name.startswith(f"|{named}") for name in found.evidence)
    assert any(name.endswith(": threshold") for name in found.evidence)


def test_a_fooled_discriminator_is_no_flat_one():
    # Where fakes have the larger logits there is no slope of a straight line to compare with; the loss decides.
    assert vanishing_gradient.judge(evidence(steepness__fake=math.nan)).severity == Severity.FINE


def test_few_images_need_a_larger_share_to_overfit():
    # With 32 images a side the standard error of the share is √(65 / 12·32·32) = 0.073: three of them reach 0.72.
    assert (
        discriminator_overfit.judge(evidence(auc__overfit=0.7, **{"auc/overfit error": 0.073})).severity
        == "fine"
    )


def test_few_held_out_images_make_no_memorisation():
    # Both shares are beyond their thresholds, but the test C_T has a Z of −2 only: it may be chance.
    close = {"memorisation__nearer_train": 0.95, "memorisation__distance_ratio": 0.5}
    assert memorisation.judge(evidence(**close)).present
    assert not memorisation.judge(evidence(**close, memorisation__score=-2.0)).present


def test_causes_come_before_what_follows_from_them():
    # Dead units leave few images, and a discriminator that overfits precedes copies, though it is a warning only.
    run = evidence(
        dead__generator=0.9,
        diversity__pixels=0.1,
        auc__overfit=0.9,
        memorisation__nearer_train=0.9,
        memorisation__distance_ratio=0.5,
    )
    found = [finding.kind for finding in diagnose(run) if finding.present]
    assert found == ["dead-units", "mode-collapse", "discriminator-overfit", "memorisation"]


def test_dead_units_of_the_discriminator_are_not_laid_to_the_generator():
    found = dead_units.judge(evidence(**{"dead/discriminator.block1": 0.9}))
    assert "the discriminator is" in found.sentence and "--lr-d" in found.next_step


@pytest.mark.parametrize("name", ["loss/generator", "weights/finite"])
def test_numbers_that_are_not_finite_are_divergence_whatever_the_status(name):
    healthy = evidence(status="unfinished")
    bad = {"loss/generator": Curve((100, 200), (0.7, math.nan)), "weights/finite": Curve((200,), (0.0,))}
    run = Evidence(step=200, status="unfinished", curves={**healthy.curves, name: bad[name]})
    assert divergence.judge(run).severity == Severity.SERIOUS
    assert not divergence.judge(healthy).present


def test_a_run_that_ended_as_diverged_is_divergence():
    run = Evidence(status="diverged", message="the generator's loss was nan at step 50", step=50)
    assert "nan at step 50" in divergence.judge(run).sentence
    assert divergence.judge(run).evidence["step"] == 50


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        ((8, 4, 2, 1), [7.0]),  # learning: one way down
        ((8, 4, 2, 1, 1.1, 1.0, 1.05), [7.0]),  # moves below 15 % are noise
        ((1, 2, 4), [3.0]),  # one way up
        ((8, 2, 4, 1), [3.0, 1.0, 3.0]),  # down by 4, up by 2, down by 4
        ((1, 1, 1), []),
        ((), []),
    ],
)
def test_swings_are_the_alternating_moves(values, sizes):
    assert swings(Curve(tuple(range(len(values))), tuple(map(float, values)))) == pytest.approx(sizes)


def test_a_score_that_goes_up_and_down_oscillates_and_one_that_falls_does_not():
    assert oscillation.judge(evidence((4, 2, 3, 2, 3, 2.0, 3.0))).present
    assert not oscillation.judge(evidence((9, 6, 4, 3, 2, 1.5, 1.4))).present
    assert oscillation.judge(evidence((4, 2, 3, 2))).severity == Severity.UNDECIDED
    # Up and down while it begins to learn, then a steady fall over the last third: that is no oscillation.
    learning = (9, 5, 9, 5, 9, 5, 4, 3, 2.0, 1.8, 1.4, 1.2)
    assert len(swings(Curve(tuple(range(12)), tuple(map(float, learning))))) >= 3
    assert (
        not oscillation.judge(evidence(learning)).present and under_training.judge(evidence(learning)).present
    )


def test_a_score_that_still_falls_is_under_trained_and_a_noisy_level_one_is_not():
    # The last third (steps 900 to 1200) falls from 1.0 to 0.6, half of its median, without noise.
    falling = (9, 8, 7, 6, 5, 4, 3, 2, 1.0, 0.9, 0.7, 0.6)
    assert under_training.judge(evidence(falling)).present
    # The same fall within noise: the slope is below three standard errors.
    noisy = (9, 8, 7, 6, 5, 4, 3, 2, 1.0, 0.4, 1.1, 0.5)
    assert not under_training.judge(evidence(noisy)).present
    assert under_training.judge(evidence((3, 2, 1))).severity == Severity.UNDECIDED
    # A share of nothing: a distance of 0, or a file that somebody edited.
    assert under_training.judge(evidence((0,) * 12)).severity == Severity.UNDECIDED
    assert under_training.judge(evidence((-1,) * 12)).severity == Severity.UNDECIDED


def test_the_onset_is_the_step_from_which_it_stayed():
    assert Curve((1, 2, 3, 4), (0.1, 0.9, 0.2, 0.1)).first_below(0.5) == 3
    assert Curve((1, 2, 3), (0.1, 0.1, 0.9)).first_below(0.5) is None
    assert Curve((1, 2, 3), (0.1, 0.7, 0.9)).first_above(0.5) == 2


def test_a_trend_of_a_line_is_its_change_without_noise():
    # y = 3 − t/10 over t = 0, 10, 20, 30 changes by −3.
    trend = Curve((0, 10, 20, 30), (3.0, 2.0, 1.0, 0.0)).trend()
    assert trend is not None
    assert trend.change == pytest.approx(-3)
    assert trend.noise == pytest.approx(0, abs=1e-12)
