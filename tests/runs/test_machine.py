"""What is recorded about the machine, and what importing the room costs."""

import importlib.metadata
import json
import os
import platform

from saddle.runs import environment, usable_cores


def test_the_environment_is_json_and_true():
    facts = environment()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["python"] == platform.python_version()
    assert facts["torch"] == importlib.metadata.version("torch")
    assert facts["saddle"] == importlib.metadata.version("saddle-minmax")
    assert facts["cores"] == usable_cores()
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_the_room_needs_neither_torch_nor_numpy(start):
    process = start(
        """
        import sys
        import saddle.runs as runs
        assert "saddle.runs.folder" not in sys.modules  # lazy
        for name in dir(runs):
            value = getattr(runs, name)
            assert not type(value).__name__ == "module", name
        facts = runs.environment()
        assert facts["gpu"] is None and facts["threads"] is None and facts["torch"]
        print([name for name in ("torch", "numpy", "rich", "polars") if name in sys.modules])
        """
    )
    out, errors = process.communicate(timeout=20)
    assert (out, errors) == ("[]\n", "")
