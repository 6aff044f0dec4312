"""What Ctrl-C, a supervisor's SIGTERM and a killed parent do to a process and its children."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from saddle.runs import ProcessExecutor, SerialExecutor, listening_for_stop, request_stop, stopping

PARENT = """
    import json, sys
    from saddle.runs import Job, ProcessExecutor, SerialExecutor
    function, grace, executor = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    tasks = [Job(key=k, function=f"jobs_for_tests:{function}", arguments={"file": k}) for k in "abc"]
    chosen = ProcessExecutor(workers=2, threads=1, grace=grace) if executor == "processes" else SerialExecutor()
    outcomes = chosen.run(tasks)
    print(json.dumps({key: [outcome.status, outcome.message] for key, outcome in outcomes.items()}))
    """
NOT_STARTED = ["interrupted", "not started: a stop was asked for"]


def until(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def begun(folder: Path, *keys: str) -> list[int]:
    files = [folder / f"{key}.begun" for key in keys]
    until(lambda: all(file.exists() and file.read_text() for file in files))
    return [int(file.read_text()) for file in files]


def alive(pid: int) -> bool:
    try:
        # A dead child of a dead parent may wait as a zombie for whoever adopted it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_first_signal_asks_and_the_second_insists():
    before = signal.getsignal(signal.SIGTERM)
    with listening_for_stop():
        assert not stopping()
        signal.raise_signal(signal.SIGTERM)
        assert stopping()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert not stopping()
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nested_blocks_share_one_request_and_a_child_is_not_hurried():
    with listening_for_stop(insist=False):
        with listening_for_stop():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
        assert stopping()
    with listening_for_stop():
        assert not stopping()
        request_stop()
        assert stopping()


@pytest.mark.parametrize(
    "executor", [SerialExecutor(), ProcessExecutor(workers=1)], ids=["serial", "processes"]
)
def test_nothing_starts_after_a_stop(jobs, executor):
    from saddle.runs import Job

    with listening_for_stop():
        request_stop()
        outcomes = executor.run([Job(key="a", function="jobs_for_tests:count", arguments={"n": 3})])
    assert [outcomes["a"].status, outcomes["a"].message] == NOT_STARTED


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_every_child_save_and_starts_no_other(jobs, start, sent):
    parent = start(PARENT, "polite", 60, "processes")
    begun(jobs, "a", "b")
    parent.send_signal(sent)
    out, errors = parent.communicate(timeout=15)
    assert errors == ""
    saved = ["interrupted", "saved"]
    assert json.loads(out) == {"a": saved, "b": saved, "c": NOT_STARTED}
    assert [(jobs / key).exists() for key in "abc"] == [True, True, False]


def test_the_terminals_ctrl_c_goes_to_the_whole_group_and_the_children_still_save(jobs, start):
    parent = start(PARENT, "polite", 60, "processes")
    begun(jobs, "a", "b")
    os.killpg(parent.pid, signal.SIGINT)
    out, errors = parent.communicate(timeout=15)
    assert errors == ""
    assert json.loads(out)["a"] == ["interrupted", "saved"]


def test_a_serial_parent_saves_its_own_job(jobs, start):
    parent = start(PARENT, "polite", 60, "serial")
    begun(jobs, "a")
    parent.send_signal(signal.SIGINT)
    out, _ = parent.communicate(timeout=15)
    assert json.loads(out) == {"a": ["interrupted", "saved"], "b": NOT_STARTED, "c": NOT_STARTED}


def test_the_second_ctrl_c_ends_children_that_do_not_listen(jobs, start):
    parent = start(PARENT, "stubborn", 60, "processes")
    pids = begun(jobs, "a", "b")
    parent.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert parent.poll() is None
    parent.send_signal(signal.SIGINT)
    _, errors = parent.communicate(timeout=15)
    assert errors.strip().endswith("KeyboardInterrupt")
    assert not any(map(alive, pids))


def test_children_of_a_killed_parent_save_and_go(jobs, start):
    parent = start(PARENT, "polite", 60, "processes")
    pids = begun(jobs, "a", "b")
    parent.kill()
    until(lambda: not any(map(alive, pids)))
    assert [(jobs / key).exists() for key in "abc"] == [True, True, False]


def test_children_of_a_killed_parent_that_do_not_listen_end_after_the_grace(jobs, start):
    parent = start(PARENT, "stubborn", 0.2, "processes")
    pids = begun(jobs, "a", "b")
    parent.kill()
    until(lambda: not any(map(alive, pids)), seconds=5)
