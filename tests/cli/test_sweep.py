"""`saddle sweep` from images to a report: what it leaves, and what it does not do twice."""

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
import torch

from saddle.cli.main import main
from saddle.runs import RunFolder, config_hash, read_table

OPTIONS = ("--data", "digits", "--limit", 60, "--batch", 16, "--features", "pixels", "--neighbours", 3)
CADENCE = ("--log-every", 1, "--evaluate-every", 2, "--checkpoint-every", 2)
SWEEP = ("sweep", *OPTIONS, *CADENCE, "--widths", 1, 2, "--seeds", 2, "--steps", 4, "--workers", 1)
METRICS = [f"{name}(pixels)" for name in ("FD", "KD", "coverage", "density", "precision", "recall")]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished sweep of two widths and two seeds; tests take copies."""
    out = tmp_path_factory.mktemp("swept") / "s"
    with pytest.raises(SystemExit) as ending:
        main([*map(str, SWEEP), "--out", str(out)])
    assert ending.value.code == 0
    return out


@pytest.fixture
def copy(swept, tmp_path, monkeypatch) -> Path:
    """A copy of that folder, in the test's working folder, under the name `s`."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(swept, "s")
    return Path("s")


def runs(folder: Path) -> dict[tuple[int, int], RunFolder]:
    """The runs of a sweep by width and seed."""
    found = [RunFolder.open(path.parent) for path in folder.glob("*/config.json")]
    return {(run.config["width"], run.config["seed"]): run for run in found}


def files(run: RunFolder) -> dict[str, tuple[int, int]]:
    """Every file of a run with inode and time of change: equal means never written again."""
    return {
        str(path.relative_to(run.path)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in run.path.rglob("*")
        if path.is_file()
    }


def state(run: RunFolder) -> dict[str, Any]:
    """What decides how a run goes on: its checkpoint without clock and global generators."""
    payload = torch.load(run.checkpoint, weights_only=True)
    return {key: payload[key] for key in ("step", "state", "memory", "average", "streams")}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def test_what_a_sweep_leaves(swept):
    assert sorted(path.name for path in swept.iterdir() if len(path.name) != 16) == [
        ".table.lock",
        "cache",
        "report.html",
        "results.csv",
        "results.parquet",
        "sweep.json",
    ]
    found = runs(swept)
    assert sorted(found) == [(1, 0), (1, 1), (2, 0), (2, 1)]
    for (width, seed), run in found.items():
        assert run.path.name == config_hash(run.config)
        assert sorted(path.name for path in run.path.iterdir()) == [
            ".lock", "checkpoint.pt", "config.json", "fleet.json", "metrics.jsonl", "result.json", "samples"
        ]  # fmt: skip
        result = run.result()
        assert result is not None and result["status"] == "done" and result["step"] == 4
        assert (result["width"], result["seed"], result["fleet"]) == (width, seed, 2)
        assert result["seconds_per_step"] > 0 and result["peak_memory_bytes"] > 2**20
        assert result["parameters"]["generator"] > 0 < result["multiply_adds"]["discriminator"]
        steps = [row["step"] for row in run.metrics() if "loss_generator" in row]
        assert steps == [1, 2, 3, 4]
        names = sorted(path.name for path in run.samples_dir.iterdir())
        assert names == ["step-00000002.png", "step-00000004.png"]


def test_the_tables_hold_one_row_a_width_seed_metric_split_and_step(swept):
    rows = read_table(swept)
    keys = [tuple(row[name] for name in ("width", "seed", "metric", "split", "step")) for row in rows]
    expected = [
        (width, seed, metric, split, step)
        for width in (1, 2)
        for seed in (0, 1)
        for metric in METRICS
        for split in ("train", "test")
        for step in (2, 4)
    ]
    assert sorted(keys) == sorted(expected)
    assert polars.read_parquet(swept / "results.parquet").to_dicts() == rows
    for row in rows:
        assert (row["n_real"], row["n_fake"], row["status"]) == (12, 12, "done")
        assert math.isfinite(row["value"]) and math.isfinite(row["floor"])
        assert row["width_g"] == row["width_d"] == row["width"]
        assert (swept / row["run"] / "result.json").exists()
    # The floor is a property of the real images: one number a metric and split, beside every width and seed.
    floors = {
        (row["metric"], row["split"]): {r["floor"] for r in rows if r["metric"] == row["metric"]}
        for row in rows
    }
    assert all(len(found) <= 2 for found in floors.values())
    logged = {
        (score["metric"], score["split"], line["step"]): score["value"]
        for line in runs(swept)[1, 0].metrics()
        for score in line.get("scores", [])
    }
    mine = [row for row in rows if (row["width"], row["seed"]) == (1, 0)]
    assert {(row["metric"], row["split"], row["step"]): row["value"] for row in mine} == logged


def test_the_report_is_the_last_line_and_is_rebuilt_from_the_folder_alone(copy, saddle):
    csv, rows = (copy / "results.csv").read_bytes(), polars.read_parquet(copy / "results.parquet")
    page = (copy / "report.html").read_text()
    for name in ("results.csv", "results.parquet", "report.html"):
        (copy / name).unlink()
    ended = saddle("report", "s")
    assert (ended.code, ended.out, ended.err) == (0, "s/report.html\n", "")
    assert (copy / "results.csv").read_bytes() == csv
    assert polars.read_parquet(copy / "results.parquet").equals(rows)
    # The page says the same; only where the folder lies has changed.
    assert abs(len((copy / "report.html").read_text()) - len(page)) < 0.01 * len(page)


def test_the_same_command_again_trains_nothing(copy, saddle):
    before = {key: files(run) for key, run in runs(copy).items()}
    csv = (copy / "results.csv").read_bytes()
    ended = saddle(*SWEEP, "--out", "s")
    assert (ended.code, ended.out, ended.err) == (0, "s/report.html\n", "")
    assert {key: files(run) for key, run in runs(copy).items()} == before
    assert (copy / "results.csv").read_bytes() == csv


def test_more_widths_and_seeds_train_only_the_new_cells(copy, saddle):
    before = {key: files(run) for key, run in runs(copy).items()}
    ended = saddle(*SWEEP, "--widths", 2, 3, "--seeds", 3, "--out", "s")
    assert ended.code == 0 and ended.out == "s/report.html\n"
    after = runs(copy)
    assert {key: files(after[key]) for key in before} == before
    assert sorted(set(after) - set(before)) == [(2, 2), (3, 0), (3, 1), (3, 2)]
    # The page compares all runs that fit together, also those that the last command did not name.
    assert {(row["width"], row["seed"]) for row in read_table(copy)} == set(after)


def test_more_steps_extend_the_old_runs_as_if_they_had_never_stopped(copy, saddle):
    old = {key: (run.path / "metrics.jsonl").read_bytes() for key, run in runs(copy).items()}
    assert saddle(*SWEEP, "--steps", 6, "--out", "s").code == 0
    assert saddle(*SWEEP, "--steps", 6, "--out", "fresh").code == 0
    extended, unbroken = runs(copy), runs(Path("fresh"))
    assert set(extended) == set(old) == set(unbroken)
    for key, run in extended.items():
        result = run.result()
        assert result is not None and result["step"] == 6
        assert (run.path / "metrics.jsonl").read_bytes().startswith(old[key])
        assert run.metrics() == unbroken[key].metrics()
        assert same(state(run), state(unbroken[key]))
        assert (run.samples_dir / "step-00000006.png").exists()
    assert {row["step"] for row in read_table(copy)} == {2, 4, 6}
    # Fewer steps than there are: nothing is to be done, and nothing is lost.
    before = {key: files(run) for key, run in extended.items()}
    assert saddle(*SWEEP, "--steps", 2, "--out", "s").code == 0
    assert {key: files(run) for key, run in runs(copy).items()} == before


def test_another_setting_makes_runs_of_its_own_beside_the_old_ones(copy, saddle):
    before = {path.parent.name for path in copy.glob("*/config.json")}
    assert saddle(*SWEEP, "--lr-g", 0.001, "--out", "s").code == 0
    after = {path.parent.name for path in copy.glob("*/config.json")}
    assert len(after - before) == 4 and before <= after
    # The table and the page are of the last command's family; the first command brings the others back.
    assert {row["run"] for row in read_table(copy)} == after - before
    assert saddle(*SWEEP, "--out", "s").code == 0
    assert {row["run"] for row in read_table(copy)} == before


def test_what_does_not_change_the_numbers_does_not_change_the_runs(copy, saddle):
    before = {key: files(run) for key, run in runs(copy).items()}
    ended = saddle(*SWEEP, "--log-every", 7, "--workers", 3, "--deterministic", "--fleet", 1, "--out", "s")
    assert ended.code == 0
    assert {key: files(run) for key, run in runs(copy).items()} == before


def test_a_stored_configuration_makes_the_same_runs_again(copy, saddle):
    names = {run.path.name for run in runs(copy).values()}
    assert saddle("sweep", "--config", "s/sweep.json", "--out", "again").code == 0
    assert {run.path.name for run in runs(Path("again")).values()} == names
    stored = json.loads((copy / "sweep.json").read_text())["command"]
    assert json.loads(Path("again/sweep.json").read_text())["command"] == stored | {"out": "again"}
    run = runs(copy)[2, 1]
    ended = saddle("train", "--config", run.path / "config.json", "--out", "one")
    assert ended.code == 0
    (made,) = runs(Path("one")).values()
    assert made.path.name == run.path.name and made.config == run.config
    ended = saddle("sweep", "--config", run.path / "config.json", "--out", "two")
    assert sorted(runs(Path("two"))) == [(2, 0), (2, 1)]
    assert {each.path.name for each in runs(Path("two")).values()} <= names


def test_train_is_one_cell_of_the_sweep(copy, saddle):
    run = runs(copy)[2, 1]
    before = files(run)
    words = ("train", *OPTIONS, *CADENCE, "--width", 2, "--seed", 1, "--steps", 4)
    ended = saddle(*words, "--out", "s")
    assert ended.code == 0
    head, *rows, page = ended.out.splitlines()
    assert head == f"{run.path}  step 4" and page == "s/report.html" and len(rows) == 12
    assert rows[0].split()[:2] == ["FD(pixels)", "train"] and rows[0].endswith("n = 12 against 12")
    assert files(run) == before
    # Alone, it is the same run up to rounding: a fleet adds up its products in another order.
    assert saddle(*words, "--out", "one").code == 0
    (alone,) = runs(Path("one")).values()
    assert alone.path.name == run.path.name
    losses = [[row["loss_generator"] for row in r.metrics() if "loss_generator" in row] for r in (alone, run)]
    assert len(losses[0]) == 4 and losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_what_a_killed_process_left_is_removed(copy, saddle):
    for name, age in (
        ("cache/.images.a.tmp", 7200),
        (".sweep.json.b.tmp", 7200),
        ("cache/.images.c.tmp", 60),
    ):
        (copy / name).touch()
        os.utime(copy / name, (time.time() - age,) * 2)
    assert saddle(*SWEEP, "--out", "s").code == 0
    # The young one may be of a process that is writing it now.
    assert [path.name for path in copy.rglob(".*.tmp")] == [".images.c.tmp"]


def test_widths_of_the_two_players_may_differ(saddle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("sweep", *OPTIONS, "--widths", 1, 2, "--seeds", 1, "--steps", 1, "--width-d", 3, "--workers", 1)
    assert saddle(*words, "--out", "s").code == 0
    found = {(row["width"], row["width_g"], row["width_d"]) for row in read_table(Path("s"))}
    assert found == {(1, 1, 3), (2, 2, 3)}


def test_processes_give_what_one_process_gives(copy, saddle):
    ended = saddle(*SWEEP, "--workers", 2, "--out", "p")
    assert ended.code == 0 and ended.out == "p/report.html\n" and ended.err.splitlines()[-1] == "2 of 2 done"
    serial, parallel = read_table(copy), read_table(Path("p"))
    assert [row["run"] for row in serial] == [row["run"] for row in parallel]
    for mine, theirs in zip(serial, parallel, strict=True):
        # The number of threads may round differently.
        assert mine["value"] == pytest.approx(theirs["value"], rel=0.02, abs=0.02), mine


def test_a_run_that_fails_harms_no_other_and_is_told(copy, saddle):
    broken = runs(copy)[1, 0]
    broken.checkpoint.write_bytes(b"garbage")
    ended = saddle(*SWEEP, "--steps", 6, "--out", "s")
    assert ended.code == 1 and ended.out == "s/report.html\n" and "Traceback" not in ended.err
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert line.startswith(
        f"error: width 1 seeds 0, 1 failed: {broken.checkpoint} cannot be read as a checkpoint"
    )
    assert "delete it to train this run from its beginning" in line
    assert "Traceback" in (broken.path / "failure.txt").read_text()
    steps = {key: (run.result() or {})["step"] for key, run in runs(copy).items()}
    assert steps == {(1, 0): 4, (1, 1): 4, (2, 0): 6, (2, 1): 6}
    # What the message says helps, and then the failure is no longer told.
    broken.checkpoint.unlink()
    assert saddle(*SWEEP, "--steps", 6, "--out", "s").code == 0
    assert {(run.result() or {})["step"] for run in runs(copy).values()} == {6}
    assert not (broken.path / "failure.txt").exists()
    assert [row["step"] for row in broken.metrics() if "scores" in row] == [2, 4, 6]


def test_divergence_is_a_result(saddle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wild = ("--loss", "wasserstein", "--lr-g", 1e8, "--lr-d", 1e8, "--steps", 60, "--arch", "mlp")
    words = ("sweep", *OPTIONS, *CADENCE, *wild, "--widths", 2, "--seeds", 2, "--out", "s")
    ended = saddle(*words)
    assert ended.code == 0 and ended.out == "s/report.html\n"
    found = runs(Path("s"))
    for key, run in found.items():
        result = run.result()
        assert result is not None and result["status"] == "diverged" and result["step"] < 60
        assert f"width {key[0]}, seed {key[1]} diverged: the " in ended.err
    before = {key: files(run) for key, run in found.items()}
    assert saddle(*words).code == 0
    assert {key: files(run) for key, run in runs(Path("s")).items()} == before


def test_a_damaged_cache_is_made_anew(copy, saddle):
    for file in copy.glob("cache/*"):
        os.truncate(file, 100)
    assert saddle(*SWEEP, "--steps", 6, "--out", "s").code == 0
    assert saddle(*SWEEP, "--steps", 6, "--out", "fresh").code == 0
    assert read_table(copy) == read_table(Path("fresh"))


@pytest.fixture
def full_disk(monkeypatch) -> Callable[[str], None]:
    """`full_disk("sweep.json")`: from now on no file of that name can be written."""

    def fill(name: str) -> None:
        replace = Path.replace

        def refuse(self: Path, target: Path | str) -> Path:
            if Path(target).name == name:
                raise OSError(28, "No space left on device", str(target))
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", refuse)

    return fill


@pytest.mark.parametrize("name", ["sweep.json", "results.csv", "report.html"])
def test_a_full_disk_is_a_sentence(name, copy, saddle, full_disk):
    full_disk(name)
    ended = saddle(*SWEEP, "--out", "s")
    assert ended.code == 2 and "Traceback" not in ended.err
    assert ended.err.startswith("error: ") and "No space left on device" in ended.err and name in ended.err
