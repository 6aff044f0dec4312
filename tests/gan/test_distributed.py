"""Two processes with half of every batch each are one process with the whole of it."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.gan import distributed_worker as worker
from tests.gan.helpers import equal

from saddle.gan.distributed import ALONE

WORKER = Path(worker.__file__)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Where two processes did everything that the tests below look at."""
    root = tmp_path_factory.mktemp("distributed")
    worker.train(root / "mixed", worker.CONFIGS["batch-norm"], 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(WORKER), str(root)],
        env=os.environ | shared,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return root


@pytest.fixture(scope="module")
def said(root) -> dict[str, Any]:
    return torch.load(root / "said.pt", weights_only=True)


def saved(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def test_derivatives_through_shared_batch_norms_are_the_whole_batchs_twice(said):
    for ours, theirs in zip(said["derivatives"], worker.derivatives(ALONE), strict=True):
        theirs = theirs.detach()
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def close(two: dict[str, Any], one: dict[str, Any]) -> None:
    """States, moments and averages agree; what is drawn next is the same to the bit.

    The moments are linear in the gradients (and in their squares), and agree to float32 rounding of the largest one.
    A weight moves by h · m/√s. Where its gradient is zero but for rounding, for ever (a bias before a batch norm) or
    in the first steps (a bias that the difference of critics cancels), Adam takes whole steps of h = 2e-4 either way:
    those may differ by 2h a step, and of all that have a gradient only one in a hundred by more than 1e-5.
    """
    draws = [{key: value for key, value in run["streams"].items() if key != "trust"} for run in (two, one)]
    assert two["step"] == one["step"] and equal(*draws)
    if "trust" in one["streams"]:  # running weights follow the scores, which agree to rounding only
        torch.testing.assert_close(two["streams"]["trust"], one["streams"]["trust"], rtol=0, atol=1e-3)
    moments = {key: value for key, value in one["memory"].items() if value.is_floating_point()}
    largest = {
        kind: max(float(value.abs().max()) for key, value in moments.items() if key.startswith(kind))
        for kind in ("adam.mean/", "adam.square/", "objective/")
    }
    for key, theirs in moments.items():
        scale = largest[key.partition("/")[0] + "/"]
        torch.testing.assert_close(two["memory"][key], theirs, rtol=1e-3, atol=1e-4 * scale)
    for part in ("state", "average"):
        far = []
        for key, theirs in one[part].items():
            square = moments.get("adam.square/" + key)
            gap = (two[part][key] - theirs).abs()
            assert float(gap.max()) <= 2 * 2e-4 * 2 * one["step"], (part, key)
            felt = gap if square is None else gap[square > 1e-8 * largest["adam.square/"]]
            far.append(felt.flatten() > 1e-5)
        assert float(torch.cat(far).float().mean()) < 0.01, part


@pytest.mark.parametrize("name", worker.CONFIGS)
def test_two_processes_train_as_one_with_the_whole_batch(name, root, said):
    assert said[name] == f"done at {worker.STEPS}"
    worker.train(root / "one" / name, worker.CONFIGS[name], worker.STEPS)
    close(saved(root / "two" / name), saved(root / "one" / name))


def test_checkpoints_pass_between_one_process_and_two(root, said):
    # 0-2 by one process, 2-4 by two, 4-5 by one again: the run of one process all along.
    assert said["resumed"] == "done at 4"
    worker.train(root / "mixed", worker.CONFIGS["batch-norm"], 5)
    worker.train(root / "whole", worker.CONFIGS["batch-norm"], 5)
    close(saved(root / "mixed"), saved(root / "whole"))


def test_a_stop_asked_of_any_process_stops_all_with_a_checkpoint(root, said):
    assert said["stopped"] == "interrupted at 3"
    assert saved(root / "stopped")["step"] == 3


def test_a_batch_that_cannot_be_halved_is_refused_in_a_sentence(said):
    assert said["uneven"].startswith(
        "--batch 15 cannot be shared out evenly among 2 processes; choose a multiple"
    )


def test_a_process_that_dies_ends_the_others_with_a_sentence_and_a_whole_checkpoint(root, said):
    assert said["died"].startswith("Another process of this training has ended, and it cannot go on alone (")
    assert said["exit"] == 9 and saved(root / "died")["step"] == 2
