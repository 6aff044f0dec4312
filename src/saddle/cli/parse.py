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
    lines = [line.strip("│|").rstrip() for line in ESCAPE.sub("", printed).splitlines()]
    lines = [line for line in lines if line[:1] not in "╭╰+"]
    ends = [number for number, line in enumerate(lines) if not line.strip(" ─-")]
    said = lines[: ends[0]] if ends else lines
    if said and said[0].startswith(" Missing from"):
        said = [f"{_listed(said)} must be given"]
    words = " ".join(line.strip() for line in said).rstrip(".") or printed.strip()
    for pattern, plain in PLAINER:
        words = re.sub(pattern, plain, words)
    near = [] if "nrecognized" not in words else _options(lines[ends[0] :] if ends else [])
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{words[:1].upper()}{words[1:]}.{hint} `saddle {name} --help` explains the options."


def _listed(lines: Sequence[str]) -> str:
    return " and ".join(_options(lines))


def _options(lines: Sequence[str]) -> list[str]:
    return [found.group(1) for line in lines if (found := OPTION.match(line.removeprefix(" ")))]
