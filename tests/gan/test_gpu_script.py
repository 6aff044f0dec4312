"""The unattended GPU script, at tiny size on the CPU: every part runs and says what it measured."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu_gan_width.py"


def test_every_part_of_the_gpu_script_runs_at_tiny_size(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            "--tiny",
            "--device",
            "cpu",
            "--minutes",
            "20",
            "--seeds",
            "2",
            "--out",
            str(tmp_path),
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "gpu_gan_width.json").read_text())
    assert found["failed"] == {} and found["done"]
    assert found["plan"]["steps"] == {"dcgan": 6, "resnet": 6}
    assert set(found["cells"]) == {"dcgan-1", "dcgan-2", "resnet-1"}
    for name, cell in found["cells"].items():
        assert [ending["status"] for ending in cell["endings"]] == ["done", "done"]
        for seed in ("0", "1"):
            scored = [row for row in cell["rows"][seed] if "scores" in row]
            assert [row["step"] for row in scored] == [3, 6]
            # Two feature spaces, each against both parts of the data.
            assert len(scored[-1]["scores"]) == 4
            assert all(math.isfinite(score["value"]) and score["floor"] > 0 for score in scored[-1]["scores"])
            with Image.open(tmp_path / f"{name}-seed{seed}.png") as grid:
                assert grid.size == (8 * 33 + 1, 8 * 33 + 1)
    # Shares of the peak count the multiply-adds of the networks, so the wider network does more of them.
    speeds = found["speeds"]
    assert speeds["dcgan-2"]["flops_per_member_step"] > speeds["dcgan-1"]["flops_per_member_step"]
    assert all(0 < row["share_of_peak"] < 1 for row in speeds.values())
    assert [row["generator"] for row in found["nnd"]] == ["training set", "dcgan-1", "dcgan-2", "resnet-1"]
    assert found["resume"]["bit_equal"]
    assert found["fleet_against_serial"]["dcgan-1"]["times_serial"] > 0
    assert [row["error"] for row in found["precision_dcgan"]] == [0.0]
