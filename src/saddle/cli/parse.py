"""Words of a command line to a configuration, and every refusal as one sentence."""

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any

from saddle.errors import UserError

__all__ = ["parse"]

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
OPTION = re.compile(r" {4}(--[\w-]+|[A-Z]+)\b")
PLAINER = (
    (r"^Error parsing ", "cannot read "),
    (r": (no type matching|[Cc]ould not find valid parse).*(\[.*?\]).*", r" from \2"),
    (r"Expected 1 values", "Expected one"),
)
"Words of tyro that tell a user nothing, and better ones."


def parse(config: type, words: Sequence[str], *, name: str, default: Any = None) -> Any:
    """Read `words` into the dataclass `config`; nested options have no prefix.

    Raises `UserError` for whatever cannot be read, and `SystemExit` with 0 after `--help`.
    """
    import tyro

    extra = {} if default is None else {"default": default}
    printed = io.StringIO()
    try:
        with redirect_stderr(printed):
            return tyro.cli(
                config,
                prog=f"saddle {name}",
                args=list(words),
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
                **extra,
            )
    except SystemExit as ending:
        if not ending.code:
            raise
        raise _own_error(ending) or UserError(_sentence(printed.getvalue(), name)) from None


def _own_error(ending: BaseException) -> UserError | None:
    """The `UserError` of a configuration's own check: tyro catches every ValueError and exits."""
    error: BaseException | None = ending
    while error is not None:
        if isinstance(error, UserError):
            return error
        error = error.__context__
    return None


def _sentence(printed: str, name: str) -> str:
    """What tyro printed in a box, without the box and without the help text that it repeats."""
    lines = _unboxed(ESCAPE.sub("", printed).splitlines())
    rules = [number for number, line in enumerate(lines) if line and not line.strip("─-")]
    said, rest = (lines[: rules[0]], lines[rules[0] :]) if rules else (lines, [])
    if said and said[0].startswith("Missing from"):
        said = [" and ".join(_options(said)) + " must be given"]
    words = " ".join(line.strip() for line in said).rstrip(".") or printed.strip()
    for pattern, plain in PLAINER:
        words = re.sub(pattern, plain, words)
    near = _options(rest) if words.startswith("Unrecognized") else []
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{words[:1].upper()}{words[1:]}.{hint} `saddle {name} --help` explains the options."


def _unboxed(lines: Sequence[str]) -> list[str]:
    """The lines inside a box: with borders where the terminal has them, else under a title and a rule."""
    if lines and lines[0].startswith("╭"):
        return [line.strip("│").removeprefix(" ").rstrip() for line in lines[1:-1]]
    return [line.removeprefix("  ").rstrip() for line in lines[2:]]


def _options(lines: Sequence[str]) -> list[str]:
    return [found.group(1) for line in lines if (found := OPTION.match(line))]
