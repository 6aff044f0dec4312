"""The benchmark of robust GANs on contaminated images, in its smallest form."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "robust_cifar.py"


def test_the_tiny_benchmark_writes_what_it_measured_and_goes_on(tmp_path):
    command = [sys.executable, str(SCRIPT), "--tiny", "--out", str(tmp_path), "--methods", "plain", "network"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "robust_cifar.json").read_text())
    assert found["note"] == "complete" and found["n"] == 2
    assert str(tmp_path) not in json.dumps(found)
    plain, network = found["methods"]["plain at 0.1"], found["methods"]["network at 0.1"]
    for each in (plain, network):
        assert each["summary"]["FD_test"]["n"] == each["summary"]["generated_share"]["n"] == 2
        assert [run["status"] for run in each["runs"]] == ["done", "done"]
    assert "auroc_final" in network["summary"] and "auroc_final" not in plain["summary"]
    assert network["gan"]["robust_by"] == "network"
