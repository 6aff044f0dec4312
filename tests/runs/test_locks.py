"""A lock excludes the living and forgets the dead."""

import signal
import time

import pytest

from saddle.errors import UserError
from saddle.runs import RunFolder, try_lock, wait_for

HOLD = """
    import sys
    from saddle.runs import try_lock
    lock = try_lock(__import__("pathlib").Path(sys.argv[1]))
    print("held" if lock else "busy", flush=True)
    sys.stdin.readline()
    """


def test_two_processes_compete_and_one_wins(tmp_path, start):
    contenders = [start(HOLD, tmp_path / "lock") for _ in range(2)]
    assert sorted(process.stdout.readline() for process in contenders) == ["busy\n", "held\n"]


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path, start):
    process = start(HOLD, tmp_path / "lock")
    assert process.stdout.readline() == "held\n"
    assert try_lock(tmp_path / "lock") is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    lock.release()


def test_locks_exclude_each_other_inside_one_process_too(tmp_path):
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    with lock:
        assert try_lock(tmp_path / "lock") is None
    lock.release()  # again, harmless
    assert try_lock(tmp_path / "lock") is not None


def test_waiting_ends_by_the_lock_by_time_or_by_a_stop(tmp_path, start):
    process = start(HOLD, tmp_path / "lock")
    assert process.stdout.readline() == "held\n"
    assert wait_for(tmp_path / "lock", seconds=0.05) is None
    assert wait_for(tmp_path / "lock", give_up=lambda: True) is None
    process.stdin.write("let go\n")
    process.stdin.flush()
    begin = time.monotonic()
    assert wait_for(tmp_path / "lock", seconds=10) is not None
    assert time.monotonic() - begin < 5


def test_a_run_that_is_worked_on_says_by_whom(tmp_path, start):
    run = RunFolder.create(tmp_path, {"width": 8})
    process = start(HOLD, run.path / ".lock")
    assert process.stdout.readline() == "held\n"
    assert run.try_lock() is None
    assert run.wait_for_lock(seconds=0.05) is None
    with pytest.raises(UserError, match=rf"worked on by process {process.pid} on "), run.lock():
        pass
    process.kill()
    process.wait()
    with run.lock():
        assert run.try_lock() is None
    with run.lock():
        pass


def test_the_new_holder_removes_what_a_killed_writer_left(tmp_path):
    run = RunFolder.create(tmp_path, {"width": 8})
    for name in (".checkpoint.pt.k2j.tmp", ".config.json.abc.tmp", "samples/.a.png.x.tmp", "mine.tmp"):
        (run.path / name).write_text("")
    with run.lock():
        # config.json may be in the making by another process that calls `create`
        assert {path.name for path in run.path.glob("**/*.tmp")} == {".config.json.abc.tmp", "mine.tmp"}
