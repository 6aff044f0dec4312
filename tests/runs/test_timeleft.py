"""The time left against schedules that can be worked out by hand, on a clock that the test sets."""

import pytest
from pytest import approx

from saddle.runs import TimeLeft, duration


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_nothing_is_claimed_before_something_was_measured(clock):
    left = TimeLeft({"a": 1}, workers=1, clock=clock)
    assert left.seconds() is None
    left.started("a")
    clock.now = 50
    assert left.seconds() is None
    left.update("a", 1, 100)  # the first report is the base line, not speed
    assert left.seconds() is None
    left.update("a", 2, 100)
    assert left.seconds() is None  # one step in no time
    clock.now = 51
    assert left.seconds() == approx(98)


def test_one_job_at_a_steady_rate(clock):
    left = TimeLeft({"a": 3}, workers=1, clock=clock)
    left.started("a")
    left.update("a", 0, 200)
    clock.now = 10
    left.update("a", 50, 200)  # 5 a second, 150 to go
    assert left.seconds() == approx(30)
    assert left.share() == approx(0.25)
    clock.now = 20  # silence is slowness: 50 in 20 s
    assert left.seconds() == approx(60)


def test_what_was_finished_before_a_resume_is_no_speed(clock):
    left = TimeLeft({"a": 1}, workers=1, clock=clock)
    left.started("a")
    left.update("a", 900, 1000)
    clock.now = 10
    left.update("a", 910, 1000)  # 1 a second, whatever was there before
    assert left.seconds() == approx(90)
    assert left.share() == approx(0.91)


def test_waiting_jobs_are_laid_out_over_the_workers_by_weight(clock):
    left = TimeLeft({"a": 4, "b": 4, "c": 2, "d": 1, "e": 1}, workers=2, clock=clock)
    for key in "ab":
        left.started(key)
        left.update(key, 0, 100)
    clock.now = 8
    left.update("a", 50, 100)  # 2 units in 8 s: 8 s left
    left.update("b", 40, 100)  # 1.6 units in 8 s: 12 s left
    # One unit costs (8 + 8) / (2 + 1.6) = 4.44 s. c goes to a's worker until 8 + 8.89, d to b's until 12 + 4.44,
    # e to the one that is free first, b's: 16.44 + 4.44.
    unit = 16 / 3.6
    assert left.seconds() == approx(12 + 2 * unit)
    assert 12 + unit < 8 + 2 * unit  # d's worker is free before c's, as the comment says


def test_finished_jobs_teach_the_cost_and_the_start_up(clock):
    left = TimeLeft({"a": 2, "b": 3}, workers=1, clock=clock)
    left.started("a")
    clock.now = 5  # imports
    left.update("a", 0, 10)
    clock.now = 9
    left.ended("a", done=True)  # 2 units in 4 s after 5 s of start-up
    assert left.seconds() == approx(5 + 3 * 2)
    left.started("b")
    assert left.seconds() == approx(6)
    left.ended("b", done=True)
    assert left.seconds() == 0
    assert left.share() == 1


def test_a_failed_job_leaves_no_work_behind_and_teaches_only_what_it_did(clock):
    left = TimeLeft({"a": 10, "b": 1}, workers=1, clock=clock)
    left.started("a")
    left.update("a", 0, 10)
    clock.now = 6
    left.update("a", 2, 10)  # 2 units in 6 s
    left.ended("a", done=False)
    assert left.seconds() == approx(3)


def test_a_job_that_was_finished_already_teaches_nothing(clock):
    left = TimeLeft({"a": 1, "b": 1}, workers=1, clock=clock)
    left.started("a")
    left.update("a", 10, 10)
    clock.now = 1
    left.ended("a", done=True)
    assert left.seconds() is None


def test_strange_totals_do_no_harm(clock):
    left = TimeLeft({"a": 1}, workers=2, clock=clock)
    left.started("a")
    left.update("a", 0, 0)
    clock.now = 2
    left.update("a", 30, 20)
    assert left.seconds() == 0
    assert TimeLeft({}, workers=2, clock=clock).seconds() == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (5400, "1 h 30 min"),
        (7790, "2 h 10 min"),
    ],
)
def test_durations_are_written_as_roughly_as_they_are_known(seconds, text):
    assert duration(seconds) == text
