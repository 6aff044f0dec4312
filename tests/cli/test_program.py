"""The installed program, as a shell sees it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import saddle.studies.width_sweep.sweep as sweep

PROGRAM = Path(sys.executable).with_name("saddle")


def run(*words: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    assert PROGRAM.exists(), "the package is not installed in this environment"
    settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(
        [PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=settings,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sweep", "--data", "nowhere"), "nowhere does not exist."),
        (("sweep", "--data", "digits", "--widths", "0"), "--widths has 0; a width must be at least 1."),
        (("report", "nowhere"), "nowhere holds no sweep.json"),
    ],
)
def test_an_error_is_a_sentence_on_stderr_and_the_code_is_two(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"error: {message}") and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("--help",), ("sweep", "--help")])
def test_a_reader_that_has_gone_is_no_error(words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(*words, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_device_is_a_sentence():
    with open("/dev/full", "w") as full:
        done = run("--help", stdout=full.fileno())
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot read or write: No space left on device")


def test_any_terminal_can_show_the_help():
    done = run("sweep", "--help", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert done.returncode == 0 and done.stderr == "" and "\\u03b3" in done.stdout
    assert (
        run("sweep", "--wdths", "1", PYTHONIOENCODING="ascii").stderr == run("sweep", "--wdths", "1").stderr
    )


def test_a_stop_before_training_is_no_error(saddle, monkeypatch):
    def interrupted(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "load_split", interrupted)
    ended = saddle("sweep", "--data", "digits")
    assert (ended.code, ended.out, ended.err) == (130, "", "stopped\n")
