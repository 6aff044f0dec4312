"""`saddle COMMAND`: finds the command, reads its options, and turns every user error into one sentence."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import final

from saddle.errors import UserError
from saddle.runs.machine import keep_freed_memory

__all__ = ["COMMANDS", "main"]

USER_ERROR, INTERRUPTED = 2, 130


@final
@dataclass(frozen=True, kw_only=True)
class Command:
    """A command: where its options and its function are, imported when it is called."""

    name: str
    summary: str
    module: str


COMMANDS = (
    Command(
        name="sweep",
        summary="Train GANs of several widths and seeds on your images and report which width to use.",
        module="saddle.cli.sweep",
    ),
    Command(name="train", summary="Train one GAN, or go on with one.", module="saddle.cli.train"),
    Command(name="sample", summary="Draw images from a trained run.", module="saddle.cli.sample"),
    Command(
        name="evaluate",
        summary="Compare a set of generated images with real ones.",
        module="saddle.cli.evaluate",
    ),
    Command(
        name="outliers",
        summary="Rank images by how little they belong to a clean set, with a page of the worst.",
        module="saddle.cli.outliers",
    ),
    Command(
        name="report", summary="Write a sweep's report again from its folder.", module="saddle.cli.report"
    ),
    Command(
        name="diagnose",
        summary="Say what went wrong in a run or a sweep, and what to change.",
        module="saddle.cli.diagnose",
    ),
    Command(
        name="recommend",
        summary="Say which width to use, trained or not, for a budget of time.",
        module="saddle.cli.recommend",
    ),
    Command(
        name="certify",
        summary="Predict whether and how fast an instance converges, run it, and compare.",
        module="saddle.cli.certify",
    ),
    Command(
        name="study",
        summary="Hold a theorem or an algorithm to measurements: list, run, report.",
        module="saddle.cli.study",
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `saddle` program: exits with 0, with 2 after a user's error, with 130 after a stop."""
    _prepare_streams()
    try:
        try:
            code = _run(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            sys.stdout.flush()
    except UserError as error:
        print(f"error: {_indented(str(error))}", file=sys.stderr)
        raise SystemExit(USER_ERROR) from None
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output has gone (`saddle … | head`); what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        # A full disk, a missing permission: the machine's state, which the user can change.
        where = "" if error.filename is None else f" {error.filename}"
        print(
            f"error: cannot read or write{where}: {error.strerror or error}; make room or allow it, or name another place.",
            file=sys.stderr,
        )
        raise SystemExit(USER_ERROR) from None
    raise SystemExit(code)


def _prepare_streams() -> None:
    # A stream that was closed (`>&-`) is None in Python.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 (lives as long as the program)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A γ on an ASCII terminal, or a path that is no UTF-8, is shown escaped rather than refused.
            stream.reconfigure(errors="backslashreplace")


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else USER_ERROR
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"saddle {version('saddle-minmax')}")
        return 0
    keep_freed_memory()
    return _find(words[0])(words[1:])


def _find(name: str) -> Callable[[Sequence[str]], int]:
    for command in COMMANDS:
        if command.name == name:
            return import_module(command.module).command
    from difflib import get_close_matches

    near = get_close_matches(name, [command.name for command in COMMANDS], n=1)
    hint = f" Did you mean `saddle {near[0]}`?" if near else ""
    raise UserError(f"There is no command {name!r}.{hint} `saddle --help` lists the commands.")


def _help() -> str:
    width = max(len(command.name) for command in COMMANDS)
    lines = [
        "usage: saddle COMMAND [OPTIONS]",
        "",
        "How wide must a GAN be, will it converge, and can what it learned be trusted?",
        "",
        "commands:",
        *(f"  {command.name:{width}}  {command.summary}" for command in COMMANDS),
        "",
        "`saddle COMMAND --help` explains a command's options; `saddle --version` prints the version.",
        "Start with: saddle sweep --data digits",
    ]
    return "\n".join(lines)


def _indented(text: str) -> str:
    return text.replace("\n", "\n       ")
