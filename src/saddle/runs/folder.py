"""One run, one folder, named by the hash of its configuration.

<root>/<hash>/config.json     the configuration, written first
              metrics.jsonl   rows that grow while it trains
              samples/        pictures
              checkpoint.pt   where to go on
              result.json     written last: its presence means that the run was brought to an end
              .lock           held by the living process that works on the run
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from saddle._files import write_text
from saddle.errors import UserError
from saddle.runs.hashing import canonical_json, config_hash, null, plain
from saddle.runs.locks import Lock, holder, try_lock, wait_for
from saddle.runs.rows import append_rows, read_rows, truncate_rows
from saddle.runs.textfiles import explained, read_object

__all__ = ["RunFolder"]

CONFIG_LIMIT = 2**20  # bytes: a thousand times what a configuration needs
RESULT_LIMIT = 2**26
NOTES = "notes"
COMPLETE = ("done", "converged", "exhausted")


@final
@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The folder of one run. Everything a reader may meet is whole: files are replaced, rows appended in one write.

    Only the process that holds `lock()` may write; anyone may read at any time.
    """

    path: Path
    config: Mapping[str, Any]
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        root: Path | str,
        config: Mapping[str, Any],
        *,
        name: str | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> "RunFolder":
        """Make, or find again, the folder `root/<config_hash(config)>` (or `root/name`).

        `notes` are kept in `config.json` beside the configuration, under the key `notes`, without being part of
        it: where the images lay, say, or how many steps were asked for first. Any number of processes may call this at once. Raises `UserError` when the folder already holds a damaged or
        different configuration, or cannot be written.
        """
        path = Path(root) / (config_hash(config) if name is None else name)
        file = path / "config.json"
        with explained("make", path):
            (path / "samples").mkdir(parents=True, exist_ok=True)
            if not file.exists():
                # Processes that race here write the same bytes, each by one rename.
                written = plain(config) | ({} if notes is None else {NOTES: plain(notes)})
                write_text(file, json.dumps(written, sort_keys=True, indent=2) + "\n")
        found = cls.open(path)
        if canonical_json(found.config) != canonical_json(config):
            raise UserError(
                f"{file} holds another configuration than this run's, so it was edited by hand. "
                f"Delete {path} to run it again, or use another folder."
            )
        return found

    @classmethod
    def open(cls, path: Path | str) -> "RunFolder":
        """Open an existing run folder; `UserError` when it has no readable `config.json`."""
        path = Path(path)
        if not (path / "config.json").is_file():
            raise UserError(f"{path} is no run folder: it has no config.json. Name the folder of a run.")
        advice = f"Restore it, or delete {path} to run it again."
        found = read_object(path / "config.json", limit=CONFIG_LIMIT, advice=advice)
        notes = found.pop(NOTES, {})
        return cls(path=path, config=found, notes=notes if isinstance(notes, dict) else {})

    @property
    def key(self) -> str:
        """The hash of the configuration: the run's name in tables, whatever its folder is called."""
        return config_hash(self.config)

    @property
    def samples_dir(self) -> Path:
        """Where pictures go; `create` makes it."""
        return self.path / "samples"

    @property
    def checkpoint(self) -> Path:
        """The file to go on from; write it with `saddle._files.replacing`."""
        return self.path / "checkpoint.pt"

    def append_metrics(self, rows: Sequence[Mapping[str, Any]], *, durable: bool = False) -> None:
        """Append rows (each with a whole number `step`) in one write; NaN becomes null. `durable` adds an fsync."""
        append_rows(self.path / "metrics.jsonl", rows, durable=durable)

    def metrics(self) -> list[dict[str, Any]]:
        """Read the rows; a torn last line, left by a process that was killed, is passed over."""
        return read_rows(self.path / "metrics.jsonl")

    def truncate_metrics(self, step: int) -> None:
        """Drop the rows later than `step`: a run that resumes at `step` writes them again."""
        truncate_rows(self.path / "metrics.jsonl", step)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write `result.json`, with at least `status` (done, converged, exhausted or diverged) and `step`."""
        assert result.get("status") in (*COMPLETE, "diverged") and isinstance(result.get("step"), int), result
        text = json.dumps(
            plain(result, number=null, where="result"), sort_keys=True, indent=2, allow_nan=False
        )
        with explained("write", self.path / "result.json"):
            write_text(self.path / "result.json", text + "\n")

    def result(self) -> dict[str, Any] | None:
        """Read `result.json`; None while the run has not come to an end."""
        file = self.path / "result.json"
        if not file.exists():
            return None
        return read_object(
            file, limit=RESULT_LIMIT, advice="Delete it, and the run is brought to its end again."
        )

    def finished(self, steps: int) -> bool:
        """Whether nothing is left to do: it diverged, or it came to its end at `steps` or later."""
        result = self.result()
        if result is None:
            return False
        step = result.get("step")
        return result.get("status") == "diverged" or (
            result.get("status") in COMPLETE and isinstance(step, int) and step >= steps
        )

    def try_lock(self) -> Lock | None:
        """Take the run for this process, or None when another living process has it: leave the run to it."""
        return self._taken(try_lock(self.path / ".lock"))

    def wait_for_lock(
        self, *, seconds: float | int | None = None, give_up: Callable[[], bool] | None = None
    ) -> Lock | None:
        """Take the run when its holder lets go; None after `seconds`, or when `give_up()` (say, `stopping`) is true.

        For the cells that another sweep works on, after one's own: then ask `finished` again, and go on from there.
        """
        return self._taken(wait_for(self.path / ".lock", seconds=seconds, give_up=give_up))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run while the block lasts; `UserError` when another living process has it."""
        lock = self.try_lock()
        if lock is None:
            raise UserError(
                f"{self.path} is being worked on by {holder(self.path / '.lock')}. "
                "Wait until it has finished, or stop it."
            )
        with lock:
            yield

    def _taken(self, lock: Lock | None) -> Lock | None:
        # A killed writer leaves its temporary file, which may be a whole checkpoint. The lock makes us the only
        # writer, but for config.json, which `create` may be writing in another process.
        if lock is None:
            return None
        for file in (*self.path.glob(".*.tmp"), *self.samples_dir.glob(".*.tmp")):
            if not file.name.startswith(".config.json."):
                file.unlink(missing_ok=True)
        return lock
