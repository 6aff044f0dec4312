"""A sweep that is killed at any moment goes on, and ends bit-equal to one that was never stopped."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cli.programs import start

from saddle.runs import RunFolder, read_table, wait_for

KILLS = 12
STEPS = 30
PATIENCE = 120.0  # seconds

SERVER = """
import importlib, json, os, sys
for name in ("torch", "sklearn.datasets", "scipy.linalg", "saddle.studies.width_sweep.sweep", "saddle.cli.finish"):
    importlib.import_module(name)
from saddle.cli.main import main
# The page is not what is looked at here, and drawing it takes seconds.
sys.modules["saddle.cli.finish"].build_report = lambda folder: folder / "report.html"
print("ready", flush=True)
for line in sys.stdin:
    words, log = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        main(words)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"Every life of the sweep is a process of its own, forked from one that has the libraries in memory already."


class Lives:
    """Starts `saddle` in fresh processes."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log.txt"
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert self._line() == "ready"

    def start(self, *words: object) -> int:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps([[str(word) for word in words], str(self.log)]) + "\n")
        self._server.stdin.flush()
        return int(self._line())

    def ended(self) -> int:
        """Wait for the end of the last one; its exit code, negative for a signal."""
        return int(self._line())

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()

    def _line(self) -> str:
        assert self._server.stdout is not None
        watch = threading.Timer(PATIENCE, self._server.kill)
        watch.start()
        line = self._server.stdout.readline().strip()
        watch.cancel()
        assert line, f"no answer in {PATIENCE} seconds: {self.log.read_text() if self.log.exists() else ''}"
        return line


@pytest.fixture
def lives(tmp_path) -> Iterator[Lives]:
    found = Lives(tmp_path)
    yield found
    found.close()


def command(out: str, *options: object) -> tuple[object, ...]:
    data = (
        "sweep",
        "--data",
        "digits",
        "--limit",
        60,
        "--batch",
        16,
        "--features",
        "pixels",
        "--neighbours",
        3,
    )
    often = ("--log-every", 1, "--checkpoint-every", 1, "--evaluate-every", 10)
    return (*data, *often, "--widths", 1, "--seeds", 2, "--steps", STEPS, *options, "--out", out)


def runs(folder: Path) -> dict[tuple[int, int], RunFolder]:
    found = [RunFolder.open(path.parent) for path in folder.glob("*/config.json")]
    return {(run.config["width"], run.config["seed"]): run for run in found}


def what_it_is(run: RunFolder) -> dict[str, Any]:
    """All that a run left, but the times that it took and the generators that training does not use."""
    payload = torch.load(run.checkpoint, weights_only=True)
    result = run.result()
    assert result is not None
    return {
        "checkpoint": {key: payload[key] for key in ("step", "state", "memory", "average", "streams")},
        "metrics": run.metrics(),
        "samples": {path.name: path.read_bytes() for path in run.samples_dir.iterdir()},
        "result": {key: result[key] for key in ("status", "step", "message", "fleet", "parameters")},
        "files": sorted(path.name for path in run.path.iterdir()),
    }


def same(a: Any, b: Any) -> bool:
    """Bit equality of nested results."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def picture(folder: Path) -> list[tuple[str, int, int]]:
    """What is on the disk now: names, sizes and times; changes when anything is written, temporary files included."""
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                state = os.stat(os.path.join(root, name))
            except FileNotFoundError:
                continue
            found.append((os.path.join(root, name), state.st_size, state.st_mtime_ns))
    return sorted(found)


def wait_until(ready: Callable[[], bool], alive: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for `ready()` while `alive()`; says whether it came."""
    end = time.monotonic() + seconds
    while not ready():
        if not alive():
            return ready()
        assert time.monotonic() < end, "nothing happened for too long"
        time.sleep(0.0005)
    return True


def wait_for_changes(number: int, look: Callable[[], object], pid: int) -> None:
    """Wait until what `look` sees has changed `number` times, or the process has ended."""
    for _ in range(number):
        before = look()
        if not wait_until(lambda before=before: look() != before, lambda: alive(pid)):
            return


def alive(pid: int) -> bool:
    # A zombie has ended; the server reaps it.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def one_life(lives: Lives, out: Path, number: signal.Signals, dice: random.Random) -> int:
    """Start the sweep, send it the signal at some moment, and return how it ended."""
    pid = lives.start(*command(out.name))
    if number is signal.SIGKILL:
        # After some changes on the disk and a moment more: in every phase, and often in the middle of a write.
        wait_for_changes(dice.randint(1, 40), lambda: picture(out), pid)
        time.sleep(dice.choice([0.0, 0.0, dice.random() * 0.003]))
    else:
        # While it trains: before that, a signal ends the program as it ends any other.
        wait_for_changes(1, lambda: [entry for entry in picture(out) if "checkpoint.pt" in entry[0]], pid)
    if alive(pid):
        os.kill(pid, number)
    return lives.ended()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
def test_a_sweep_killed_at_random_moments_ends_as_if_it_had_never_been(lives, tmp_path):
    lives.start(*command("unbroken"))
    assert lives.ended() == 0, lives.log.read_text()
    dice, out, kills, stops = random.Random(0), tmp_path / "killed", 0, 0
    for life in range(100):
        # Now and then it is asked to stop, as Ctrl-C and a batch system do it.
        number = {3: signal.SIGINT, 8: signal.SIGTERM}.get(life % 10, signal.SIGKILL)
        code = one_life(lives, out, number, dice)
        if code == 0:
            break
        told = lives.log.read_text()
        assert "Traceback" not in told
        if number is signal.SIGKILL:
            kills += 1
            assert code == -signal.SIGKILL, told
        elif "stopped; the same command goes on from here" in told:
            stops += 1
            assert code == 130 and told.splitlines()[-1] == "killed/report.html"
        else:
            # It came when the last step was done: the program ended as any other.
            assert code in (130, -signal.SIGTERM), told
    assert kills >= KILLS and stops >= 2, f"{kills} kills, {stops} stops: the sweep was too short"
    killed, unbroken = runs(out), runs(tmp_path / "unbroken")
    assert sorted(killed) == sorted(unbroken) == [(1, 0), (1, 1)]
    for key, run in killed.items():
        mine, theirs = what_it_is(run), what_it_is(unbroken[key])
        for part in theirs:
            assert same(mine[part], theirs[part]), f"{key}: {part} differs after {kills} kills"
    assert read_table(out) == read_table(tmp_path / "unbroken")


def test_a_sweep_of_several_processes_leaves_no_orphans_and_goes_on(tmp_path):
    words = command("s", "--widths", 1, 2, "--seeds", 1, "--steps", 400, "--workers", 2)
    words = (*words, "--evaluate-every", 400, "--checkpoint-every", 5)
    out = tmp_path / "s"

    def steps() -> list[int]:
        folders = sorted(path.parent for path in out.glob("*/fleet.json"))
        return [len(RunFolder.open(folder).metrics()) for folder in folders]

    def both_train(since: int) -> bool:
        return len(steps()) == 2 and min(steps()) > since

    def started(process: subprocess.Popen[str], since: int) -> None:
        assert wait_until(lambda: both_train(since), lambda: process.poll() is None), process.communicate()
        assert process.poll() is None

    first = start(tmp_path, *words)
    started(first, 5)
    first.kill()
    first.communicate()
    for path in out.glob("*/.lock"):
        # The kernel gives a lock up when its process ends, and not before.
        lock = wait_for(path, seconds=30)
        assert lock is not None, "a worker outlived its parent"
        lock.release()
    reached = steps()
    assert max(reached) < 400 and not list(out.glob("*/result.json"))
    checkpoints = [
        torch.load(path, weights_only=True)["step"] for path in sorted(out.glob("*/checkpoint.pt"))
    ]
    assert len(checkpoints) == 2 and min(checkpoints) >= 5, "orphans save before they go"
    second = start(tmp_path, *words)
    started(second, max(reached))
    second.send_signal(signal.SIGINT)
    printed, told = second.communicate(timeout=60)
    assert second.returncode == 130 and "Traceback" not in told
    assert "stopped; the same command goes on from here" in told
    assert printed == "s/report.html\n"
    third = start(tmp_path, *words)
    printed, told = third.communicate(timeout=120)
    assert third.returncode == 0, told
    for run in runs(out).values():
        assert [row["step"] for row in run.metrics() if "loss_generator" in row] == list(range(1, 401))
    assert {(row["width"], row["step"], row["status"]) for row in read_table(out)} == {
        (1, 400, "done"),
        (2, 400, "done"),
    }
