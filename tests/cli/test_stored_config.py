"""`--config FILE` is anybody's file: it re-makes a run or is refused in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from saddle.cli.stored import stored_default
from saddle.errors import UserError
from saddle.studies.width_sweep.config import SweepConfig, TrainConfig

RUN: dict[str, Any] = {
    "data": {"train": "0" * 64, "test": "1" * 64, "size": 8, "channels": 1},
    "format": 1,
    "gan": {"arch": "mlp", "batch": 16, "lr_g": 1e-3, "beta1": 0},
    "kind": "gan",
    "metrics": {"features": "pixels", "neighbours": 3, "samples": 12, "weights": None},
    "notes": {
        "data": {"data": "digits", "limit": 60, "channels": None},
        "run": {"steps": 4},
        "images": "digits",
    },
    "seed": 2,
    "width": 4,
    "width_d": 7,
    "width_g": 4,
}
SWEEP: dict[str, Any] = {
    "command": {
        "data": {"data": "digits", "channels": 3},
        "gan": {"arch": "resnet"},
        "widths": [1, 2],
        "seeds": 5,
        "width_g": None,
        "out": "runs/here",
        "config": None,
    },
    "family": "0" * 16,
}


def write(content: Any, name: str = "c.json") -> str:
    Path(name).write_text(content if isinstance(content, str) else json.dumps(content))
    return name


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_run_for_train_and_for_sweep():
    file = write(RUN)
    words, train = stored_default(["--steps", "9", "--config", file, "--skip-bad"], TrainConfig)
    assert words == ["--steps", "9", "--skip-bad"]
    assert (train.width, train.width_g, train.width_d, train.seed) == (4, 4, 7, 2)
    assert train.data.data == "digits" and train.data.limit == 60 and train.run.steps == 4
    assert train.gan.arch == "mlp" and train.gan.beta1 == 0.0 and isinstance(train.gan.beta1, float)
    assert train.metrics.samples == 12 and train.metrics.features == "pixels"
    # Weights are known by their content, and found where a note says.
    metrics = RUN["metrics"] | {"weights": "0" * 64}
    noted = RUN | {
        "metrics": metrics,
        "notes": RUN["notes"] | {"metrics": {"features": "auto", "weights": "w.pt"}},
    }
    _, other = stored_default(["--config", write(noted, "d.json")], TrainConfig)
    assert (other.metrics.features, other.metrics.weights) == ("pixels", "w.pt")
    # A sweep of the run's width, with seeds up to the run's, in which only what differs from the width is fixed.
    _, sweep = stored_default([f"--config={file}"], SweepConfig)
    assert (sweep.widths, sweep.seeds, sweep.width_g, sweep.width_d) == ((4,), 3, None, 7)
    assert sweep.gan == train.gan and sweep.metrics == train.metrics and sweep.data == train.data


def test_a_sweep_for_sweep_and_for_train():
    file = write(SWEEP)
    _, sweep = stored_default(["--config", file], SweepConfig)
    assert (sweep.widths, sweep.seeds, sweep.out) == ((1, 2), 5, Path("runs/here"))
    assert sweep.data.channels == 3 and sweep.gan.arch == "resnet" and sweep.width_g is None
    with pytest.raises(UserError, match="several widths; say which one with --width"):
        stored_default(["--config", file], TrainConfig)
    words, train = stored_default(["--config", file, "--width", "2"], TrainConfig)
    assert words == ["--width", "2"] and train.gan.arch == "resnet"
    one = write(SWEEP | {"command": SWEEP["command"] | {"widths": [16]}})
    assert stored_default(["--config", one], TrainConfig)[1].width == 16


def changed(where: str, value: Any) -> dict[str, Any]:
    """RUN with the entry `a.b` set to `value`."""
    copy: dict[str, Any] = json.loads(json.dumps(RUN))
    *path, last = where.split(".")
    inner = copy
    for key in path:
        inner = inner[key]
    inner[last] = value
    return copy


HOSTILE = {
    "not JSON": "this is not JSON",
    "empty": "",
    "half": json.dumps(RUN)[:-20],
    "a list": "[1, 2]",
    "a number": "7",
    "null": "null",
    "NaN": json.dumps(RUN).replace("0.001", "NaN"),
    "infinity": json.dumps(RUN).replace("0.001", "-Infinity"),
    "nested too deeply": "[" * 100_000,
    "objects nested too deeply": '{"a":' * 100_000,
    "huge": '{"a": "' + "x" * (2**20) + '"}',
    "an endless number": '{"a": ' + "9" * 10_000 + "}",
    "other JSON": {"name": "x", "version": 1},
    "no images": changed("notes", {"data": {}}),
    "no notes": changed("notes", None),
    "notes are text": changed("notes", "digits"),
    "data is a list": changed("notes.data", ["digits"]),
    "data is a number": changed("notes.data.data", 7),
    "gan is text": changed("gan", "dcgan"),
    "an unknown architecture": changed("gan.arch", "vgg"),
    "architecture is a list": changed("gan.arch", ["mlp"]),
    "batch is text": changed("gan.batch", "16"),
    "batch is true": changed("gan.batch", True),
    "batch is 16.5": changed("gan.batch", 16.5),
    "batch is negative": changed("gan.batch", -16),
    "step of a wrong type": changed("gan.lr_g", True),
    "step beyond floats": changed("gan.lr_g", 10**400),
    "step zero": changed("gan.lr_g", 0),
    "channels is true": changed("notes.data.channels", True),
    "width is text": changed("width", "4"),
    "width zero": changed("width", 0),
    "width is an object": changed("width", {}),
    "seed is negative": changed("seed", -1),
    "seed is text": changed("seed", "x"),
    "an unknown option": changed("gan.dropout", 0.5),
    "NUL in a path": changed("notes.data.data", "a\0b"),
    "half a surrogate pair": changed("metrics.weights", "\ud800"),
    "an unknown feature": changed("metrics.features", "evil"),
    "code as features": changed("metrics.features", "os:abort_"),
    "samples as text": changed("metrics.samples", "12"),
    "command is empty": {"command": {}},
    "widths are text": {"command": SWEEP["command"] | {"widths": ["a"]}},
    "widths are nested": {"command": SWEEP["command"] | {"widths": [[1]]}},
    "widths are empty": {"command": SWEEP["command"] | {"widths": []}},
    "widths are a number": {"command": SWEEP["command"] | {"widths": 3}},
    "out is a number": {"command": SWEEP["command"] | {"out": 3}},
    "out has a NUL": {"command": SWEEP["command"] | {"out": "a\0"}},
}  # fmt: skip


@pytest.mark.parametrize("command", ["sweep", "train"])
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_bad_file_is_refused(content, command, refused):
    text = refused(command, "--config", write(content), "--batch", 16)
    assert len(text) < 400


def test_a_file_that_is_not_there(refused):
    assert "--config nowhere.json does not exist" in refused("sweep", "--config", "nowhere.json")
    Path("folder").mkdir()
    assert "--config folder does not exist" in refused("train", "--config=folder")
    assert "--config needs a file" in refused("train", "--config")
    assert "--config needs a file" in refused("train", "--config=")
