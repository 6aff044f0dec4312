"""A job, what becomes of it, and how one is carried out in this process."""

import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, final

from saddle.errors import UserError
from saddle.runs.hashing import plain
from saddle.runs.stop import Stopped, stopping

__all__ = ["Job", "Outcome", "execute"]

Report = Callable[..., None]
"report(done, total, text, **fields): progress of a job, in any unit of work."

NOT_STARTED = "not started: a stop was asked for"


@final
@dataclass(frozen=True, kw_only=True)
class Job:
    """A call that any process can make: `module.function(**arguments, report=report)`.

    The function asks `stopping()` now and then; when it is true, it saves what it needs and raises `Stopped`.
    """

    key: str
    "Its name in progress and outcomes; unique among the jobs of one call."
    function: str
    "`module:function`."
    arguments: Mapping[str, Any]
    "Keyword arguments that JSON can carry; they arrive as JSON gives them back (tuples as lists)."
    weight: float | int = 1.0
    "Its expected time relative to the other jobs; the heaviest starts first."

    def __post_init__(self) -> None:
        assert self.function.count(":") == 1, f"{self.function!r} is not `module:function`"
        assert math.isfinite(self.weight) and self.weight > 0, f"{self.key} has the weight {self.weight}"
        object.__setattr__(self, "arguments", plain(self.arguments, where=self.key))


@final
@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended: the function returned, raised or died, or was stopped before its end."""

    status: Literal["done", "failed", "interrupted"]
    message: str = ""
    "For people: the `UserError` word for word, the last line of another exception, or the signal by name."
    traceback: str = ""
    "For developers: the whole traceback, and in a process of its own the end of what it printed."


def execute(job: Job, report: Report, *, loaded: Callable[[], None] = lambda: None) -> Outcome:
    """Carry `job` out here; whatever it raises becomes its outcome. `loaded()` is called after its import."""
    try:
        module, name = job.function.split(":")
        function = getattr(import_module(module), name)
        loaded()
        if stopping():
            return Outcome(status="interrupted", message=NOT_STARTED)
        function(**job.arguments, report=report)
    except Stopped as stop:
        return Outcome(status="interrupted", message=str(stop) or "stopped; it can go on from here")
    except UserError as error:
        return Outcome(status="failed", message=str(error), traceback=traceback.format_exc())
    except (Exception, SystemExit) as error:
        message = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        return Outcome(status="failed", message=message, traceback=traceback.format_exc())
    return Outcome(status="done")
