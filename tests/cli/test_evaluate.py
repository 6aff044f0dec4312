"""`saddle evaluate`: two sets in any form, a table or JSON."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saddle.studies.evaluation as evaluation
from saddle.metrics.features import PixelFeatures

KEYS = ["frechet", "kernel", "precision", "recall", "density", "coverage"]


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def grey(n: int, seed: int = 0, size: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 1), dtype=np.uint8)


def test_every_form_of_the_same_images_gives_the_same_numbers(trained, saddle):
    found = []
    for out in ("a.npz", "files"):
        saddle("sample", trained, "--n", 30, "--out", out)
        ended = saddle(
            "evaluate", "--real", "digits", "--limit", 200, "--fake", out, "--features", "random", "--json"
        )
        assert ended.code == 0 and ended.err == ""
        found.append(json.loads(ended.out))
    array, files = found
    assert array["scores"] == files["scores"] and (array["fake"], files["fake"]) == ("a.npz", "files")
    assert list(array) == ["real", "fake", "features", "n_real", "n_fake", "skipped", "scores"]
    assert (array["n_real"], array["n_fake"], array["skipped"]) == (200, 30, 0)
    names = [score["metric"] for score in array["scores"]]
    assert names == [f"{n}(random)" for n in ("FD", "KD", "precision", "recall", "density", "coverage")]
    for score in array["scores"]:
        assert (score["n_real"], score["n_fake"], score["n"]) == (200, 30, 30)
        assert all(math.isfinite(score[key]) for key in ("value", "value_at_n", "floor"))
    # Untrained images are farther from digits than digits are from each other.
    assert array["scores"][0]["value_at_n"] > array["scores"][0]["floor"]
    assert [score["better"] for score in array["scores"]] == ["lower"] * 2 + ["higher"] * 4


def test_the_table_says_how_many_images_stand_behind_each_number(saddle):
    np.savez("real.npz", x=grey(40))
    np.savez("fake.npz", x=grey(30, 1))
    ended = saddle("evaluate", "--real", "real.npz", "--fake", "fake.npz", "--features", "pixels")
    head, *rows = ended.out.splitlines()
    assert head.split("  ")[0] == "metric"
    assert "30 fake vs 40 real" in head and "20 fake vs 20 real" in head and "20 real vs 20 real" in head
    assert [row.split()[0] for row in rows] == [
        f"{n}(pixels)" for n in ("FD", "KD", "precision", "recall", "density", "coverage")
    ]
    assert "FID" not in ended.out
    assert len({len(line) for line in [head, *rows]}) == 1


def test_only_standard_inception_features_give_a_number_called_fid(saddle, monkeypatch):
    for name, label in (("inception-2048", "FID"), ("inception-768", "FD(inception-768)")):
        extractor = PixelFeatures(size=8, channels=1)
        extractor.name = name
        monkeypatch.setattr(evaluation, "check_features", lambda *args: None)
        monkeypatch.setattr(evaluation, "make_extractor", lambda *args, found=extractor, **options: found)
        np.savez("real.npz", x=grey(40))
        words = ("--real", "real.npz", "--fake", "real.npz", "--features", name, "--json")
        scores = json.loads(saddle("evaluate", *words).out)["scores"]
        assert scores[0]["metric"] == label


def test_bad_files_that_were_left_out_are_counted(saddle):
    Path("files").mkdir()
    for index, image in enumerate(grey(12)):
        Image.fromarray(image[:, :, 0]).save(f"files/{index}.png")
    Path("files/bad.png").write_bytes(b"no image")
    words = (
        "evaluate",
        "--real",
        "digits",
        "--limit",
        50,
        "--fake",
        "files",
        "--features",
        "pixels",
        "--skip-bad",
    )
    ended = saddle(*words)
    assert ended.code == 0 and ended.out.splitlines()[-1] == "1 unusable file was left out"
    assert json.loads(saddle(*words, "--json").out)["skipped"] == 1


def test_sets_that_cannot_be_compared(refused):
    np.savez("real.npz", x=grey(40))
    np.savez("large.npz", x=grey(40, size=16))
    np.savez("colour.npz", x=np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))
    np.savez("few.npz", x=grey(2))
    text = refused("evaluate", "--real", "real.npz", "--fake", "large.npz", "--features", "pixels")
    assert "8x8 with 1 channel" in text and "16x16 with 1 channel" in text and "--resize 8" in text
    text = refused("evaluate", "--real", "real.npz", "--fake", "colour.npz", "--features", "pixels")
    assert "with 3 channels" in text and "--channels 1" in text
    for real, fake in (("real.npz", "few.npz"), ("few.npz", "real.npz")):
        text = refused("evaluate", "--real", real, "--fake", fake, "--features", "pixels")
        assert "too few to compare" in text and "at least 6 real and 3 generated" in text
    words = ("evaluate", "--real", "real.npz", "--fake", "real.npz", "--features", "pixels")
    assert "3 to 20" in refused(*words, "--samples", 21)
    assert "3 to 20" in refused(*words, "--samples", 2)
    assert "--neighbours is 20" in refused(*words, "--neighbours", 20)
    assert "'pixel'" in refused(*words, "--features", "pixel")
    assert "--weights" in refused(*words, "--features", "inception-64")
    assert "labels" in refused(*words, "--features", "classifier")
