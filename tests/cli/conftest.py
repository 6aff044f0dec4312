"""The command line inside the test's own process, and the proof that a refusal leaves nothing behind."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from saddle.cli.main import main


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Saddle = Callable[..., Ended]
Refused = Callable[..., str]


@pytest.fixture
def saddle(capsys: pytest.CaptureFixture[str]) -> Saddle:
    """`saddle("sweep", "--data", path, …)`: run the command here."""

    def run(*words: Any) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Ended(code=int(ending.value.code or 0), out=printed.out, err=printed.err)

    return run


def tree(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below `folder` but locks, with its size, time of change and inode."""

    def walk(at: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
        for entry in os.scandir(at):
            if entry.name == ".table.lock":
                continue
            found = entry.stat(follow_symlinks=False)
            yield entry.path, (found.st_size, found.st_mtime_ns, found.st_ino)
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)

    return dict(walk(str(folder)))


def assert_is_a_refusal(ended: Ended) -> str:
    """Hold an error to its form: code 2, nothing on stdout, a sentence or two or three; returns the message."""
    assert ended.code == 2, ended
    assert ended.out == "" and "Traceback" not in ended.err, ended
    assert ended.err.startswith("error: ") and ended.err.endswith("\n"), ended
    text = ended.err.removeprefix("error: ").strip()
    assert text[-1] in ".…)`" and len(text) < 900, text
    assert "\n" not in text or all(line.startswith("       ") for line in text.splitlines()[1:])
    # A sentence ends where a stop is followed by a space and a capital; file names hold stops too.
    assert len(re.findall(r"[.?] (?=[A-Z`-])", text)) <= 3, text
    return text


@pytest.fixture
def refused(saddle: Saddle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """`refused("sweep", …)`: the message, after a look that nothing was written; the test runs in `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def run(*words: Any) -> str:
        before = tree(tmp_path)
        text = assert_is_a_refusal(saddle(*words))
        assert tree(tmp_path) == before, "a refused command wrote something"
        return text

    return run


def picture(seed: int, size: int = 8, channels: int = 3) -> np.ndarray:
    shape = (size, size, channels) if channels == 3 else (size, size)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `photos` of 40 random 8x8 RGB images in two sub-folders; the test runs beside it."""
    monkeypatch.chdir(tmp_path)
    for seed in range(40):
        file = tmp_path / "photos" / "ab"[seed % 2] / f"{seed:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(seed)).save(file)
    return Path("photos")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a `saddle train` that took two steps; tests leave it as it is."""
    out = tmp_path_factory.mktemp("trained") / "one"
    words = ["train", "--data", "digits", "--limit", "60", "--batch", "16", "--width", "1", "--steps", "2"]
    with pytest.raises(SystemExit) as ending:
        main([*words, "--features", "random", "--out", str(out)])
    assert ending.value.code == 0
    return out
