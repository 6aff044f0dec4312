"""The page of the study `robust-gan`."""

from collections.abc import Mapping, Sequence

import numpy as np

from saddle.core import Claim
from saddle.report import Block, Column, Columns, KeyFigure, KeyFigures, Paragraph, Table
from saddle.studies.cell import CellResult, Section
from saddle.studies.robust_gan.config import RobustGanConfig
from saddle.studies.robust_gan.figures import course_chart, mean_and_spread, seeds_chart, weight_chart
from saddle.studies.robust_gan.methods import METHODS
from saddle.studies.robust_gan.reading import Results
from saddle.studies.robust_gan.scatters import generated_chart, weighted_chart
from saddle.studies.robust_gan.settings import LIGHT, SETTINGS

__all__ = ["result_tables", "sections"]

LINES = ("plain", "exact", "trim", "network", "stale")


def sections(
    config: RobustGanConfig, results: Mapping[str, CellResult], claims: Sequence[Claim]
) -> list[Section]:
    found = Results(config, results)
    settings = [setting for setting, _ in config.plan]
    shown = next((setting for setting in settings if SETTINGS[setting].contamination), settings[0])
    return [
        Section("What is left out, and by whom", (*_short(found, shown), *result_tables(found))),
        Section(f"What is generated: {shown}", _pictures(found, shown)),
        Section("Every seed", _seeds(found, settings)),
        Section("On the way", _courses(found, settings)),
        Section("The weights", _weights(found, settings)),
        Section("What robustness may cost: a light mode", _lost(found, settings)),
        Section("The methods", (_methods(config),)),
    ]


def _short(found: Results, shown: str) -> tuple[Block, ...]:
    methods = dict(found.config.plan)[shown]
    figures = [
        KeyFigure(
            label=f"{method}, off the modes",
            value=f"{found.values(shown, method, 'off').mean():.1%}",
            note=f"{shown}, mean of {found.config.seeds} seeds",
        )
        for method in ("plain", "exact", "network", "oracle")
        if method in methods
    ]
    return (
        Paragraph(
            "Four Gaussians in the plane, and a share of training points that do not belong: a tight cluster far off, or points "
            "anywhere. A Wasserstein GAN learns them along with the rest. Here its critic counts real points with weights: those "
            "that minimise the batch's mean score within a chi-square ball, whose radius rho* = γ / (2 (1 − γ)) just "
            "suffices to remove the share γ. Every method starts from the same networks and sees the same data in the same "
            "batches.",
            "lead",
        ),
        KeyFigures(tuple(figures)),
    )


def result_tables(found: Results) -> tuple[Table, Table]:
    """Method by setting, mean ± standard deviation over the seeds: the share off the modes, and W1."""
    config = found.config
    settings = [setting for setting, _ in config.plan]

    def row(method: str, number: str, digits: int) -> tuple[str, ...]:
        return tuple(
            mean_and_spread(found.values(setting, method, number), digits)
            if found.has(setting, method)
            else ""
            for setting in settings
        )

    columns = (Column("Method", "left"), *(Column(setting, "left") for setting in settings))
    used = [method for method in METHODS if any(method in methods for _, methods in config.plan)]
    of = f"mean ± standard deviation of {config.seeds} seeds"
    return (
        Table(
            columns=columns,
            rows=tuple((method, *row(method, "off", 4)) for method in used),
            caption=f"Share of {config.samples:,} generated points off the modes: {of}",
        ),
        Table(
            columns=columns,
            rows=(
                *((method, *row(method, "distance", 3)) for method in used),
                ("two clean samples", *row("plain", "floor", 3)),
            ),
            caption=f"W1 from {config.samples:,} generated points to as many clean ones: {of}",
        ),
    )


def _pictures(found: Results, shown: str) -> tuple[Block, ...]:
    charts = [generated_chart(found, shown, method) for method in dict(found.config.plan)[shown]]
    if found.has(shown, "exact"):
        charts.insert(0, weighted_chart(found, shown, "exact"))
    return (
        Paragraph(
            "Crosses are the means of the modes. A generated point is off when it is farther than 1.5, six standard deviations, from "
            "each. First seed; the first picture is the data."
        ),
        Columns(tuple(charts)),
    )


def _seeds(found: Results, settings: Sequence[str]) -> tuple[Block, ...]:
    charts = []
    for setting in settings:
        floor = float(np.nanmean(found.values(setting, "plain", "floor")))
        charts.append(seeds_chart(found, setting, "off", "share off the modes"))
        charts.append(seeds_chart(found, setting, "distance", "W1 to clean points", level=floor))
    return (
        Paragraph(
            "W1 is the least mean distance by which the generated points can be moved onto as many clean points of the "
            "distribution; two samples of the distribution itself are not at 0 either."
        ),
        Columns(tuple(charts)),
    )


def _courses(found: Results, settings: Sequence[str]) -> tuple[Block, ...]:
    contaminated = [setting for setting in settings if SETTINGS[setting].contamination]
    rows = tuple(
        (
            method,
            *(
                mean_and_spread(found.late_off(setting, method), 4) if found.has(setting, method) else ""
                for setting in contaminated
            ),
        )
        for method in METHODS
        if any(found.has(setting, method) for setting in contaminated)
    )
    table = Table(
        columns=(Column("Method", "left"), *(Column(setting, "left") for setting in contaminated)),
        rows=rows,
        caption=f"Share off the modes, mean of the last quarter of training: mean ± standard deviation of {found.config.seeds} seeds",
    )
    words = Paragraph(
        "Claims rest on the last generator of each run, which may stand in the middle of a swing. Averages over the last quarter are "
        "steadier; no claim was made of them beforehand."
    )
    return (*(course_chart(found, setting, LINES) for setting in contaminated), words, table)


def _weights(found: Results, settings: Sequence[str]) -> tuple[Block, ...]:
    rows = []
    for setting in settings:
        if not SETTINGS[setting].contamination:
            continue
        for method in LINES[1:]:
            if found.has(setting, method):
                numbers = [
                    found.values(setting, method, name)
                    for name in ("auroc_weight", "auroc_score", "outlier_weight", "spent")
                ]
                rows.append((f"{setting}: {method}", *(mean_and_spread(each, 3) for each in numbers)))
        if found.has(setting, "plain"):
            score = mean_and_spread(found.values(setting, "plain", "auroc_score"), 3)
            rows.append((f"{setting}: plain", "", score, "1", ""))
    table = Table(
        columns=(
            Column("Data and method", "left"),
            *(Column(head, "left") for head in ("AUROC of the weight", "AUROC of the score", "Outliers' mean weight", "E (W − 1)²/2")),
        ),
        rows=tuple(rows),
        caption="How well weights and critic find the outliers: mean ± standard deviation over seeds. rho* is 0.0556 for 10 %, "
        "0.0263 for 5 %.",
    )  # fmt: skip
    charts = tuple(
        weight_chart(found, setting, method)
        for setting in settings
        if SETTINGS[setting].contamination
        for method in ("exact", "network")
        if found.has(setting, method)
    )
    return (
        Paragraph(
            "AUROC is the chance that an outlier has a lower weight (a higher score) than another point; ½ is chance. Once a "
            "generator leaves outliers alone, they are all that it lacks, and the critic's scores point at them. Uniform noise "
            "overlaps the modes in part, and there nothing can tell it from the data."
        ),
        table,
        Columns(charts),
    )


def _lost(found: Results, settings: Sequence[str]) -> tuple[Block, ...]:
    light = [setting for setting in settings if min(SETTINGS[setting].shares) < max(SETTINGS[setting].shares)]
    words = Paragraph(
        "Weights that may remove a share of the data cannot know whether it is dirt. To them a mode of true data that is no "
        "heavier than that share is what the clusters of the other settings are: a generator without it is as good as one with "
        "it, and had the cluster been a mode, the numbers above would count what was lost. Never give a larger share than you "
        "mean to lose, and look at what has no weight. Below, the light mode lies among the others.",
        "warning",
    )
    if not light:
        return (words, Paragraph("The full study trains on data with a light mode too.", "note"))
    rows = []
    for setting in light:
        true = SETTINGS[setting].shares[LIGHT]
        for method in dict(found.config.plan)[setting]:
            share = found.light_share(setting, method)
            weight = (
                mean_and_spread(found.values(setting, method, "light_weight"), 2)
                if METHODS[method].points == "all" and method != "plain"
                else ""
            )
            rows.append(
                (
                    f"{setting}: {method}",
                    mean_and_spread(share, 3),
                    f"{share.min():.3f} to {share.max():.3f}",
                    f"{int((share < true / 2).sum())} of {len(share)}",
                    weight,
                )
            )
    table = Table(
        columns=(
            Column("Data and method", "left"),
            *(Column(head, "left") for head in ("Generated there", "Least to most", "Seeds with less than half", "Its points' weight")),
        ),
        rows=tuple(rows),
        caption="A mode of mass 0.1 (lighter: 0.05) at distance 2, like the three others: the share of generated points there",
    )  # fmt: skip
    return words, table


def _methods(config: RobustGanConfig) -> Table:
    used = {method for _, methods in config.plan for method in methods}
    return Table(
        columns=(Column("Method", "left"), Column("What it does", "left", wide=True)),
        rows=tuple((name, method.words) for name, method in METHODS.items() if name in used),
        caption="Methods",
    )
