"""`saddle outliers` from a folder of files to a table, a page, a list and a clean copy."""

import csv
import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

DIGITS = np.rint(cast(Bunch, load_digits()).images * 255 / 16).astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG")


@pytest.fixture
def dirty(tmp_path, monkeypatch) -> Path:
    """`photos/`: 36 digits and 4 pictures of noise; `clean/`: 40 other digits. The test runs beside them."""
    monkeypatch.chdir(tmp_path)
    order = np.random.default_rng(0).permutation(len(DIGITS))
    for k in range(36):
        save(Path(f"photos/{'ab'[k % 2]}/digit{k:02d}.png"), DIGITS[order[k]])
    for k in range(4):
        noise = np.random.default_rng(k).integers(0, 256, (8, 8), dtype=np.uint8)
        save(Path(f"photos/a/noise{k}.png"), noise)
    for k in range(40, 80):
        save(Path(f"clean/{k}.png"), DIGITS[order[k]])
    return tmp_path


def rows(path: str | Path = "ranking.csv") -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


WORDS = ("outliers", "photos/", "--reference", "clean/", "--contamination", 0.1)


def test_from_a_folder_to_the_table_the_page_the_list_and_the_clean_copy(dirty, saddle):
    ended = saddle(*WORDS, "--list", "flagged.txt", "--clean", "kept")
    assert ended.code == 0 and ended.err == ""
    table = rows()
    assert list(table[0]) == ["rank", "file", "score", "weight", "row_cost", "flagged"]
    assert [int(row["rank"]) for row in table] == list(range(1, 41))
    assert {row["file"] for row in table} == {str(path) for path in Path("photos").rglob("*.png")}
    scores = [float(row["score"]) for row in table]
    weights = [float(row["weight"]) for row in table]
    assert scores == sorted(scores) and weights == sorted(weights)
    assert np.mean(weights) == pytest.approx(1, abs=1e-5) and min(weights) >= 0
    # Noise is found wholly: it is far from every digit.
    flagged = [row["file"] for row in table if row["flagged"] == "1"]
    assert sorted(flagged) == [f"photos/a/noise{k}.png" for k in range(4)]
    assert Path("flagged.txt").read_text().splitlines() == flagged
    kept = {str(path.relative_to("kept")) for path in Path("kept").rglob("*.png")}
    assert len(kept) == 36 and not any("noise" in name for name in kept)
    for name in kept:
        assert (Path("kept") / name).read_bytes() == (Path("photos") / name).read_bytes()
    assert len(list(Path("photos").rglob("*.png"))) == 40
    lines = ended.out.splitlines()
    assert lines[0].split() == ["rank", "weight", "score", "row", "cost", "flagged", "file"]
    assert lines[1].split()[-1] == flagged[0] and "4 of 40 images are flagged" in ended.out
    assert lines[-4:] == ["flagged.txt", "kept", "ranking.csv", "ranking.html"]
    page = Path("ranking.html").read_text()
    assert "a/noise0.png" in page and "What this cannot see" in page


def test_for_machines_without_a_reference_and_drawn_down(dirty, saddle):
    ended = saddle("outliers", "photos", "--contamination", 0.1, "--json", "--max-size", 30, "--out", "r.csv")
    answer = json.loads(ended.out)
    assert "is solved on 30 of them against their densest part" in ended.err
    assert answer["reference"] is None and answer["images"] == 40 and answer["solved_on"] == [30, 24]
    assert answer["status"] == "certified" and answer["gap"] <= 1e-4
    assert answer["rho"] == pytest.approx(0.1 / 1.8)
    found = {each["file"] for each in answer["flagged"]}
    assert len(found) == 4 and found == {row["file"] for row in rows("r.csv")[:4]}
    assert {f"photos/a/noise{k}.png" for k in range(4)} <= found
    assert answer["table"] == "r.csv" and answer["page"] == "r.html"


def test_arrays_and_zips_are_sources_too(dirty, saddle):
    np.savez("set.npz", x=DIGITS[:30, :, :, None])
    with zipfile.ZipFile("set.zip", "w") as archive:
        for k in range(12):
            archive.write(f"clean/{40 + k}.png", f"in/{k}.png")
    ended = saddle("outliers", "set.npz", "--reference", "set.zip", "--features", "pixels")
    assert ended.code == 0
    assert {row["file"] for row in rows()} == {f"set.npz[{k}]" for k in range(30)}
    assert saddle("outliers", "set.zip", "--out", "z.csv", "--features", "pixels").code == 0
    assert {row["file"] for row in rows("z.csv")} == {f"set.zip/in/{k}.png" for k in range(12)}


def test_hostile_names_survive_in_the_table_the_list_and_the_page(dirty, saddle):
    names = [b"a,b.png", b'"quote".png', b"<img src=x onerror=alert(1)>.png", b"bad\xff.png", b"=1+1.png"]
    for k, name in enumerate(names):
        save(
            Path(os.fsdecode(b"photos/a/" + name)),
            np.random.default_rng(9 + k).integers(0, 256, (8, 8), np.uint8),
        )
    assert saddle(*WORDS, "--contamination", 0.2, "--list", "l.txt", "--clean", "kept").code == 0
    # The table is UTF-8 whatever the names; a byte that is none is escaped.
    text = Path("ranking.csv").read_bytes().decode("utf-8")
    found = {row["file"] for row in csv.DictReader(io.StringIO(text))}
    assert {
        f"photos/a/{name}.png" for name in ("a,b", '"quote"', "<img src=x onerror=alert(1)>", "bad\\udcff")
    } <= found
    # No cell begins with a sign that a spreadsheet takes for a formula.
    assert "photos/a/=1+1.png" in found
    # The list has the bytes that the file system has, so that other programs find the files.
    listed = Path("l.txt").read_bytes().splitlines()
    assert len(listed) == 9 and b"photos/a/bad\xff.png" in listed
    assert all(os.path.exists(path) for path in listed)
    page = Path("ranking.html").read_text()
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_name_with_a_line_break_cannot_be_listed_but_stands_in_the_table(dirty, saddle, refused):
    save(Path("photos/a/two\nlines.png"), DIGITS[0])
    assert "has a line break" in refused(*WORDS, "--list", "l.txt")
    assert saddle(*WORDS).code == 0
    assert "photos/a/two\nlines.png" in {row["file"] for row in rows()}


def test_grey_images_beside_a_coloured_reference_count_as_grey_rgb(dirty, saddle):
    for k in range(5):
        save(Path(f"colour/{k}.png"), np.random.default_rng(k).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    assert saddle("outliers", "photos", "--reference", "colour", "--features", "pixels").code == 0
    assert len(rows()) == 40


def test_bad_input_is_one_sentence_and_writes_nothing(dirty, refused):
    assert "missing/ does not exist" in refused("outliers", "missing/")
    assert "missing/ does not exist" in refused("outliers", "photos", "--reference", "missing/")
    for share in (0, 0.6, -1, "nan"):
        assert "--contamination is" in refused("outliers", "photos", "--contamination", share)
    save(Path("one/1.png"), DIGITS[0])
    assert "needs at least two" in refused("outliers", "one")
    assert "needs at least two" in refused("outliers", "photos", "--reference", "one")
    for k in range(3):
        save(Path(f"large/{k}.png"), np.zeros((16, 16), np.uint8))
    assert "--resize 8" in refused("outliers", "photos", "--reference", "large")
    assert "make nowhere first" in refused("outliers", "photos", "--out", "nowhere/r.csv")
    assert "names the page" in refused("outliers", "photos", "--out", "r.html")
    assert "lies inside" in refused("outliers", "photos", "--clean", "photos/kept")
    assert "exists already" in refused("outliers", "photos", "--clean", "clean")
    np.savez("set.npz", x=DIGITS[:10, :, :, None])
    assert "no files of a folder" in refused("outliers", "set.npz", "--clean", "kept")
    assert "'pixel'" in refused("outliers", "photos", "--features", "pixel")
    assert "--max-size is 1" in refused("outliers", "photos", "--max-size", 1)
    Path("ranking.csv").write_text("mine")
    assert "--out ranking.csv exists already" in refused("outliers", "photos")
    assert Path("ranking.csv").read_text() == "mine"


def test_nothing_is_written_over_another_output_or_over_what_is_read(dirty, refused):
    assert "--out and --list are both r.csv" in refused(
        "outliers", "photos", "--out", "r.csv", "--list", "r.csv"
    )
    for option in ("--list", "--clean"):
        told = refused("outliers", "photos", "--out", "r.csv", option, "./r.html")
        assert f"the page beside --out and {option} are both r.html" in told
    # A copy of what is left of dirty photographs would make the clean reference dirty.
    told = refused("outliers", "photos", "--reference", "clean", "--clean", "clean/kept")
    assert "--clean clean/kept lies inside clean" in told
    np.savez("set.npz", x=DIGITS[:10, :, :, None])
    told = refused("outliers", "set.npz", "--list", "set.npz", "--overwrite")
    assert "PHOTOS and --list are both set.npz" in told
    told = refused("outliers", "photos", "--reference", "set.npz", "--out", "set.npz", "--overwrite")
    assert "--reference and --out are both set.npz" in told
    assert "as a folder; choose another name." in refused(
        "outliers", "photos", "--out", "clean", "--overwrite"
    )
    assert "--out names no file" in refused("outliers", "photos", "--out", "")
    if os.geteuid():  # Root may write anywhere.
        Path("sealed").mkdir(mode=0o555)
        assert "may not write to" in refused("outliers", "photos", "--out", "sealed/r.csv")


def test_a_problem_too_large_for_the_memory_is_refused_before_anything_is_computed(dirty, refused):
    # 10 arrays of 200,000² doubles are 2.9 TiB; the default --max-size needs 76 MiB for the same images.
    np.save("many.npy", np.zeros((200_000, 4, 4, 1), np.uint8))
    told = refused("outliers", "many.npy", "--reference", "many.npy", "--max-size", 10**9)
    assert "200,000 images against 200,000" in told and "2980.2 GiB" in told
    assert re.search(r"pass --max-size \d+ or less", told)


def test_identical_images_are_no_outliers_and_bad_files_are_counted(dirty, saddle):
    for k in range(6):
        save(Path(f"same/{k}.png"), DIGITS[0])
    Path("same/bad.png").write_bytes(b"no image")
    ended = saddle("outliers", "same", "--skip-bad", "--features", "pixels")
    assert ended.code == 0 and "1 unusable file was left out" in ended.out
    assert "0 of 6 images are flagged" in ended.out
