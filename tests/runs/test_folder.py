"""What a run folder promises to whoever reads it, whenever its writer dies."""

import json
import math
import os

import pytest

from saddle.errors import UserError
from saddle.runs import RunFolder, config_hash

CONFIG = {"width": 8, "lr": 1.0, "betas": [0.5, 0.999]}


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path, CONFIG)


def test_the_folder_is_named_by_the_hash_and_holds_the_configuration(tmp_path, run):
    assert run.path == tmp_path / config_hash(CONFIG)
    assert run.key == run.path.name
    assert json.loads((run.path / "config.json").read_text()) == CONFIG
    assert run.samples_dir.is_dir()
    assert RunFolder.open(run.path) == run
    # A float stays a float in the file, though 1 and 1.0 are one configuration.
    assert isinstance(run.config["lr"], float)


def test_creating_twice_finds_the_same_run(tmp_path, run):
    run.append_metrics([{"step": 1}])
    again = RunFolder.create(tmp_path, {"betas": (0.5, 0.999), "lr": 1, "width": 8})
    assert again == run
    assert again.metrics() == [{"step": 1}]


def test_a_name_may_replace_the_hash(tmp_path):
    run = RunFolder.create(tmp_path, CONFIG, name="one")
    assert run.path == tmp_path / "one"
    assert run.key == config_hash(CONFIG)
    with pytest.raises(UserError, match="another configuration"):
        RunFolder.create(tmp_path, {"width": 9}, name="one")


def test_eight_processes_create_the_same_folder_at_once(tmp_path, start):
    code = """
        import sys
        from saddle.runs import RunFolder
        print("ready", flush=True)
        sys.stdin.readline()
        for width in range(30):
            RunFolder.create("runs", {"width": width})
        """
    processes = [start(code) for _ in range(8)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    expected = sorted(config_hash({"width": width}) for width in range(30))
    assert sorted(os.listdir(tmp_path / "runs")) == expected
    assert all(
        sorted(os.listdir(tmp_path / "runs" / name)) == ["config.json", "samples"] for name in expected
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"width": 8',
        "[8]",
        "null",
        '{"width": NaN}',
        "{" * 5000,
        '{"x":' + "[" * 200_000,
        '{"n": ' + "9" * 5000 + "}",
        "\udcff",
        '{"a": "' + "a" * 2**20 + '"}',
    ],
    ids=lambda text: f"{text[:12]!r}...{len(text)}",
)
def test_a_hostile_configuration_is_one_sentence(run, text):
    (run.path / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"config\.json is (damaged|larger)"):
        RunFolder.open(run.path)
    with pytest.raises(UserError, match=r"config\.json is (damaged|larger)"):
        RunFolder.create(run.path.parent, CONFIG)


def test_an_edited_configuration_is_not_taken_for_the_run(run):
    (run.path / "config.json").write_text('{"width": 16}')
    with pytest.raises(UserError, match="edited by hand"):
        RunFolder.create(run.path.parent, CONFIG)


def test_a_folder_that_is_no_run_or_cannot_be_made_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"no config\.json"):
        RunFolder.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot make .*file"):
        RunFolder.create(tmp_path / "file", CONFIG)


def test_rows_come_back_and_what_is_no_number_is_null(run):
    run.append_metrics(
        [{"step": 1, "loss": 0.25, "note": "é\n"}, {"step": 2, "loss": math.nan}], durable=True
    )
    run.append_metrics([])
    run.append_metrics([{"step": 3, "loss": -math.inf}])
    assert run.metrics() == [
        {"step": 1, "loss": 0.25, "note": "é\n"},
        {"step": 2, "loss": None},
        {"step": 3, "loss": None},
    ]
    # Every line is JSON to any strict reader.
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_a_line_torn_at_any_byte_is_passed_over_and_the_next_append_repairs_it(run):
    file = run.path / "metrics.jsonl"
    run.append_metrics([{"step": 1, "loss": 1.5}, {"step": 2, "loss": 2.5}])
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        file.write_bytes(whole[:end])
        assert [row["step"] for row in run.metrics()] == [1]
        run.append_metrics([{"step": 2, "loss": 2.5}])
        assert file.read_bytes() == whole


def test_a_torn_line_longer_than_a_block_and_a_file_of_one_torn_line_are_repaired(run):
    file = run.path / "metrics.jsonl"
    for start in (b"", b'{"step": 1}\n'):
        file.write_bytes(start + b"\0" * 200_000)
        run.append_metrics([{"step": 2}])
        assert file.read_bytes() == start + b'{"step": 2}\n'


def test_damage_in_the_middle_is_named_by_its_line(run):
    (run.path / "metrics.jsonl").write_bytes(b'{"step": 1}\n{"step"\n{"step": 3}\n')
    with pytest.raises(UserError, match=r"line 2 of .*metrics\.jsonl is damaged"):
        run.metrics()


def test_truncation_keeps_the_earlier_rows_byte_for_byte(run):
    file = run.path / "metrics.jsonl"
    run.truncate_metrics(5)  # no file, no rows, no complaint
    run.append_metrics([{"step": step, "x": 1 / (step + 1)} for step in range(10)])
    whole = file.read_bytes()
    run.truncate_metrics(9)
    assert file.read_bytes() == whole
    file.write_bytes(whole + b'{"st')
    run.truncate_metrics(9)
    assert file.read_bytes() == whole
    run.truncate_metrics(4)
    assert file.read_bytes() == b"".join(whole.splitlines(keepends=True)[:5])
    run.truncate_metrics(-1)
    assert run.metrics() == []


def test_a_result_says_when_the_run_is_finished(run):
    assert run.result() is None
    assert not run.finished(0)
    run.write_result({"status": "done", "step": 100, "score": math.nan})
    assert run.result() == {"status": "done", "step": 100, "score": None}
    assert run.finished(100)
    assert not run.finished(101)  # --steps was raised: the run goes on
    run.write_result({"status": "diverged", "step": 7})
    assert run.finished(10**9)


def test_a_damaged_result_is_one_sentence(run):
    (run.path / "result.json").write_text("{}]")
    with pytest.raises(UserError, match="Delete it"):
        run.finished(1)
    (run.path / "result.json").write_text('{"status": ["done"], "step": "9"}')
    assert not run.finished(1)
