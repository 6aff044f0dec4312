"""The table comes back as it was given, in every program, whoever else writes."""

import csv
import math
import sys

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saddle.errors import UserError
from saddle.runs import read_table, write_table

ROWS = [
    {"width": 16, "run": "0123456789012345", "metric": "FD(random)", "value": 2, "ok": True},
    {"width": 8, "run": "5e12345678901234", "metric": "=1+1", "value": 0.1, "ok": False, "note": 'a "b",\nc'},
    {"width": 8, "run": "5e12345678901234", "metric": "FD(random)", "value": None, "ok": None, "note": ""},
]
FILE = """\
"width","run","metric","value","ok","note"
8,"5e12345678901234","'=1+1",0.1,false,"a ""b"",
c"
8,"5e12345678901234","FD(random)",,,""
16,"0123456789012345","FD(random)",2.0,true,
"""


def test_the_csv_is_pinned(tmp_path):
    files = write_table(tmp_path, ROWS)
    assert (tmp_path / "results.csv").read_bytes() == FILE.encode()
    assert (files.csv, files.parquet, files.note) == (
        tmp_path / "results.csv",
        tmp_path / "results.parquet",
        None,
    )


def test_the_order_in_which_rows_are_found_does_not_matter(tmp_path):
    columns = ("width", "run", "metric", "value", "ok", "note")
    write_table(tmp_path, ROWS[::-1], columns=columns)
    assert (tmp_path / "results.csv").read_bytes() == FILE.encode()


def test_types_come_back(tmp_path):
    write_table(tmp_path, ROWS)
    table = read_table(tmp_path)
    assert table[0] == {**ROWS[1]}
    assert table[1] == ROWS[2]
    assert table[2] == {**ROWS[0], "note": None}
    assert [type(row["value"]) for row in table] == [float, type(None), float]


def test_other_programs_read_the_same(tmp_path):
    write_table(tmp_path, ROWS)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["metric"] for row in rows] == ["'=1+1", "FD(random)", "FD(random)"]
    assert rows[0]["note"] == 'a "b",\nc'
    parquet = polars.read_parquet(tmp_path / "results.parquet")
    assert parquet.rows(named=True) == read_table(tmp_path)
    assert parquet.schema["width"] == polars.Int64 and parquet.schema["value"] == polars.Float64
    assert polars.read_csv(tmp_path / "results.csv")["value"].to_list() == [0.1, None, 2.0]


COLUMNS = {
    "i": st.none() | st.integers(-(2**63), 2**63 - 1),
    "f": st.none() | st.floats(allow_nan=False),
    "s": st.none()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["'=", "''", "@", "-1", "\t", '"']),
    "b": st.none() | st.booleans(),
}


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.fixed_dictionaries(COLUMNS), max_size=5))
def test_any_table_comes_back(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    write_table(folder, rows)
    table = read_table(folder)
    as_text = [sorted(repr([row[name] for name in COLUMNS]) for row in some) for some in (table, rows)]
    assert as_text[0] == as_text[1]
    if rows:
        assert polars.read_parquet(folder / "results.parquet").rows(named=True) == table


def test_nan_and_infinity_come_back(tmp_path):
    write_table(tmp_path, [{"x": math.inf}, {"x": math.nan}, {"x": -math.inf}])
    values = [row["x"] for row in read_table(tmp_path)]
    assert math.isnan(values[0]) and values[1:] == [-math.inf, math.inf]


def test_no_formula_reaches_a_spreadsheet(tmp_path):
    attacks = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1"]
    write_table(tmp_path, [{"name": attack, "value": -1.5} for attack in attacks])
    with (tmp_path / "results.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    assert all(row["name"].startswith("'") and row["value"] == "-1.5" for row in cells)
    assert sorted(row["name"] for row in read_table(tmp_path)) == sorted(attacks)


def test_without_polars_a_sentence_and_no_old_parquet(tmp_path, monkeypatch):
    write_table(tmp_path, ROWS)
    monkeypatch.setitem(sys.modules, "polars", None)
    files = write_table(tmp_path, ROWS[:1])
    assert files.parquet is None and files.note is not None and "saddle-minmax[report]" in files.note
    assert not (tmp_path / "results.parquet").exists()
    assert len(read_table(tmp_path)) == 1


def test_a_column_of_two_types_is_our_own_mistake(tmp_path):
    for rows in ([{"x": 1}, {"x": "1"}], [{"x": 1}, {"x": True}], [{"x": [1]}]):
        with pytest.raises(TypeError, match="column 'x'"):
            write_table(tmp_path, rows)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b'"a"\n1,2\n',
        b'"a","a"\n',
        b"a\n",
        b'"a\n',
        b'"a"x\n1\n',
        b"\xff",
        b'"a"\nx\n',
        b'"a","b"\n1\n',
        b"1\n2\n",
        b"\n",
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path, data):
    (tmp_path / "results.csv").write_bytes(data)
    with pytest.raises(UserError, match=r"results\.csv is no table of results"):
        read_table(tmp_path)


def test_a_table_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        read_table(tmp_path)
    with pytest.raises(UserError, match="cannot write"):
        write_table(tmp_path / "missing", ROWS)


SWEEP = """
    import sys, time
    from pathlib import Path
    from saddle.runs import RunFolder, read_table, rebuild_table
    sys.modules["polars"] = None  # only for a quick start
    folder = Path("sweep")
    folder.mkdir(exist_ok=True)
    print("ready", flush=True)
    sys.stdin.readline()

    def collect():
        runs = (RunFolder.open(path) for path in folder.iterdir() if (path / "config.json").exists())
        return [{"width": run.config["width"], **row} for run in runs if run.finished(1) for row in run.metrics()]

    for width in range(12):
        run = RunFolder.create(folder, {"width": width})
        lock = run.try_lock()
        if lock is None:
            continue  # somebody else's cell is left to them
        with lock:
            if run.finished(1):  # asked under the lock: it may have been finished a moment ago
                continue
            time.sleep(0.01)
            run.append_metrics([{"step": 1, "by": sys.argv[1]}])
            run.write_result({"status": "done", "step": 1})
        rebuild_table(folder, collect)
        assert width in [row["width"] for row in read_table(folder)], "the table lost a row"
    """


def test_two_sweeps_in_one_folder_share_the_cells_and_the_table(tmp_path, start):
    sweeps = [start(SWEEP, name) for name in "ab"]
    for sweep in sweeps:
        assert sweep.stdout.readline() == "ready\n"
    for sweep in sweeps:
        sweep.stdin.write("go\n")
        sweep.stdin.flush()
    for sweep in sweeps:
        _, errors = sweep.communicate(timeout=20)
        assert (sweep.returncode, errors) == (0, "")
    # Every cell was run once, by one of them, and the last to finish wrote the whole table.
    table = read_table(tmp_path / "sweep")
    assert [row["width"] for row in table] == list(range(12))
