"""Peak memory of training: what was before and what comes after does not count."""

import numpy as np
import pytest
import torch

from saddle.studies.width_sweep import memory
from saddle.studies.width_sweep.memory import TrainingMemory

MIB = 2**20


def touch(mebibytes: int) -> None:
    """Use that much memory, and give it back."""
    np.ones(mebibytes * MIB, np.uint8)


def test_only_the_peak_between_start_and_stop_counts():
    touch(600)
    watch = TrainingMemory(torch.device("cpu"))
    before = watch._read()
    if before == 0:
        pytest.skip("this system does not tell a process's peak memory")
    touch(100)
    watch.stop()
    touch(400)
    watch.look()
    assert 90 * MIB < watch.peak - before < 200 * MIB


def test_a_system_that_refuses_gives_zero_and_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CLEAR", tmp_path)  # a folder cannot be written to
    watch = TrainingMemory(torch.device("cpu"))
    watch.stop()
    assert watch.peak == 0
