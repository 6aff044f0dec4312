"""What a section is made of. Every text is plain text: the page escapes it, so nothing in it is markup."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

__all__ = ["Block", "Code", "Columns", "Details", "KeyFigure", "KeyFigures", "Paragraph"]


class Block:
    """Abstract: something a section shows. `kind` names the macro of the template that draws it."""

    kind: ClassVar[str]


@final
@dataclass(frozen=True)
class Paragraph(Block):
    """A paragraph of plain text."""

    kind: ClassVar[str] = "paragraph"
    text: str
    tone: Literal["plain", "lead", "note", "warning"] = "plain"
    "`lead` opens a page, `note` says how something was computed, `warning` what a reader must not miss."


@final
@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A number worth reading first."""

    label: str
    value: str
    note: str = ""
    "What the number rests on: its interval, its n."


@final
@dataclass(frozen=True)
class KeyFigures(Block):
    """A row of key figures."""

    kind: ClassVar[str] = "key_figures"
    figures: tuple[KeyFigure, ...]


@final
@dataclass(frozen=True)
class Columns(Block):
    """Blocks side by side where there is room, one below the other on a phone."""

    kind: ClassVar[str] = "columns"
    blocks: tuple[Block, ...]


@final
@dataclass(frozen=True)
class Details(Block):
    """Blocks behind a line that opens them."""

    kind: ClassVar[str] = "details"
    summary: str
    blocks: tuple[Block, ...]
    open: bool = False


@final
@dataclass(frozen=True)
class Code(Block):
    """Text in fixed pitch, line breaks kept."""

    kind: ClassVar[str] = "code"
    text: str
    label: str = "Text"
    "Names the box for a screen reader."

    @classmethod
    def from_json(cls, value: Mapping[str, Any], label: str) -> "Code":
        """Show a mapping as indented JSON; what JSON does not know is shown by its `str`."""
        return cls(json.dumps(value, indent=2, ensure_ascii=False, default=str), label)
