"""Two sweeps in one folder at once: each cell is trained by one of them, and both end with everything."""

import json
from pathlib import Path
from threading import Timer

import torch
from tests.cli.programs import start

from saddle.runs import RunFolder, read_table, request_stop

OPTIONS = ("--data", "digits", "--limit", 60, "--batch", 16, "--features", "pixels", "--neighbours", 3)
CADENCE = ("--log-every", 1, "--evaluate-every", 100, "--checkpoint-every", 5, "--steps", 100, "--workers", 1)


def test_two_sweeps_at_once_share_the_cells(tmp_path, saddle, monkeypatch):
    # Overlapping widths in other orders, and another number of seeds: fleets that want each other's members.
    first = start(tmp_path, "sweep", *OPTIONS, *CADENCE, "--widths", 1, 2, "--seeds", 2, "--out", "s")
    second = start(tmp_path, "sweep", *OPTIONS, *CADENCE, "--widths", 2, 1, 3, "--seeds", 3, "--out", "s")
    for process in (first, second):
        printed, told = process.communicate(timeout=180)
        assert process.returncode == 0, told
        assert printed == "s/report.html\n" and "Traceback" not in told
    found = [RunFolder.open(path.parent) for path in (tmp_path / "s").glob("*/config.json")]
    cells = {(run.config["width"], run.config["seed"]) for run in found}
    assert cells == {(width, seed) for width in (1, 2, 3) for seed in (0, 1, 2)}
    for run in found:
        result = run.result()
        assert result is not None and (result["status"], result["step"]) == ("done", 100)
        # Trained once, from the first step to the last, and not by two hands.
        assert [row["step"] for row in run.metrics() if "loss_generator" in row] == list(range(1, 101))
        assert [row["step"] for row in run.metrics() if "scores" in row] == [100]
        assert torch.load(run.checkpoint, weights_only=True)["step"] == 100
        assert not list(run.path.glob(".*.tmp")) and not (run.path / "checkpoint.next.pt").exists()
        assert run.path.name in json.loads((run.path / "fleet.json").read_text())["members"]
    # Whoever ended last wrote a table of all that was finished then; the larger sweep waits for all of its cells.
    monkeypatch.chdir(tmp_path)
    assert {(row["width"], row["seed"]) for row in read_table(Path("s"))} == cells
    csv = Path("s/results.csv").read_bytes()
    assert saddle("report", "s").code == 0
    assert Path("s/results.csv").read_bytes() == csv


def test_a_run_that_another_process_has_is_waited_for_at_the_end(saddle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("sweep", *OPTIONS, "--workers", 1, "--out", "s")
    assert saddle(*words, "--widths", 1, "--seeds", 2, "--steps", 1).code == 0
    first, _ = (RunFolder.open(path.parent) for path in Path("s").glob("*/config.json"))
    lock = first.try_lock()
    assert lock is not None
    # A stop is heard while it waits. What nobody has was done before: width 2.
    bell = Timer(1.5, request_stop)
    bell.start()
    ended = saddle(*words, "--widths", 1, 2, "--seeds", 2, "--steps", 2)
    bell.join()
    assert ended.code == 130 and "the same command goes on from here" in ended.err
    status = {(row["width"], row["step"]) for row in read_table(Path("s"))}
    assert status == {(1, 1), (2, 1), (2, 2)}
    bell = Timer(1.5, lock.release)
    bell.start()
    ended = saddle(*words, "--widths", 1, 2, "--seeds", 2, "--steps", 2)
    bell.join()
    assert ended.code == 0, ended.err
    assert {(row["width"], row["step"]) for row in read_table(Path("s"))} == {(1, 1), (1, 2), (2, 1), (2, 2)}
