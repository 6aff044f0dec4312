"""Which runs train together: new ones in fleets, begun ones with whom they began, on the threads they began on."""

import json
from pathlib import Path

import pytest
import torch

from saddle.runs import RunFolder
from saddle.studies.width_sweep.cells import Cell, FleetRecord, Widths, fleets, record_fleet, records
from saddle.studies.width_sweep.execution import round_spacing
from saddle.studies.width_sweep.job import _by_record


def cell(root: Path, width: int, seed: int) -> Cell:
    folder = RunFolder.create(root, {"width": width, "seed": seed})
    return Cell(widths=Widths(width=width, generator=width, discriminator=width), seed=seed, folder=folder)


def names(groups: list[list[Cell]]) -> list[list[tuple[int, int]]]:
    return [[(each.widths.width, each.seed) for each in group] for group in groups]


def done(each: Cell, step: int) -> None:
    each.folder.write_result({"status": "done", "step": step})


def begin(cells: list[Cell], threads: int = 1) -> FleetRecord:
    record = FleetRecord(tuple(each.key for each in cells), threads)
    record_fleet([each.folder for each in cells], record)
    return record


def test_new_runs_of_one_width_form_fleets_of_at_most_the_limit(tmp_path):
    cells = [cell(tmp_path, width, seed) for width in (2, 4) for seed in range(3)]
    assert names(fleets(cells, steps=5, limit=None)) == [
        [(2, 0), (2, 1), (2, 2)],
        [(4, 0), (4, 1), (4, 2)],
    ]
    assert names(fleets(cells, steps=5, limit=2)) == [[(2, 0), (2, 1)], [(2, 2)], [(4, 0), (4, 1)], [(4, 2)]]


def test_finished_runs_are_left_out_until_more_steps_are_asked_for(tmp_path):
    cells = [cell(tmp_path, 2, seed) for seed in range(3)]
    done(cells[0], 5)
    assert names(fleets(cells, steps=5, limit=None)) == [[(2, 1), (2, 2)]]
    assert names(fleets(cells, steps=6, limit=None)) == [[(2, 0), (2, 1), (2, 2)]]


def test_a_begun_run_goes_on_with_everybody_it_began_with(tmp_path):
    cells = [cell(tmp_path, 2, seed) for seed in range(4)]
    begin(cells[:3])
    # Seed 2 is not asked for, and comes along; seed 3 is new. A limit does not break what has begun.
    asked = [cells[0], cells[1], cells[3]]
    assert names(fleets(asked, steps=5, limit=1)) == [[(2, 0), (2, 1), (2, 2)], [(2, 3)]]
    # One result of an extension was written before a kill: the others still go on together.
    done(cells[0], 5)
    assert names(fleets(asked, steps=5, limit=None)) == [[(2, 1), (2, 2)], [(2, 3)]]
    assert names(fleets(asked, steps=9, limit=None)) == [[(2, 0), (2, 1), (2, 2)], [(2, 3)]]


def test_a_kill_between_two_records_leaves_one_fleet(tmp_path):
    cells = [cell(tmp_path, 2, seed) for seed in range(3)]
    record = begin(cells)
    (cells[1].folder.path / "fleet.json").unlink()
    assert records([tmp_path]) == dict.fromkeys((each.key for each in cells), record)
    assert names(fleets(cells[1:2], steps=5, limit=None)) == [[(2, 0), (2, 1), (2, 2)]]


def test_a_mate_that_is_no_such_run_any_more_is_left_out(tmp_path):
    cells = [cell(tmp_path, 2, seed) for seed in range(4)]
    begin(cells)
    (cells[1].folder.path / "config.json").write_text("{}")
    (cells[2].folder.path / "config.json").write_text('{"width": 4, "seed": 2}')
    (cells[3].folder.path / "config.json").unlink()
    assert names(fleets(cells[:1], steps=5, limit=None)) == [[(2, 0)]]


@pytest.mark.parametrize(
    "damage", ["", "[]", "[" * 100_000, '{"members": 5, "threads": 1}', '{"members": ["../x"], "threads": 1}']
)
def test_a_damaged_record_counts_as_none(tmp_path, damage):
    (cell(tmp_path, 2, 0).folder.path / "fleet.json").write_text(damage)
    assert records([tmp_path]) == {}


def test_a_job_divides_its_runs_by_the_fleets_that_they_began_in(tmp_path):
    cells = [cell(tmp_path, 2, seed) for seed in range(3)]
    alone = begin(cells[:1], threads=2)  # another command began seed 0 while the job waited for its turn
    groups = _by_record([each.folder for each in cells])
    assert {record.members: len(group) for record, group in groups.items()} == {
        alone.members: 1,
        (cells[1].key, cells[2].key): 2,
    }


@pytest.mark.parametrize(
    ("steps", "spacing"), [(1, 1), (10, 1), (25, 2), (1000, 100), (2000, 200), (4000, 200), (9999, 500)]
)
def test_default_spacings_are_round(steps, spacing):
    assert round_spacing(steps) == spacing


def test_a_run_goes_on_with_the_threads_it_began_with(tmp_path, monkeypatch):
    from saddle.cli.main import main

    def sweep(out: str, steps: int) -> None:
        options = (
            "--limit 80 --batch 16 --features pixels --widths 4 --seeds 2 --latent 8 --checkpoint-every 2"
        )
        with pytest.raises(SystemExit) as ended:
            main(
                [
                    "sweep",
                    "--data",
                    "digits",
                    *options.split(),
                    "--steps",
                    str(steps),
                    "--out",
                    str(tmp_path / out),
                ]
            )
        assert ended.value.code == 0

    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        sweep("whole", 8)
        sweep("parts", 4)
        torch.set_num_threads(1)
        sweep("parts", 8)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    for run in sorted((tmp_path / "whole").glob("*/checkpoint.pt")):
        whole, parts = (
            torch.load(tmp_path / kind / run.parent.name / "checkpoint.pt", weights_only=True)
            for kind in ("whole", "parts")
        )
        assert all(torch.equal(whole["state"][key], parts["state"][key]) for key in whole["state"])
        record = json.loads((run.parent / "fleet.json").read_text())
        assert record["threads"] == 2
        assert len(record["members"]) == 2


def test_a_kill_between_two_results_does_not_change_what_the_second_says(tmp_path, monkeypatch):
    from saddle.cli.main import main

    monkeypatch.chdir(tmp_path)
    options = "--limit 80 --batch 16 --features pixels --widths 2 --seeds 2 --latent 8 --steps 2 --out s"
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["sweep", "--data", "digits", *options.split()])
        assert ended.value.code == 0
        results = sorted((tmp_path / "s").glob("*/result.json"))
        assert [json.loads(path.read_text())["fleet"] for path in results] == [2, 2]
        results[1].unlink()
