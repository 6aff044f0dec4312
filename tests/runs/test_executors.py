"""Both executors tell the same story; processes also survive each other's deaths."""

import os
import signal

import pytest

from saddle.runs import Job, ProcessExecutor, SerialExecutor

EXECUTORS = [SerialExecutor(), ProcessExecutor(workers=2, threads=1)]


def job(name, key=None, weight=1.0, **arguments):
    return Job(key=key or name, function=f"jobs_for_tests:{name}", arguments=arguments, weight=weight)


@pytest.fixture(params=EXECUTORS, ids=["serial", "processes"])
def executor(request, jobs):
    return request.param


def test_outcomes_say_what_happened_word_for_word(executor):
    kinds = ["none", "user", "value", "stopped", "exit"]
    outcomes = executor.run(
        [
            *(job("wrong", key=kind, kind=kind) for kind in kinds),
            job("missing"),
            Job(key="module", function="no_such_module:f", arguments={}),
            job("count", key="arguments", m=3),
        ]
    )
    assert {key: (outcome.status, outcome.message) for key, outcome in outcomes.items()} == {
        "none": ("done", ""),
        "user": ("failed", "There is no cat in cats/. Add one."),
        "value": ("failed", "last line"),
        "stopped": ("interrupted", "saved at step 7"),
        "exit": ("failed", "SystemExit: out"),
        "missing": ("failed", "AttributeError: module 'jobs_for_tests' has no attribute 'missing'"),
        "module": ("failed", "ModuleNotFoundError: No module named 'no_such_module'"),
        "arguments": ("failed", "TypeError: count() got an unexpected keyword argument 'm'"),
    }
    assert list(outcomes)[:5] == kinds
    assert "ValueError: first line\nlast line" in outcomes["value"].traceback


def test_the_last_report_always_arrives(executor):
    heard: list[tuple] = []
    executor.run([job("count", n=500)], lambda *report, **fields: heard.append((*report, fields)))
    assert heard[-1] == ("count", 500, 500, "500 of 500", {"loss": 0.5})
    steps = [report[1] for report in heard]
    assert steps == sorted(set(steps))


def test_arguments_arrive_as_json_gives_them_back(executor):
    with pytest.raises(TypeError, match=r"a\.x is .* of type set"):
        job("count", key="a", x={1})
    assert job("count", x=(1, 2)).arguments == {"x": [1, 2]}


def test_no_jobs_no_outcomes(executor):
    assert executor.run([]) == {}


def test_a_process_is_fresh_and_knows_its_share_of_threads(jobs):
    heard = {}
    ProcessExecutor(workers=1, threads=3).run([job("describe")], lambda *_, **fields: heard.update(fields))
    assert heard.pop("pid") != os.getpid()
    assert heard == {"heavy": [], "OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3", "NUMBA_NUM_THREADS": "3"}


def test_a_torch_that_the_jobs_module_imports_gets_its_share_too(jobs):
    (jobs / "torch.py").write_text(
        "threads = None\ndef set_num_threads(n):\n    global threads; threads = n\n"
    )
    (jobs / "with_torch.py").write_text("import torch\ndef f(report): report(torch.threads, 9, '')\n")
    heard = []
    task = Job(key="t", function="with_torch:f", arguments={})
    assert (
        ProcessExecutor(workers=1, threads=5).run([task], lambda *report: heard.append(report))["t"].status
        == "done"
    )
    assert heard == [("t", 5, 9, "")]


def test_the_heaviest_job_starts_first_and_equal_ones_in_order(jobs):
    file = str(jobs / "order")
    weights = {"a": 1, "b": 5, "c": 2, "d": 5}
    tasks = [job("note", key=key, weight=weight, file=file, text=key) for key, weight in weights.items()]
    outcomes = ProcessExecutor(workers=1, threads=1).run(tasks)
    assert (jobs / "order").read_text() == "bdca"
    assert list(outcomes) == list(weights)


def test_workers_work_at_once(jobs):
    # Each waits for the other: this ends only when both run at the same time.
    a, b = str(jobs / "a"), str(jobs / "b")
    tasks = [job("meet", key="a", mine=a, other=b), job("meet", key="b", mine=b, other=a)]
    outcomes = ProcessExecutor(workers=2, threads=1).run(tasks)
    assert [outcome.status for outcome in outcomes.values()] == ["done", "done"]


def test_a_death_is_named_and_harms_no_other(jobs):
    kinds = ["kill", "abort", "vanish", "none"]
    outcomes = ProcessExecutor(workers=2, threads=1).run(
        [job("wrong", key=kind, kind=kind) for kind in kinds]
    )
    assert [outcomes[kind].status for kind in kinds] == ["failed", "failed", "failed", "done"]
    assert "killed by SIGKILL (a system that runs out of memory" in outcomes["kill"].message
    assert outcomes["abort"].message == "its process was killed by SIGABRT"
    assert (
        outcomes["vanish"].message == "its process ended with exit code 3 and no word of the job: a last word"
    )
    assert outcomes["kill"].traceback == "a last word"


def test_a_child_killed_from_outside_in_the_middle_of_its_job_is_failed_and_the_next_one_starts(jobs):
    def kill(key, done, total, text, *, pid: int = 0, **fields):
        if key == "victim":
            os.kill(pid, signal.SIGKILL)

    tasks = [job("polite", key="victim", file=str(jobs / "x")), job("count", n=3)]
    outcomes = ProcessExecutor(workers=1, threads=1).run(tasks, kill)
    assert outcomes["victim"].status == "failed"
    assert outcomes["count"].status == "done"
    assert not (jobs / "x").exists()


def test_a_child_that_somebody_asks_to_stop_is_interrupted_alone(jobs):
    def ask(key, done, total, text, *, pid: int = 0, **fields):
        if key == "victim":
            os.kill(pid, signal.SIGTERM)

    tasks = [job("polite", key="victim", file=str(jobs / "x")), job("count", n=3)]
    outcomes = ProcessExecutor(workers=1, threads=1).run(tasks, ask)
    assert (outcomes["victim"].status, outcomes["victim"].message) == ("interrupted", "saved")
    assert outcomes["count"].status == "done"


def test_an_error_in_the_listener_ends_the_children(jobs):
    pids = []

    def fail(key, done, total, text, *, pid):
        pids.append(pid)
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        ProcessExecutor(workers=1, threads=1).run([job("polite", file=str(jobs / "x"))], fail)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
