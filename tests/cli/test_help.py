"""`saddle --help` answers at once and explains everything."""

import ast
import dataclasses
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from saddle.cli.certify import CertifyConfig
from saddle.cli.diagnose import DiagnoseConfig
from saddle.cli.evaluate import EvaluateConfig
from saddle.cli.main import COMMANDS
from saddle.cli.outliers import OutliersConfig
from saddle.cli.recommend import RecommendConfig
from saddle.cli.report import ReportConfig
from saddle.cli.sample import SampleConfig
from saddle.cli.study import StudyListConfig, StudyReportConfig, StudyRunConfig
from saddle.studies.width_sweep.config import SweepConfig, TrainConfig

CONFIGS = {
    "sweep": SweepConfig,
    "train": TrainConfig,
    "sample": SampleConfig,
    "evaluate": EvaluateConfig,
    "outliers": OutliersConfig,
    "report": ReportConfig,
    "recommend": RecommendConfig,
    "diagnose": DiagnoseConfig,
    "certify": CertifyConfig,
    "study list": StudyListConfig,
    "study run": StudyRunConfig,
    "study report": StudyReportConfig,
}
EXTRA_SECONDS = 0.5

PROGRAM = (
    "import sys\n"
    "from saddle.cli import main\n"
    "try:\n"
    "    main()\n"
    "finally:\n"
    "    heavy = {'torch', 'numpy', 'scipy', 'PIL'} & set(sys.modules)\n"
    "    if heavy: print('IMPORTED', heavy)\n"
)
"The program as pip installs it, and a word about what it imported."


def cpu_seconds(*arguments: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """User and system seconds of one child: what it costs however busy the machine is."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


@pytest.mark.parametrize("words", [(), *[(command.name,) for command in COMMANDS]])
def test_help_costs_less_than_half_a_second_beyond_python(words):
    # The best of a few: caches are cold only once, and a neighbour can only add to the cost.
    least = min(cpu_seconds("-c", "pass")[0] for _ in range(3))
    for _ in range(5):
        seconds, done = cpu_seconds("-c", PROGRAM, *words, "--help")
        assert done.returncode == 0 and done.stderr == "" and "IMPORTED" not in done.stdout
        if seconds - least < EXTRA_SECONDS:
            return
    pytest.fail(f"saddle {' '.join(words)} --help took {seconds - least:.2f} s of CPU beyond Python's start")


def test_every_command_is_listed_with_what_it_does(saddle):
    ended = saddle("--help")
    assert ended.code == 0 and ended.err == ""
    width = max(len(command.name) for command in COMMANDS)
    for command in COMMANDS:
        assert f"  {command.name:{width}}  {command.summary}" in ended.out
    assert {name.split()[0] for name in CONFIGS} == {command.name for command in COMMANDS}
    assert saddle("-h").out == saddle("help").out == ended.out


def test_without_a_command_the_help_is_shown_and_the_code_says_that_nothing_was_done(saddle):
    ended = saddle()
    assert ended.code == 2 and ended.out == saddle("--help").out


def test_the_version(saddle):
    assert saddle("--version").out.startswith("saddle ")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("swep", " Did you mean `saddle sweep`?"),
        ("evalute", " Did you mean `saddle evaluate`?"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_an_unknown_command(word, hint, refused):
    assert refused(word) == f"There is no command {word!r}.{hint} `saddle --help` lists the commands."


def nested(config: type) -> Iterator[type]:
    yield config
    for field in dataclasses.fields(config):
        if isinstance(field.type, type) and dataclasses.is_dataclass(field.type):
            yield from nested(field.type)


def documented(config: type) -> dict[str, str]:
    """The string literal below every field of a dataclass."""
    file = import_module(config.__module__).__file__
    assert file is not None
    (body,) = [
        node.body
        for node in ast.parse(Path(file).read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == config.__name__
    ]
    found = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            value = following.value if isinstance(following, ast.Expr) else None
            found[node.target.id] = str(value.value) if isinstance(value, ast.Constant) else ""
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_every_option_is_explained(name, saddle, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")  # one column of boxes
    printed = " ".join(saddle(*name.split(), "--help").out.replace("│", " ").split())
    for config in nested(CONFIGS[name]):
        assert (config.__doc__ or "").split("\n")[0] in printed
        told = documented(config)
        for field in dataclasses.fields(config):
            if isinstance(field.type, type) and dataclasses.is_dataclass(field.type):
                continue
            text = told[field.name]
            assert len(text) > 10, f"{config.__name__}.{field.name} has no docstring"
            assert text.endswith((".", ")")), f"{config.__name__}.{field.name}: {text!r} is no sentence"
            assert " ".join(text.split()) in printed
            if name in ("sweep", "train", "evaluate"):
                assert f"--{field.name.replace('_', '-')}" in printed
