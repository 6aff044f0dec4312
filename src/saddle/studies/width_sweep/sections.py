"""The sections of a sweep's report: which words, charts and tables stand where."""

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

from saddle.report.blocks import Columns, Details, KeyFigure, KeyFigures, Paragraph
from saddle.report.tables import (
    Column,
    Table,
    format_count,
    format_list,
    format_number,
    format_seconds,
)
from saddle.studies.width_sweep import figures, wording
from saddle.studies.width_sweep.facts import PLAYERS, Blocks, Facts, median_result, tally
from saddle.studies.width_sweep.reading import Sweep
from saddle.studies.width_sweep.summary import (
    FAILED,
    about,
    by_width,
    compared,
    curves,
    floor_of,
    fluctuations,
    gaps,
    levels,
    size_of,
)
from saddle.theory.power_law import PowerLaw

__all__ = ["distance", "fidelity", "generalisation", "law", "short", "training"]


def short(facts: Facts) -> Blocks:
    """The recommendation in a sentence, what stands against it, and the key figures."""
    blocks: Blocks = []
    if facts.choice is None or facts.metric is None:
        blocks.append(Paragraph("There are no scores yet, so no width can be recommended.", "lead"))
    else:
        blocks.append(Paragraph(wording.headline(facts.choice, facts.metric, facts.split), "lead"))
        measured = levels(facts.scores)
        sentences = [wording.trend(measured, facts.metric, facts.split), wording.separation(measured)]
        if len(measured) > 1:
            blocks.append(Paragraph(" ".join(sentence for sentence in sentences if sentence)))
    blocks += [Paragraph(text, "warning") for text in _warnings(facts)]
    return [*blocks, KeyFigures(tuple(_key_figures(facts)))]


def distance(facts: Facts, metrics: Sequence[str]) -> Blocks:
    """Every distance against width: train, test, floor, all seeds."""
    charts = []
    for place, metric in enumerate(metrics):
        both = {split: compared(facts.sweep, metric, split) for split in ("test", "train")}
        if any(both.values()):
            charts.append(
                figures.score_chart(metric, both, height=360 if place == 0 else 280, note=not charts)
            )
    words = [info.sentence for metric in metrics if (info := about(metric))]
    steps = sorted({score.step for score in facts.scores})
    at = f"step {steps[0]:,}" if len(steps) == 1 else f"the last steps, {steps[0]:,} to {steps[-1]:,}"
    floor = (
        "Real against real is the same number between two disjoint sets of real images of the same size: "
        "a perfect generator would reach it, not zero."
    )
    return [Paragraph(f"All runs are compared at {at}. {' '.join(words)} {floor}"), *charts]


def training(facts: Facts) -> Blocks:
    """Distance against step, how fast each width gets there, and how much it fluctuates."""
    assert facts.metric is not None
    lines = curves(facts.sweep, facts.metric, facts.split)
    blocks: Blocks = []
    if any(len(points) > 1 for points in lines.values()):
        blocks.append(figures.curve_chart(facts.metric, facts.split, lines, floor_of(facts.scores)))
        blocks += _speed(facts)
    unrest = fluctuations(facts.sweep, facts.metric, facts.split)
    if unrest:
        percent = [(width, seed, 100 * value) for width, seed, value in unrest]
        title = f"Fluctuation of {facts.split} {facts.metric} at the end of training"
        blocks.append(
            figures.per_width_chart(title, "Fluctuation in % of the mean (lower is steadier)", percent)
        )
        blocks.append(
            Paragraph(
                "Fluctuation: standard deviation of successive differences over the last five evaluations of a run, "
                "divided by their mean. A steady fall hardly counts; going up and down does.",
                "note",
            )
        )
    charts = [
        figures.loss_chart(player, found) for player in PLAYERS if (found := _losses(facts.sweep, player))
    ]
    if charts:
        blocks.append(Details("Losses of the two players", (Columns(tuple(charts)),)))
    return blocks or [Paragraph("Each run was scored once, so there is no course to show.")]


def generalisation(facts: Facts) -> Blocks:
    """The gap between test and train."""
    assert facts.metric is not None
    found = gaps(facts.sweep, facts.metric)
    if not found:
        return [
            Paragraph(
                "The runs were not scored on both training and test images, so there is no gap to show."
            )
        ]
    measured = by_width(found)
    above = [m.width for m in measured if min(m.values) > 0]
    if len(above) == len(measured):
        verdict = "Every run is nearer to the training images than to the test images."
    elif above:
        verdict = f"Every run of width {format_list(above)} is nearer to the training images than to the test images."
    else:
        verdict = "No width has all its seeds nearer to the training images than to the test images."
    sizes = {split: size_of(compared(facts.sweep, facts.metric, split)) for split in ("train", "test")}
    if sizes["train"] != sizes["test"]:
        verdict += (
            f" Mind the sizes: {sizes['train']} for train and {sizes['test']} for test. A Fréchet distance grows as n "
            "falls, which makes a part of the gap."
        )
    title = f"Test minus train {facts.metric}"
    return [
        Paragraph(verdict),
        figures.per_width_chart(title, "Test − train (0: no gap)", found, zero_line=True),
    ]


def fidelity(facts: Facts, metrics: Sequence[str]) -> Blocks:
    """Precision, recall, density and coverage against width, beside what real images reach."""
    charts, sentences = [], []
    for metric in metrics:
        both = {split: compared(facts.sweep, metric, split) for split in ("test", "train")}
        if any(both.values()):
            charts.append(figures.score_chart(metric, both, height=220, title=metric, note=False))
            info = about(metric)
            sentences += [info.sentence] if info else []
    text = f"{' '.join(sentences)} The line of real against real is what other real images reach."
    note = wording.bars(levels(compared(facts.sweep, metrics[0], facts.split)))
    return [Paragraph(text), Columns(tuple(charts)), Paragraph(note, "note")] if charts else []


def law(facts: Facts) -> Blocks:
    """The fitted law, what it recommends, and how it was fitted."""
    if facts.choice is None or facts.metric is None or len(facts.choice.widths) < 2:
        return []
    fit = facts.choice.law
    blocks: Blocks = [Paragraph(wording.law_words(facts.choice))]
    if isinstance(fit, PowerLaw):
        intervals = [(name, fit.interval(name)) for name in ("a", "b", "c")]
        names = {
            "a": "a, the limit of infinite width",
            "b": "b, what width can take away",
            "c": "c, how fast",
        }
        values = {"a": fit.a, "b": fit.b, "c": fit.c}
        parameters = Table(
            columns=(
                Column("Parameter", "left"),
                Column("Value"),
                Column("95\u00a0% low"),
                Column("95\u00a0% high"),
            ),
            rows=tuple((names[n], values[n], *(i or (None, None))) for n, i in intervals),
            caption="y = a + b·k⁻ᶜ",
        )
        blocks += [
            figures.law_chart(facts.metric, facts.split, facts.scores, facts.choice),
            parameters,
            _budget(facts, fit),
            Details("How the law was fitted", (Paragraph(HOW),)),
        ]
    return blocks


HOW = (
    "y = a + b·k⁻ᶜ with a ≥ 0, b > 0 and 0.01 ≤ c ≤ 10 minimises the sum over all runs of the squared errors, each "
    "relative to the median of its width, because the spread over seeds grows with the distance. For a given c the "
    "best a and b are a constrained straight line; c is found on a grid and refined by golden sections (variable "
    "projection). Intervals: percentiles of 1,000 bootstrap resamples of the seeds within each width, with deviations "
    "scaled by √(n/(n−1)), since few seeds would otherwise look too certain. The recommended width is the smallest "
    "measured one whose prediction is within 5 % of the best prediction. Nothing is extrapolated. Where a law fits "
    "badly (more than 25 %) or there is none, the medians take its place."
)


def _key_figures(facts: Facts) -> list[KeyFigure]:
    found, choice = [], facts.choice
    if choice is not None and facts.metric is not None:
        note = "one seed per width"
        if choice.interval is not None:
            low, high = choice.interval
            note = f"95\u00a0% of resamples: {low if low == high else f'{low} to {high}'}"
        level, floor = choice.level, floor_of(facts.scores)
        seeds = wording.seeds_words([level.n])
        spread = (
            f"{format_number(level.low)} to {format_number(level.high)}, {seeds}" if level.n > 1 else seeds
        )
        found += [
            KeyFigure(label="Recommended width", value=str(choice.width), note=note),
            KeyFigure(
                label=f"{facts.split.capitalize()} {facts.metric} there, {size_of(facts.scores)}",
                value=format_number(level.median),
                note=f"median; {spread}",
            ),
        ]
        if floor is not None:
            found.append(
                KeyFigure(
                    label=f"Real against real, {size_of(facts.scores)}",
                    value=format_number(floor),
                    note="the floor",
                )
            )
        gap = next((m for m in by_width(gaps(facts.sweep, facts.metric)) if m.width == choice.width), None)
        if gap is not None:
            found.append(
                KeyFigure(
                    label="Test minus train there", value=format_number(gap.median), note=f"median, {seeds}"
                )
            )
        counts = [run.result["parameters"] for run in facts.at_choice if run.result.get("parameters")]
        if counts:
            both = " + ".join(format_count(counts[0].get(player)) for player in PLAYERS)
            found.append(
                KeyFigure(
                    label="Parameters there",
                    value=format_count(sum(counts[0].values())),
                    note=f"G + D: {both}",
                )
            )
        seconds = median_result(facts.at_choice, "seconds_per_step")
        if seconds:
            device = facts.at_choice[0].result.get("device", "")
            found.append(
                KeyFigure(
                    label="Time per step and member there", value=format_seconds(seconds), note=str(device)
                )
            )
    done = sum(run.status == "done" for run in facts.sweep.runs)
    failed = sum(run.status in FAILED for run in facts.sweep.runs)
    note = f"{failed} diverged or failed" if failed else "none diverged"
    return [*found, KeyFigure(label="Runs done", value=f"{done} of {len(facts.sweep.runs)}", note=note)]


def _warnings(facts: Facts) -> list[str]:
    """Return what a reader must know before trusting the page."""
    found = []
    sweep = facts.sweep
    if any(run.status not in ("done", *FAILED) for run in sweep.runs):
        found.append("The sweep is not finished: the numbers may change. " + tally(sweep))
    elif any(run.status in FAILED for run in sweep.runs):
        found.append(
            tally(sweep) + " Runs that failed are left out of every comparison; the table of runs says why."
        )
    if len({score.step for score in facts.scores}) > 1:
        found.append(
            "The runs have no step in common at which they were scored, so their last scores are compared."
        )
    missing = sorted(set(sweep.widths) - {score.width for score in facts.scores}) if facts.scores else []
    if missing:
        found.append(f"No run of width {format_list(missing)} can be compared: none is done.")
    if facts.choice is not None:
        wider = [width for width in missing if width > facts.choice.width]
        if warning := wording.edge(facts.choice, wider):
            found.append(warning)
    skipped = sweep.data.get("skipped")
    number = len(skipped) if isinstance(skipped, list) else skipped
    if isinstance(number, int) and number > 0:
        found.append(f"{number} image file{'s were' if number > 1 else ' was'} unusable and left out.")
    return found


def _speed(facts: Facts) -> Blocks:
    """Return, a width, when its median first reaches what each narrower width has in the end."""
    assert facts.metric is not None
    measured = levels(facts.scores)
    if len(measured) < 2:
        return []
    rows = []
    for width, points in curves(facts.sweep, facts.metric, facts.split).items():
        seconds = median_result([run for run in facts.sweep.runs if run.width == width], "seconds_per_step")
        cells = []
        for target in measured:
            step = next((step for step, level in points if level.median <= target.median), None)
            time = f" ({format_seconds(step * seconds)})" if step is not None and seconds else ""
            cells.append("not reached" if step is None else f"{step:,}{time}")
        rows.append((width, *cells))
    columns = (
        Column("Width\u00a0k"),
        *(Column(f"{format_number(m.median)}, width {m.width} in the end") for m in measured),
    )
    caption = f"Step at which the median {facts.split} {facts.metric} first reaches …"
    note = "In brackets: the training time of one member to that step. Steps are those of the evaluations."
    return [Table(columns=columns, rows=tuple(rows), caption=caption), Paragraph(note, "note")]


def _budget(facts: Facts, fit: PowerLaw) -> Table:
    """Return, a width, what the law predicts and what it costs: the best within a budget is the last row it buys."""
    rows = []
    band = fit.band(list(fit.widths))
    best = float(fit(max(fit.widths)))
    for place, width in enumerate(int(k) for k in fit.widths):
        mine = [run for run in facts.sweep.runs if run.width == width and run.result]
        work = (mine[0].result.get("multiply_adds") or {}) if mine else {}
        seconds = median_result(mine, "seconds_per_step")
        predicted = float(fit(width))
        low, high = (None, None) if band is None else (float(band[0][place]), float(band[1][place]))
        above = "best" if predicted <= best else f"+{format_number(100 * (predicted / best - 1), 2)} %"
        rows.append(
            (
                width,
                predicted,
                low,
                high,
                above,
                format_count(sum(work.values()) or None),
                format_seconds(1000 * seconds if seconds else None),
            )
        )
    heads = (
        "Width\u00a0k",
        "Predicted",
        "95\u00a0% low",
        "95\u00a0% high",
        "Above the best",
        "Multiply-adds G + D",
        "Time for 1,000 steps",
    )
    caption = "For a budget, take the last row that it pays for"
    return Table(columns=tuple(Column(head) for head in heads), rows=tuple(rows), caption=caption)


def _losses(sweep: Sweep, player: str, points: int = 150) -> dict[int, list[tuple[int, float]]]:
    """Return, a width, (step, median loss over the seeds), thinned to about `points`."""
    found: dict[int, list[tuple[int, float]]] = {}
    for width in sweep.widths:
        values: dict[int, list[float]] = defaultdict(list)
        for run in sweep.runs:
            for row in run.metrics if run.width == width else ():
                loss = row.get(f"loss_{player}")
                if isinstance(loss, int | float) and math.isfinite(loss):
                    values[row["step"]].append(float(loss))
        steps = sorted(values)
        if len(steps) > 1:
            every = max(1, len(steps) // points)
            found[width] = [(step, statistics.median(values[step])) for step in steps[::every]]
    return found
