"""`saddle diagnose`: bad input is one sentence, a sweep is a table."""

import json

import pytest
import torch

from saddle.cli.diagnose import command
from saddle.errors import UserError
from saddle.studies.gan_diagnosis.training import train_trial
from saddle.studies.gan_diagnosis.trials import PROVOKED


@pytest.fixture(scope="module")
def diverged(tmp_path_factory):
    root = tmp_path_factory.mktemp("sweep")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trial = next(trial for trial in PROVOKED if trial.kind == "divergence")
    train_trial(trial, [200, 201], root)
    torch.set_num_threads(before)
    return root


def test_what_is_no_run_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        command([str(tmp_path / "missing")])
    with pytest.raises(UserError, match="holds no run of a GAN"):
        command([str(tmp_path)])
    (tmp_path / "config.json").write_text('{"kind": "study"}')
    with pytest.raises(UserError, match="is no run of a GAN"):
        command([str(tmp_path)])
    (tmp_path / "config.json").write_text('{"kind": "gan", "gan": []}')
    with pytest.raises(UserError, match="no configuration of a GAN"):
        command([str(tmp_path)])


def test_a_folder_of_runs_is_a_table_and_the_last_line_names_the_page(diverged, capsys):
    assert command([str(diverged)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0].split()[0] == "diverges"
    assert [line.split()[:5] for line in lines[1:3]] == [
        ["width", "32,", "seed", str(seed), "✗"] for seed in (200, 201)
    ]
    assert lines[-1] == str(diverged / "diagnosis.html")
    assert "Runs and findings" in (diverged / "diagnosis.html").read_text()


def test_json_holds_every_finding_of_every_run(diverged, capsys):
    assert command([str(diverged), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len(runs) == 2
    assert all(len(run["findings"]) == 9 for run in runs)
    assert all(
        {"kind", "severity", "sentence", "evidence", "next_step"} <= set(run["findings"][0]) for run in runs
    )


def test_a_run_whose_images_are_gone_says_what_is_not_decidable(diverged, capsys, tmp_path):
    import shutil

    run = next(path.parent for path in diverged.glob("*/checkpoint.pt"))
    alone = tmp_path / run.name
    shutil.copytree(run, alone)
    assert command([str(alone), "--spectrum", "no", "--out", str(tmp_path / "page.html")]) == 0
    out = capsys.readouterr().out
    assert "✗ Divergence (serious)" in out
    assert "? Memorisation: Not decidable" in out
    # One damaged run is refused where it is the only one.
    (alone / "checkpoint.pt").write_bytes(b"no checkpoint")
    shutil.copytree(diverged / "cache", tmp_path / "cache")
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        command([str(alone)])
