"""`saddle study run gan-width`: picks up sweeps, never trains twice, reports from the folder alone, refuses in a sentence."""

import json
from pathlib import Path

import pytest

from saddle.studies.study import find_study
from saddle.studies.width_sweep.sweep import run_sweep

OPTIONS = (
    *("--data", "digits", "--limit", 60, "--arch", "mlp", "--batch", 16, "--features", "pixels", "--neighbours", 3),
    *("--widths", 1, 2, "--seeds", 2, "--steps", 2, "--workers", 1, "--probe-every", 0, "--spectrum-every", 0),
)  # fmt: skip


def test_a_sweep_made_before_is_picked_up_and_judged(saddle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from saddle.cli.parse import parse

    kind = find_study("gan-width").config_type
    config = parse(kind, [*map(str, OPTIONS), "--out", "x"], name="study run gan-width", default=kind.quick())
    run_sweep(config.sweep("both"))
    before = {path: path.stat().st_mtime_ns for path in Path("x").glob("both/*/result.json")}
    assert len(before) == 4
    ended = saddle("study", "run", "gan-width", "--config", "x/both/sweep.json", "--nnd", "none")
    assert ended.code == 0, ended.err
    assert {path: path.stat().st_mtime_ns for path in before} == before
    last = ended.out.splitlines()[-1]
    assert last.startswith("x/report.html: ") and " claims: " in last
    stored = json.loads(Path("x/claims.json").read_text())
    assert stored["study"] == "gan-width" and "out" not in stored["settings"]
    assert {claim["certainty"] for claim in stored["claims"]} >= {"recalled", "derived"}
    Path("x/report.html").unlink()
    again = saddle("study", "report", "x")
    assert again.code == 0 and again.out.splitlines()[-1] == last and Path("x/report.html").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--widths", "4"), "fewer than two widths"),
        (("--sides", "left"), "left"),
        (("--hold-width", "0"), "--hold-width is 0"),
        (("--seed", "3"), "Did you mean"),
        (("--data", "nowhere"), "nowhere"),
        (("--full", "--seeds", "0"), "--seeds is 0"),
        (("--config", "nowhere.json"), "nowhere.json does not exist"),
    ],
)
def test_a_refusal_is_a_sentence_and_writes_nothing(refused, words, message):
    assert message in refused("study", "run", "gan-width", *words)


def test_a_folder_of_other_things_is_left_alone(refused, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "holds other things" in refused("study", "run", "gan-width", "--out", "mine")


def test_a_damaged_study_is_a_sentence(refused, tmp_path):
    (tmp_path / "x").mkdir()
    for config in ("3", '{"widths": "wide"}', '{"colour": 1}', '{"widths": [4]}', '{"sides": ["../x"]}'):
        text = f'{{"study": "gan-width", "version": "1", "config": {config}}}'
        (tmp_path / "x" / "study.json").write_text(text)
        assert "x/study.json is damaged" in refused("study", "report", "x")


def test_a_side_that_was_never_trained_is_named(refused, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "study.json").write_text('{"study": "gan-width", "version": "1", "config": {}}')
    assert "lacks the side both" in refused("study", "report", "x")
