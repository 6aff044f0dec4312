"""The sections that account for the runs: samples, cost, status, configuration."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from saddle.report.blocks import Code, Columns, Details, Paragraph
from saddle.report.pictures import Picture, Pictures
from saddle.report.tables import (
    Badge,
    Cell,
    Column,
    Table,
    format_bytes,
    format_count,
    format_list,
    format_number,
    format_seconds,
)
from saddle.studies.width_sweep import figures
from saddle.studies.width_sweep.facts import PLAYERS, Blocks, Facts, highest_result, median_result, tally
from saddle.studies.width_sweep.reading import Run
from saddle.studies.width_sweep.summary import (
    FAILED,
)

__all__ = ["configuration", "cost", "runs", "samples"]


def samples(facts: Facts) -> Blocks:
    """The last grid of one seed a width, the other seeds, and the course of the recommended width."""
    shown: dict[int, Run] = {}
    for run in sorted(facts.sweep.runs, key=lambda run: (run.status != "done", run.seed or 0)):
        if run.width is not None and run.pictures:
            shown.setdefault(run.width, run)
    if not shown:
        return []
    first = Pictures(pictures=tuple(_picture(shown[width]) for width in sorted(shown)))
    blocks: Blocks = [
        Paragraph(
            "Random samples at the last step, not selected. Runs with the same seed use the same latents."
        ),
        first,
    ]
    others = [run for run in facts.sweep.runs if run.pictures and run not in shown.values()]
    if others:
        pictures = Pictures(pictures=tuple(_picture(run) for run in others[:24]), budget=700_000)
        blocks.append(
            Details(f"Samples of the other seeds ({len(others[:24])} of {len(others)})", (pictures,))
        )
    run = shown.get(facts.choice.width) if facts.choice else None
    if run is not None and len(run.pictures) > 2:
        steps = sorted(run.pictures)
        chosen = sorted({steps[round(i * (len(steps) - 1) / 5)] for i in range(6)})
        pictures = Pictures(pictures=tuple(_picture(run, step) for step in chosen), budget=400_000)
        blocks.append(Details(f"How the samples of width {run.width} came about", (pictures,)))
    return blocks


def cost(facts: Facts) -> Blocks:
    """Parameters, multiply-adds, seconds and memory against width."""
    rows, count, work, time, memory = [], defaultdict(list), defaultdict(list), [], []
    for width in facts.sweep.widths:
        runs = [run for run in facts.sweep.runs if run.width == width and run.result]
        if not runs:
            continue
        of = {name: runs[0].result.get(name) or {} for name in ("parameters", "multiply_adds")}
        for player in PLAYERS:
            for name, series in (("parameters", count), ("multiply_adds", work)):
                if of[name].get(player):
                    series[player].append((width, float(of[name][player])))
        seconds, peak = median_result(runs, "seconds_per_step"), highest_result(runs, "peak_memory_bytes")
        time += [(width, 1000 * seconds)] if seconds else []
        memory += [(width, peak / 2**20)] if peak else []
        rows.append(
            (
                width,
                *(
                    format_count(of[name].get(player))
                    for name in ("parameters", "multiply_adds")
                    for player in PLAYERS
                ),
                format_seconds(seconds),
                _probe_share(runs),
                format_list(sorted({run.result["fleet"] for run in runs if run.result.get("fleet")})) or "–",
                format_bytes(peak),
                format_list(sorted({str(run.result.get("device", "?")) for run in runs})),
            )
        )
    if not rows:
        return []
    heads = ("Width\u00a0k", "Parameters G", "Parameters D", "Multiply-adds G", "Multiply-adds D")
    tail = ("Time per step and member", "Probes", "Trained together", "Peak memory")
    columns = (*(Column(head) for head in (*heads, *tail)), Column("Device", "left"))
    charts = [
        figures.cost_chart(title, axis, series, show)
        for title, axis, series, show in (
            ("Parameters", "Parameters", count, format_count),
            ("Multiply-adds", "Multiply-adds, one image forward", work, format_count),
            (
                "Time",
                "Milliseconds per step and member",
                {"time": time},
                lambda ms: format_seconds(ms / 1000),
            ),
            ("Memory", "Peak memory in MiB", {"memory": memory}, lambda mib: format_bytes(mib * 2**20)),
        )
        if any(series.values())
    ]
    note = (
        "Parameters and multiply-adds (one image, one forward pass) are counted exactly. Time is measured: seconds a "
        "generator step, divided by the members that were trained together; the median over the runs. Probes: their time over "
        "that of the training itself, which does not count them. Peak memory is that "
        "of the whole process on a CPU (all members, PyTorch itself), and what was allocated on the device on a GPU."
    )
    return [Table(columns=columns, rows=tuple(rows)), Paragraph(note, "note"), Columns(tuple(charts))]


def _probe_share(runs: Sequence[Run]) -> str:
    """Median share of the time in probes over that in training; a dash for runs without probes."""
    shares = []
    for run in runs:
        probes, step, each = (run.result.get(key) for key in ("probe_seconds", "step", "seconds_per_step"))
        if (
            isinstance(probes, int | float)
            and isinstance(step, int)
            and isinstance(each, int | float)
            and step * each > 0
        ):
            shares.append(probes / (step * each))
    return (
        f"{format_number(100 * statistics.median(shares), 2)}\u00a0%" if shares and max(shares) > 0 else "–"
    )


def runs(facts: Facts) -> Blocks:
    """The status of every run. Widths of G and D and messages have columns only where they say something."""
    listed = facts.sweep.runs
    if not listed:
        return [Paragraph("There are no run folders.")]
    columns = [
        Column("Width\u00a0k"),
        Column("Seed"),
        Column("Status", "left"),
        Column("Step"),
        Column("Time per step"),
    ]
    cells: list[list[Cell]] = []
    for run in listed:
        tone = "good" if run.status == "done" else "bad" if run.status in FAILED else "neutral"
        last = run.result.get("step", run.metrics[-1].get("step") if run.metrics else None)
        time = format_seconds(run.result.get("seconds_per_step"))
        cells.append([run.width, run.seed, Badge(run.status, tone), last, time])
    for head, key in (("Width of G", "width_g"), ("Width of D", "width_d")):
        if any(run.result.get(key, run.width) != run.width for run in listed):
            columns.append(Column(head))
            cells = [[*row, run.result.get(key)] for row, run in zip(cells, listed, strict=True)]
    if any(run.result.get("message") for run in listed):
        columns.append(Column("Message", "left"))
        cells = [[*row, str(run.result.get("message") or "")] for row, run in zip(cells, listed, strict=True)]
    columns.append(Column("Run", "left"))
    rows = tuple((*row, run.key) for row, run in zip(cells, listed, strict=True))
    return [Paragraph(tally(facts.sweep)), Table(columns=tuple(columns), rows=rows)]


def configuration(facts: Facts) -> Blocks:
    """The command's configuration, a run's, and the versions it ran with."""
    blocks: Blocks = []
    if facts.sweep.config:
        blocks.append(
            Details("Configuration of the sweep", (Code.from_json(facts.sweep.config, "sweep.json"),))
        )
    for run in facts.sweep.runs[:1]:
        blocks.append(
            Details(f"Configuration of run {run.key}", (Code.from_json(run.config, "config.json"),))
        )
    seen: dict[str, Any] = {}
    for run in facts.sweep.runs:
        if run.result.get("environment"):
            seen.setdefault(repr(run.result["environment"]), run.result["environment"])
    for place, environment in enumerate(seen.values()):
        name = "Versions and machine" + (f", {place + 1} of {len(seen)}" if len(seen) > 1 else "")
        blocks.append(Details(name, (Code.from_json(environment, name),)))
    return blocks


def _picture(run: Run, step: int | None = None) -> Picture:
    step = max(run.pictures) if step is None else step
    status = "" if run.status == "done" else f", {run.status}"
    words = f"Width {run.width}, seed {run.seed}, step {step:,}{status}"
    return Picture(
        png=run.pictures[step].read_bytes(), caption=words, alt=f"Grid of generated images. {words}"
    )
