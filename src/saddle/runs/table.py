"""One table of results in a folder: `results.csv` for every program, `results.parquet` for large ones.

The CSV keeps types (RFC 4180; polars, pandas and spreadsheets read it too): text is always quoted, numbers never, booleans
are `true` and `false`, floats their shortest exact form, and an empty cell without quotes is None.

A text that begins with one of `= + - @ '`, a tab or a return could run as a formula in a spreadsheet (a data-set name is
anybody's text): it gets a leading `'` in the CSV, which `read_table` takes off again. The parquet file holds the text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from saddle._files import replacing, write_bytes
from saddle.errors import UserError
from saddle.runs.locks import wait_for
from saddle.runs.textfiles import explained

__all__ = ["TableFiles", "read_table", "rebuild_table", "write_table"]

Row = Mapping[str, Any]

FORMULA = ("=", "+", "-", "@", "'", "\t", "\r")
CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\Z)')
NUMBER = re.compile(r"-?\d{1,19}")
CSV_LIMIT = 2**30


@final
@dataclass(frozen=True, kw_only=True)
class TableFiles:
    """What `write_table` wrote."""

    csv: Path
    parquet: Path | None
    note: str | None
    "A sentence for the user when there is no parquet file."


def write_table(folder: Path, rows: Sequence[Row], *, columns: Sequence[str] = ()) -> TableFiles:
    """Write `rows` to `results.csv` and `results.parquet` in `folder`, each atomically.

    `columns` come first, others follow in the order in which they appear; rows are sorted by their values in that
    order (None first), so the same rows give the same bytes. A column is of one type, None aside; integers among
    floats become floats. Without polars (the extra `report`) there is no parquet file, and `note` says so.
    """
    names = tuple(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    kinds = {name: _kind(name, rows) for name in names}
    table = sorted(
        ([_convert(row.get(name), kinds[name]) for name in names] for row in rows),
        key=lambda cells: [_order(cell) for cell in cells],
    )
    lines = [",".join(map(_cell, cells)) for cells in [list(names), *table]]
    path = folder / "results.csv"
    with explained("write", path):
        write_bytes(path, "".join(line + "\n" for line in lines if names).encode())
        return _write_parquet(
            folder, {name: (kinds[name], [cells[i] for cells in table]) for i, name in enumerate(names)}
        )


def rebuild_table(
    folder: Path, collect: Callable[[], Sequence[Row]], *, columns: Sequence[str] = ()
) -> TableFiles:
    """Write the table of `collect()` while no other process does the same.

    Whoever finishes a cell calls this. The rows are collected under the lock, so of two sweeps in one folder the later
    writer has seen everything that the earlier one saw: the table never loses a row.
    """
    lock = wait_for(folder / ".table.lock")
    assert lock is not None
    with lock:
        return write_table(folder, collect(), columns=columns)


def read_table(folder: Path) -> list[dict[str, Any]]:
    """Read `results.csv` in `folder` with the types that `write_table` gave it; `UserError` when it is no such file."""
    path = folder / "results.csv"
    with explained("read", path):
        if path.stat().st_size > CSV_LIMIT:
            raise UserError(
                f"{path} is larger than {CSV_LIMIT} bytes. Read results.parquet beside it instead."
            )
        data = path.read_bytes()
    try:
        lines = _parse(data.decode())
        if not lines:
            return []
        names, *rest = lines
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise ValueError("line 1 does not name the columns")
        for number, cells in enumerate(rest, start=2):
            if len(cells) != len(names):
                raise ValueError(f"row {number} has {len(cells)} cells, and there are {len(names)} columns")
    except ValueError as error:
        raise UserError(
            f"{path} is no table of results: {error}. Delete it and run the command again."
        ) from error
    return [dict(zip(names, cells, strict=True)) for cells in rest]


def _kind(name: str, rows: Sequence[Row]) -> type:
    kinds = {type(row[name]) for row in rows if row.get(name) is not None}
    if kinds == {int, float}:
        return float
    if not kinds <= {bool, int, float, str} or len(kinds) > 1:
        raise TypeError(f"the column {name!r} mixes or holds types that a table has not: {kinds}")
    return kinds.pop() if kinds else str


def _convert(value: Any, kind: type) -> Any:
    return float(value) if kind is float and value is not None else value


def _order(cell: Any) -> tuple[Any, ...]:
    # None, then NaN (which has no order of its own), then values.
    if cell is None or cell != cell:
        return (0, cell is not None)
    return (1, cell)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        value = "'" + value if value.startswith(FORMULA) else value
        return '"' + value.replace('"', '""') + '"'
    return repr(value)


def _parse(text: str) -> list[list[Any]]:
    lines: list[list[Any]] = []
    cells: list[Any] = []
    at = 0
    while at < len(text):
        match = CELL.match(text, at)
        if match is None:
            raise ValueError(f"row {len(lines) + 1} is not CSV")
        quoted, bare, end = match.groups()
        cells.append(_value(bare) if quoted is None else _text(quoted))
        at = match.end()
        if end != ",":
            lines.append(cells)
            cells = []
    if cells:
        lines.append([*cells, None])  # the file ends after a comma
    return lines


def _text(quoted: str) -> str:
    text = quoted.replace('""', '"')
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _value(bare: str) -> Any:
    if bare in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[bare]
    return int(bare) if NUMBER.fullmatch(bare) else float(bare)


def _write_parquet(folder: Path, data: Mapping[str, tuple[type, list[Any]]]) -> TableFiles:
    csv, path = folder / "results.csv", folder / "results.parquet"
    try:
        import polars
    except ImportError:
        path.unlink(missing_ok=True)  # an older one would contradict the CSV
        note = "results.parquet was not written: it needs polars (pip install 'saddle-minmax[report]')."
        return TableFiles(csv=csv, parquet=None, note=note)
    types = {bool: polars.Boolean, int: polars.Int64, float: polars.Float64, str: polars.String}
    frame = polars.DataFrame(
        [polars.Series(name, cells, types[kind]) for name, (kind, cells) in data.items()]
    )
    with replacing(path) as temporary:
        frame.write_parquet(temporary)
    return TableFiles(csv=csv, parquet=path, note=None)
