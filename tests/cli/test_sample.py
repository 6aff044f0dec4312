"""`saddle sample`: the same images for the same seed, in three forms."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy of a trained run's folder, to be damaged."""
    (folder,) = [path.parent for path in trained.glob("*/checkpoint.pt")]
    return Path(shutil.copytree(folder, tmp_path / "run")).relative_to(tmp_path)


def array(file: str) -> np.ndarray:
    with np.load(file, allow_pickle=False) as stored:
        assert list(stored) == ["x"]
        return stored["x"]


def test_images_are_the_same_for_the_same_seed_however_many(trained, saddle):
    ended = saddle("sample", trained, "--n", 64, "--out", "a.npz")
    assert (ended.code, ended.out, ended.err) == (0, "a.npz\n", "")
    saddle("sample", trained, "--n", 3, "--out", "b.npz")
    saddle("sample", trained, "--n", 65, "--out", "c.npz")
    saddle("sample", trained, "--n", 3, "--out", "d.npz", "--seed", 1)
    a, b, c, d = map(array, ("a.npz", "b.npz", "c.npz", "d.npz"))
    assert a.shape == (64, 8, 8, 1) and a.dtype == np.uint8
    assert np.array_equal(a[:3], b) and np.array_equal(c[:64], a) and not np.array_equal(b, d)
    assert len(np.unique(a.reshape(64, -1), axis=0)) == 64


def test_the_three_forms_hold_the_same_pixels(trained, saddle):
    for out in ("a.npz", "files", "grid.png"):
        assert saddle("sample", trained, "--n", 5, "--columns", 3, "--out", out).out == f"{out}\n"
    a = array("a.npz")
    files = sorted(Path("files").iterdir())
    assert [file.name for file in files] == [f"{index:06d}.png" for index in range(5)]
    assert all(np.array_equal(np.asarray(Image.open(f)), x[:, :, 0]) for f, x in zip(files, a, strict=True))
    # 8 px enlarged four times, a pixel between them: 3 columns of 33 and one more, 2 rows.
    grid = np.asarray(Image.open("grid.png"))
    assert grid.shape == (2 * 33 + 1, 3 * 33 + 1)
    assert np.array_equal(grid[34:66:4, 34:66:4], a[4, :, :, 0])
    assert (grid[34:66, 68:100] == 255).all()  # no sixth image


def test_a_run_and_the_folder_above_it_are_both_taken(trained, run, saddle):
    saddle("sample", run, "--n", 2, "--out", "a.npz")
    saddle("sample", trained, "--n", 2, "--out", "b.npz")
    assert np.array_equal(array("a.npz"), array("b.npz"))


def test_nothing_is_replaced_unless_asked(trained, refused, saddle):
    Path("mine.png").write_text("mine")
    assert "exists already" in refused("sample", trained, "--out", "mine.png")
    assert saddle("sample", trained, "--n", 2, "--out", "mine.png", "--overwrite").code == 0
    with Image.open("mine.png") as grid:
        assert grid.size == (2 * 33 + 1, 34)
    Path("full").mkdir()
    Path("full/thing").touch()
    assert "exists already" in refused("sample", trained, "--out", "full")
    Path("empty").mkdir()
    assert saddle("sample", trained, "--n", 2, "--out", "empty").code == 0


def test_runs_that_cannot_be_sampled(trained, run, refused):
    assert "nowhere does not exist" in refused("sample", "nowhere")
    Path("empty").mkdir()
    assert "no run with a checkpoint" in refused("sample", "empty")
    Path("file").touch()
    assert "file" in refused("sample", "file")
    shutil.copytree(run, "two/a")
    shutil.copytree(run, "two/b")
    assert "two holds 2 runs; name one of them: two/a, two/b." in refused("sample", "two")


def test_outs_that_cannot_be_written(trained, refused):
    assert "make deep/er first" in refused("sample", trained, "--out", "deep/er/a.png")
    assert "name a .png file" in refused("sample", trained, "--out", "a.jpg")
    assert "name a .png file" in refused("sample", trained, "--out", "a.PNG")
    assert "--n is 0" in refused("sample", trained, "--n", 0)
    assert "--columns is 0" in refused("sample", trained, "--columns", 0)
    assert "--seed is -1" in refused("sample", trained, "--seed", -1)


def test_damaged_runs(run, refused):
    whole = (run / "checkpoint.pt").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"garbage" * 50):
        (run / "checkpoint.pt").write_bytes(damaged)
        assert "cannot be read as a checkpoint" in refused("sample", run)
    torch.save({"format": 99}, run / "checkpoint.pt")
    assert "is no checkpoint of this version" in refused("sample", run)
    torch.save({"format": 1}, run / "checkpoint.pt")
    assert "checkpoint.pt" in refused("sample", run)
    torch.save({"format": 1, "step": 2, "average": 3, "state": {}}, run / "checkpoint.pt")
    assert "checkpoint.pt" in refused("sample", run)
    (run / "checkpoint.pt").write_bytes(whole)
    config = json.loads((run / "config.json").read_text())
    for bad in ("{", "[]", json.dumps(config | {"gan": None}), json.dumps(config | {"width_g": "1"})):
        (run / "config.json").write_text(bad)
        assert "config.json" in refused("sample", run)
    (run / "config.json").write_text(json.dumps(config | {"width_g": 2}))
    assert "does not belong to its config.json" in refused("sample", run)
    (run / "config.json").unlink()
    assert "config.json" in refused("sample", run)
