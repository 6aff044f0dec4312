"""What people read while they wait, on a terminal and in a log."""

import io

import pytest

from saddle.runs import Job, Outcome, ProgressDisplay

JOBS = [Job(key=key, function="m:f", arguments={}) for key in ("w8", "w16", "[red]w32\x1b[2J")]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_plain_lines_now_and_then():
    clock, log = Clock(), io.StringIO()
    with ProgressDisplay(JOBS, workers=2, stream=log, every=5, clock=clock) as display:
        display.started(JOBS[0])
        display.started(JOBS[1])
        for second in range(12):
            clock.now = second
            display("w8", second, 20, f"step {second}", loss=0.1)
            display("w16", second, 40, "slow\rand\nsteady")
        display.ended("w8", Outcome(status="failed", message="There is no cat.\x1b[31m"))
    assert "\x1b" not in log.getvalue()
    assert log.getvalue().splitlines() == [
        # After 5 s w8 has 5/20: 15 s to go; w16 is at 4/40 in 5 s: 45 s. One weight cost 10 s / 0.35 = 28.6 s, so the
        # third job is over at 15 + 28.6 = 43.6 s, before w16.
        "0 of 3 done, 11 % of the work, about 45 s left; w8: step 5; w16: slow and steady",
        # After 10 s: w16 is at 9/40: 10 · 31/9 = 34.4 s; w8's worker: 10 + 20 / 0.725 = 37.6 s.
        "0 of 3 done, 24 % of the work, about 38 s left; w8: step 10; w16: slow and steady",
        "w8 failed: There is no cat. [31m",
        # w8 counts as over; its worker is free: 22 s / 0.825 = 26.7 s; w16: 11 · 29/11 = 29 s.
        "0 of 3 done, 1 failed, 42 % of the work, about 29 s left",
    ]


def test_before_anything_is_known_it_says_so():
    log = io.StringIO()
    with ProgressDisplay(JOBS, workers=1, stream=log, clock=Clock()) as display:
        assert display.summary() == "0 of 3 done, 0 % of the work, measuring the time left"
        for job in JOBS:
            display.started(job)
            display.ended(job.key, Outcome(status="done"))
    assert log.getvalue() == "3 of 3 done\n"


def test_a_terminal_gets_one_line_a_running_job_and_no_foreign_escapes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    with ProgressDisplay(JOBS, workers=2, stream=terminal) as display:
        display.started(JOBS[2])
        display(JOBS[2].key, 1, 2, "[bold]step 1")
        display._live.refresh()
    shown = terminal.getvalue()
    line = next(line for line in shown.splitlines() if "step 1" in line)
    # Half of the bar is full; markup and escapes in a key are text.
    assert "[red]w32 [2J" in line and "[bold]step 1" in line
    assert "━" * 12 + "─" * 12 in line
    assert "\x1b[2J" not in shown
