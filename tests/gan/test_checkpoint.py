"""A fleet's checkpoints: one step for all, whenever the writer dies, and no unpickling of code."""

import contextlib
import os
import random

import numpy as np
import pytest
import torch

from saddle.errors import UserError
from saddle.gan import checkpoint
from saddle.gan.checkpoint import (
    fleet_steps,
    global_randomness,
    read_checkpoint,
    read_fleet,
    restore_randomness,
    write_fleet,
)


def payload(step: int) -> dict:
    return {
        "step": step,
        "state": {"w": torch.full((1, 2), float(step))},
        "memory": {},
        "average": {},
        "streams": {name: torch.zeros(1) for name in ("order", "noise", "cursor")},
        "randomness": global_randomness(),
        "clock": {"seconds": 0.0, "timed": 0},
    }


@pytest.fixture
def folders(tmp_path):
    found = [tmp_path / name for name in "abc"]
    for folder in found:
        folder.mkdir()
    return found


class Killed(BaseException):
    pass


@pytest.mark.parametrize("dies_at", range(10))
def test_a_writer_that_dies_anywhere_leaves_all_members_at_one_step(folders, dies_at, monkeypatch):
    write_fleet(folders, [payload(1)] * 3)
    operations = [0]

    def dying(real):
        def operation(*arguments, **options):
            operations[0] += 1
            if operations[0] > dies_at:
                raise Killed
            return real(*arguments, **options)

        return operation

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", dying(torch.save))
        patch.setattr(type(folders[0]), "replace", dying(type(folders[0]).replace))
        with contextlib.suppress(Killed):
            write_fleet(folders, [payload(2)] * 3)
    found = read_fleet(folders)
    steps = {each["step"] for each in found if each is not None}
    # 3 saves and 3 renames to the second name come first; from then on the new step is the fleet's.
    assert steps == ({2} if dies_at >= 6 else {1})
    assert all(each is not None and each["state"]["w"][0, 0] == each["step"] for each in found)
    assert sorted(path.name for path in folders[0].iterdir()) == ["checkpoint.pt"]


def test_a_kill_after_a_member_left_keeps_the_smaller_fleet_together(folders, monkeypatch):
    # b diverged: a and c are written without it, and the writer dies between their renames.
    write_fleet(folders, [payload(1)] * 3)
    renames = [0]
    replace = type(folders[0]).replace

    def dying(path, target):
        renames[0] += 1
        if renames[0] == 4:  # two to the second names, then a's to the first, then c's
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(type(folders[0]), "replace", dying)
        with contextlib.suppress(Killed):
            write_fleet([folders[0], folders[2]], [payload(2)] * 2)
    assert fleet_steps(folders) == [2, 1, 2]


@pytest.mark.parametrize(
    "damage",
    [
        {"step": "3"},
        {"step": -1},
        {"fleet": ["../elsewhere"]},
        {"state": {"w": 1.0}},
        {"memory": None},
        {"randomness": []},
        {"clock": {}},
        {"streams": {}},
        {"average": {"w": torch.zeros(2, 2).to_sparse()}},
    ],
)
def test_a_checkpoint_with_a_wrong_part_is_refused(tmp_path, damage):
    torch.save(payload(3) | {"format": 1, "fleet": ["a"]} | damage, tmp_path / "checkpoint.pt")
    with pytest.raises(UserError, match="no checkpoint of this version of Saddle, or a damaged one"):
        read_checkpoint(tmp_path / "checkpoint.pt")


def test_members_without_a_checkpoint_are_none(folders):
    assert read_fleet(folders) == [None] * 3
    assert fleet_steps(folders) == [0, 0, 0]


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    torch.save({"format": 1, "step": 0, "state": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        read_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "foreign"])
def test_a_damaged_checkpoint_is_named_with_a_remedy(tmp_path, damage):
    path = tmp_path / checkpoint.CHECKPOINT
    torch.save(payload(3) | {"format": 1, "fleet": ["a"]}, path)
    if damage == "foreign":
        torch.save({"weights": torch.ones(1)}, path)
    else:
        whole = path.read_bytes()
        path.write_bytes(
            {"truncated": whole[: len(whole) // 2], "garbage": b"GIF89a" * 30, "empty": b""}[damage]
        )
    with pytest.raises(UserError, match=r"checkpoint\.pt .*delete it to train this run") as refusal:
        read_checkpoint(path)
    assert "\n" not in str(refusal.value)


def test_global_randomness_goes_back_to_where_it_was():
    before = global_randomness()
    drawn = torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
    restore_randomness(before)
    again = torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
    assert torch.equal(drawn[0], again[0])
    assert np.array_equal(drawn[1], again[1])
    assert drawn[2] == again[2]
