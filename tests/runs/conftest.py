"""Small programs and jobs that run in fresh interpreters beside the test."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]

JOBS = """
import os, signal, sys, time
from pathlib import Path
from saddle.errors import UserError
from saddle.runs.stop import Stopped, stopping

def count(n, report):
    for i in range(n):
        report(i + 1, n, f"{i + 1} of {n}", loss=0.5)

def describe(report):
    variables = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
    heavy = [name for name in ("torch", "numpy", "rich", "pytest") if name in sys.modules]
    report(1, 1, "", pid=os.getpid(), heavy=heavy, **variables)

def note(file, text, report):
    with open(file, "a") as out:
        out.write(text)

def meet(mine, other, report):
    Path(mine).touch()
    while not Path(other).exists():
        time.sleep(0.01)

def wrong(kind, report):
    print("a last word")
    if kind == "value": raise ValueError("first line\\nlast line")
    if kind == "user": raise UserError("There is no cat in cats/. Add one.")
    if kind == "stopped": raise Stopped("saved at step 7")
    if kind == "exit": sys.exit("out")
    if kind == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if kind == "abort": os.abort()
    if kind == "vanish": os._exit(3)

def polite(file, report):
    report(0, 1, "working", pid=os.getpid())
    Path(file + ".begun").write_text(str(os.getpid()))
    while not stopping():
        time.sleep(0.01)
    time.sleep(0.1)  # saving takes its time
    Path(file).write_text("saved")
    raise Stopped("saved")

def stubborn(file, report):
    Path(file + ".begun").write_text(str(os.getpid()))
    time.sleep(60)
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `jobs_for_tests` on the import path; returns the folder in which it lies."""
    (tmp_path / "jobs_for_tests.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "jobs_for_tests", raising=False)
    return tmp_path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `code` in a new interpreter in `tmp_path`; whatever still runs after the test is killed."""
    processes: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
