"""The documentation is true: its programs run, its command lines parse, its links lead somewhere."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from saddle.cli.certify import CertifyConfig
from saddle.cli.diagnose import DiagnoseConfig
from saddle.cli.evaluate import EvaluateConfig
from saddle.cli.main import COMMANDS
from saddle.cli.outliers import OutliersConfig
from saddle.cli.parse import parse
from saddle.cli.recommend import RecommendConfig
from saddle.cli.report import ReportConfig
from saddle.cli.sample import SampleConfig
from saddle.cli.study import StudyListConfig, StudyReportConfig, StudyRunConfig, own_study
from saddle.data.config import DataConfig
from saddle.studies.width_sweep.config import SweepConfig, TrainConfig

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGS = {
    "sweep": SweepConfig,
    "train": TrainConfig,
    "sample": SampleConfig,
    "evaluate": EvaluateConfig,
    "outliers": OutliersConfig,
    "report": ReportConfig,
    "diagnose": DiagnoseConfig,
    "recommend": RecommendConfig,
    "certify": CertifyConfig,
}
ACTIONS = {"study": {"list": StudyListConfig, "run": StudyRunConfig, "report": StudyReportConfig}}
"Commands whose first word says which options follow."
STORED = {
    "sweep": SweepConfig(data=DataConfig(data="stored")),
    "train": TrainConfig(data=DataConfig(data="stored")),
}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def joined(text: str) -> str:
    """Lines that end in a backslash, and the next ones, in one."""
    return re.sub(r" *\\\n\s*", " ", text)


def command_lines(text: str) -> list[str]:
    """Lines of shell blocks, and inline code with at least one word after the command."""
    shell = [line for block in blocks(text, "sh") for line in joined(block).splitlines()]
    inline = re.findall(
        r"`(saddle [a-z]+ [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    found = [line.removeprefix(".venv/bin/") for line in shell] + inline
    return [line for line in found if line.startswith("saddle ")]


LINES = [(page, line) for page in PAGES for line in command_lines(page.read_text("utf-8"))]
PROGRAMS = [page for page in PAGES if blocks(page.read_text("utf-8"), "python")]


def names(items: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in items]


@pytest.mark.parametrize("page", PROGRAMS, ids=names(PROGRAMS))
def test_the_python_of_a_page_is_a_program_that_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "__main__"}
    text = page.read_text("utf-8")
    for block in blocks(text, "python"):
        # Empty lines in front, so that a traceback names the line of the page.
        above = text[: text.index(block)].count("\n")
        exec(compile("\n" * above + block, str(page), "exec", dont_inherit=True), scope)
    capsys.readouterr()


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page.stem}-{line}" for page, line in LINES])
def test_a_command_line_parses(page, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name, *words = shlex.split(line, comments=True)[1:]
    default, config = None, CONFIGS.get(name)
    if name in ACTIONS:
        action, *words = words
        name, config = f"{name} {action}", ACTIONS[name][action]
    own = own_study(words) if name == "study run" else None
    if own is not None:
        (study, words), config, default = own, own[0].config_type, own[0].config_type.quick()
        name = f"study run {study.name}"
    assert config is not None
    if "--config" in words:
        # The stored options are the sweep's own; here only the words beside them are read.
        at = words.index("--config")
        del words[at : at + 2]
        default = default or STORED[name]
    if "--help" in words:
        with pytest.raises(SystemExit) as ending:
            parse(config, words, name=name)
        assert not ending.value.code
        assert words[0] in capsys.readouterr().out
        return
    assert isinstance(parse(config, words, name=name, default=default), config)


def test_every_command_has_a_line_in_the_readme_and_the_other_way_round():
    told = set(re.findall(r"^\| `saddle (\w+)` \|", PAGES[0].read_text("utf-8"), re.MULTILINE))
    assert told == {command.name for command in COMMANDS} == {*CONFIGS, *ACTIONS}
    for command in COMMANDS:
        assert callable(import_module(command.module).command)


def test_make_run_is_the_command_that_the_readme_shows():
    made = re.search(r"\$\(BIN\)/(saddle sweep .*)", joined((ROOT / "Makefile").read_text()))
    assert made is not None
    assert made.group(1) in command_lines(PAGES[0].read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "reference" in page.parts], ids=lambda page: page.stem
)
def test_a_reference_page_names_what_can_be_imported(page):
    for path in re.findall(r"^::: (\S+)$", page.read_text("utf-8"), re.MULTILINE):
        module, _, name = path.rpartition(".")
        assert hasattr(import_module(module), name), path
