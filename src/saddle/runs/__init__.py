"""Runs: a configuration's hash, run folders, locks, executors, progress, tables. Knows no system, imports no torch."""

from typing import TYPE_CHECKING

from saddle import _lazy

if TYPE_CHECKING:
    from saddle.runs.display import ProgressDisplay as ProgressDisplay
    from saddle.runs.folder import RunFolder as RunFolder
    from saddle.runs.hashing import canonical_json as canonical_json
    from saddle.runs.hashing import config_hash as config_hash
    from saddle.runs.jobs import Job as Job
    from saddle.runs.jobs import Outcome as Outcome
    from saddle.runs.locks import Lock as Lock
    from saddle.runs.locks import try_lock as try_lock
    from saddle.runs.locks import wait_for as wait_for
    from saddle.runs.machine import environment as environment
    from saddle.runs.machine import keep_freed_memory as keep_freed_memory
    from saddle.runs.machine import usable_cores as usable_cores
    from saddle.runs.processes import ProcessExecutor as ProcessExecutor
    from saddle.runs.progress import Progress as Progress
    from saddle.runs.serial import SerialExecutor as SerialExecutor
    from saddle.runs.stop import Stopped as Stopped
    from saddle.runs.stop import listening_for_stop as listening_for_stop
    from saddle.runs.stop import request_stop as request_stop
    from saddle.runs.stop import stopping as stopping
    from saddle.runs.table import read_table as read_table
    from saddle.runs.table import rebuild_table as rebuild_table
    from saddle.runs.table import write_table as write_table
    from saddle.runs.timeleft import TimeLeft as TimeLeft
    from saddle.runs.timeleft import duration as duration

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    {
        "Job": "jobs",
        "Lock": "locks",
        "Outcome": "jobs",
        "ProcessExecutor": "processes",
        "Progress": "progress",
        "ProgressDisplay": "display",
        "RunFolder": "folder",
        "SerialExecutor": "serial",
        "Stopped": "stop",
        "TimeLeft": "timeleft",
        "canonical_json": "hashing",
        "config_hash": "hashing",
        "duration": "timeleft",
        "environment": "machine",
        "listening_for_stop": "stop",
        "read_table": "table",
        "rebuild_table": "table",
        "request_stop": "stop",
        "stopping": "stop",
        "try_lock": "locks",
        "keep_freed_memory": "machine",
        "usable_cores": "machine",
        "wait_for": "locks",
        "write_table": "table",
    },
)
