"""`saddle report`: only of a sweep's folder, whatever lies in it."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_folder_that_is_no_sweep(refused):
    assert "nowhere" in refused("report", "nowhere")
    Path("papers").mkdir()
    Path("papers/thesis.tex").write_text("mine")
    text = refused("report", "papers")
    assert "papers holds no sweep.json" in text and "--out" in text
    Path("file").touch()
    assert "file" in refused("report", "file")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"family": 3}', "[" * 10**5, '{"family": NaN}', "\0"], ids=range(8)
)
def test_a_damaged_sweep_json(content, refused):
    Path("s").mkdir()
    Path("s/sweep.json").write_text(content)
    assert "sweep.json" in refused("report", "s")


def test_damaged_runs_are_named(trained, tmp_path, refused):
    folder = Path(shutil.copytree(trained, "s"))
    (run,) = [path.parent for path in folder.glob("*/config.json")]
    config, metrics = run / "config.json", run / "metrics.jsonl"
    whole = config.read_text(), metrics.read_text()
    config.write_text("{")
    assert str(config) in refused("report", "s")
    broken = json.loads(whole[0])
    del broken["width"]
    config.write_text(json.dumps(broken))
    assert str(run) in refused("report", "s")
    config.write_text(whole[0])
    metrics.write_text("garbage\n" + whole[1])
    assert "line 1 of" in refused("report", "s") and str(metrics)
    metrics.write_text('{"step": 1, "scores": 7}\n' + whole[1])
    assert str(run) in refused("report", "s")
    metrics.write_text(whole[1])
    (run / "result.json").write_text("[")
    assert "result.json" in refused("report", "s")
    (run / "result.json").write_text("{}")
    assert str(run) in refused("report", "s")


def test_a_torn_last_row_and_foreign_folders_are_passed_over(trained, saddle):
    folder = Path(shutil.copytree(trained, "s"))
    before = (folder / "results.csv").read_bytes()
    (run,) = [path.parent for path in folder.glob("*/config.json")]
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "scor')
    (folder / "other").mkdir()
    (folder / "other" / "config.json").write_text('{"model": "bert"}')
    ended = saddle("report", "s")
    assert ended.code == 0 and ended.out == "s/report.html\n"
    assert (folder / "results.csv").read_bytes() == before
