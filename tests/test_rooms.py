"""Imports point downwards only, and what answers `--help` imports neither torch nor numpy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import saddle

ROOT = Path(saddle.__file__).parent

HELPERS = frozenset({"errors", "_lazy", "_files"})
LOWER = HELPERS | {"core"}
MIDDLE = LOWER | {"data", "dynamics", "metrics", "networks", "problems", "simulators", "theory", "transport"}

ALLOWED = {
    "errors": frozenset(),
    "_lazy": frozenset(),
    "_files": frozenset({"errors"}),
    "core": HELPERS,
    "data": LOWER,
    "dynamics": LOWER,
    "metrics": LOWER,
    "networks": LOWER,
    "problems": LOWER,
    "theory": LOWER,
    "transport": LOWER,
    # scikit-learn's estimators on top of it.
    "sklearn": LOWER | {"transport"},
    # The exact simulators are the dynamics of one problem each, compiled: they answer with what `run` answers.
    "simulators": LOWER | {"dynamics", "problems"},
    # The schemes as optimisers for a PyTorch loop that is not ours.
    "torch": LOWER | {"dynamics"},
    "gan": MIDDLE,
    "runs": HELPERS,
    "report": LOWER | {"runs"},
    "studies": MIDDLE | {"gan", "runs", "report", "sklearn"},
    "testing": MIDDLE | {"gan"},
    "cli": MIDDLE | {"gan", "runs", "report", "sklearn", "studies"},
    "__main__": frozenset({"cli"}),
    "__init__": MIDDLE | {"gan", "runs", "report", "sklearn", "studies", "testing", "torch"},
}
"For each room, the other rooms that it may import: the arrows of the design."

MODULES = sorted(ROOT.rglob("*.py"))
HEAVY = ("torch", "numpy", "scipy", "sklearn", "PIL", "polars", "altair", "jaxtyping")


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every room of Saddle that a module imports, with the line: at its top, in functions, under TYPE_CHECKING."""
    package = ["saddle", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            head, *rest = name.split(".")
            if head == "saddle" and rest:
                yield rest[0], node.lineno


def test_the_parser_of_imports_sees_every_kind(tmp_path, monkeypatch):
    folder = tmp_path / "core"
    folder.mkdir()
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (folder / "a.py").write_text(
        "import saddle.runs.folder, torch\nfrom saddle import _files\nfrom saddle.cli.main import main\n"
        "from . import state\nfrom ..gan import train\n"
        "def f():\n    from saddle.data import read_images\n"
        "if TYPE_CHECKING:\n    import saddle.report as page\n"
    )
    found = list(imported(folder / "a.py"))
    assert sorted(found) == [
        ("_files", 2), ("cli", 3), ("core", 4), ("data", 7), ("gan", 5), ("report", 9), ("runs", 1)
    ]  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    own = room(path)
    assert own in ALLOWED, (
        f"src/saddle/{own} is a new room: say in ALLOWED of {__file__} which rooms it may import, as design.md has it."
    )
    wrong = [f"line {line}: {other}" for other, line in imported(path) if other not in ALLOWED[own] | {own}]
    assert not wrong, f"{own} must not import these rooms of Saddle: {wrong}"


def test_the_arrows_have_no_circle():
    order: list[str] = []
    while len(order) < len(ALLOWED):
        free = [name for name in ALLOWED if name not in order and ALLOWED[name] <= set(order)]
        assert free, f"circle among {set(ALLOWED) - set(order)}"
        order += free


LIGHT = ["saddle", "saddle.cli.main"] + [
    ".".join(["saddle", *path.relative_to(ROOT).with_suffix("").parts])
    for path in MODULES
    if path.name == "config.py"
]


def test_options_are_light():
    # One interpreter for all of them: a heavy import of any is found, and named with its importer below.
    assert len(LIGHT) >= 6
    code = (
        "import importlib, sys\n"
        f"for name in {LIGHT!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = [each for each in {HEAVY!r} if each in sys.modules]\n"
        "    assert not heavy, f'{name} imports {heavy}, and saddle --help should not wait for them'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
