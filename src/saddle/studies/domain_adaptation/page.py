"""The page of the study `domain-adaptation`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from jaxtyping import Float

from saddle.core import Claim, Measured
from saddle.report import Block, Code, Column, Columns, Details, Paragraph, Table
from saddle.report.tables import format_list
from saddle.studies.cell import CellResult, Section
from saddle.studies.domain_adaptation import figures
from saddle.studies.domain_adaptation.cells import LOOKED, cell_name
from saddle.studies.domain_adaptation.claims import WORDS, accuracies, paired, title
from saddle.studies.domain_adaptation.config import DomainAdaptationConfig, Method, TargetCase

__all__ = ["sections", "settings"]

Results = Mapping[str, CellResult]
STAND_IN = (
    "This is the stand-in: scikit-learn's digits as the source, and other digits changed by code as the targets. It shows that "
    "everything runs; the shifts are made up and the networks' settings were tried out on it. Pass --data for real domains."
)
CHOICE = (
    "Nothing was chosen by a label of the target: networks and steps are fixed beforehand, the rate was chosen by accuracy on "
    "the source (MNIST and USPS), the last step counts, and source-only has the same networks, first weights, source batches, steps and rates as the others."
)
SEEDS = (
    "Seeds differ in first weights and batches; the images and the contaminated ones among them are the same. Differences are "
    "paired by seed, intervals are Student's, 95 %, and claims are judged one by one."
)
LEAVES_OUT = (
    "The radius is the smallest that can remove the true share of contaminants: what a user who guesses it well would give. "
    "The weights have a closed form here; the network of weights that the paper trains is not run."
)


def sections(config: DomainAdaptationConfig, results: Results, claims: Sequence[Claim]) -> list[Section]:
    found = [
        Section("What was trained", _trained(config, results)),
        Section("Accuracy on the target", _accuracy(config, results)),
        Section("Do light weights find what does not belong?", _weights(config, results)),
    ]
    if "foreign" in config.contaminations:
        found.append(Section("Classes that the source does not know", _foreign(config, results)))
    found.append(Section("The course of training", _course(config, results)))
    return found


def settings(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    """The options; where the data lay is left out."""
    shown = {key: value for key, value in asdict(config).items() if key not in ("out", "workers")}
    shown["data"] = None if config.data is None else config.data.name
    return (
        Paragraph(f"{len(results)} cells of {config.seeds} seeds each.", "note"),
        Details("Settings", (Code.from_json(shown, "Settings"),)),
    )


def _trained(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    pairs = format_list([title(pair) for pair in config.chosen_pairs])
    words = (
        f"A classifier is trained on the labelled images of one domain and scored on another, whose images it sees without labels: "
        f"{pairs}. Adversarial training makes the domains' features alike; the robust forms let up to a share of the target be "
        f"weighted down while they do. {config.seeds} seeds, {config.steps:,} steps of {config.batch} + {config.batch} images of "
        f"{config.side}×{config.side}."
    )
    counts = Table(
        columns=(Column("Pair", "left"), *(Column(head) for head in ("source", "target", "target, test", "source accuracy, %"))),
        rows=tuple(_counts(results, pair) for pair in config.chosen_pairs),
        caption="Images to train on, test images of the target, and accuracy on the source's own test part (source-only)",
    )  # fmt: skip
    blocks: list[Block] = [Paragraph(words, "lead")]
    if config.data is None:
        blocks.append(Paragraph(STAND_IN, "warning"))
    if config.seeds < 5:
        blocks.append(Paragraph(f"{config.seeds} seeds decide little; 5 are the least that do.", "warning"))
    return (*blocks, counts, Paragraph(CHOICE), Paragraph(SEEDS, "note"), Paragraph(LEAVES_OUT, "note"))


def _counts(results: Results, pair: str) -> tuple[str | int | float, ...]:
    cells = [results[name].numbers for name in results if name.startswith(f"{pair}, ")]
    source = next(each for name, each in results.items() if name.startswith(f"{pair}, source-only"))
    accuracy = 100 * sum(source.numbers["source accuracy"]) / len(source.numbers["source accuracy"])
    most = {key: max(int(each[key]) for each in cells) for key in ("n source", "n target", "n test")}
    return (title(pair), *most.values(), accuracy)


def _accuracy(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    methods = config.chosen_methods
    rows = tuple(
        (title(pair), case, *(_percent(accuracies(config, results, pair, case, m)) for m in methods))
        for pair in config.chosen_pairs
        for case in config.contaminations
    )  # fmt: skip
    table = Table(
        columns=(Column("Pair", "left"), Column("Target", "left"), *(Column(WORDS[method]) for method in methods)),
        rows=rows,
        caption=f"Mean class accuracy in % on the clean test part of the target: mean and 95 % interval of {config.seeds} seeds",
    )  # fmt: skip
    charts = tuple(figures.accuracy_chart(config, results, pair) for pair in config.chosen_pairs)
    return (table, *_differences(config, results), Columns(charts), Paragraph(_cases(config), "note"))


def _differences(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    wanted: list[tuple[Method, Method]] = [
        ("adversarial", "source"), ("robust", "adversarial"), ("trim", "adversarial"), ("robust", "source"),
    ]  # fmt: skip
    there = [pair for pair in wanted if set(pair) <= set(config.chosen_methods)]
    rows = tuple(
        (
            title(pair),
            case,
            *(_points(paired(config, results, pair, case, *two), sign=True) for two in there),
        )
        for pair in config.chosen_pairs
        for case in config.contaminations
    )
    if not there:
        return ()
    return (
        Table(
            columns=(Column("Pair", "left"), Column("Target", "left"), *(Column(f"{WORDS[a]} − {WORDS[b]}") for a, b in there)),
            rows=rows,
            caption="Differences in points, paired by seed: mean and 95 % interval",
        ),
    )  # fmt: skip


def _weights(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    chosen: list[tuple[str, TargetCase, Method]] = [
        (pair, case, method)
        for pair in config.chosen_pairs
        for case in config.contaminations
        for method in config.chosen_methods
        if method in ("robust", "trim") and case not in ("clean", "missing")
    ]
    if not chosen:
        return (Paragraph("No target was contaminated, or no method weighs."),)
    rows = []
    for pair, case, method in chosen:
        numbers = results[cell_name(pair, case, method)].numbers
        plain = (
            results[cell_name(pair, case, "adversarial")].numbers if "adversarial" in config.methods else {}
        )
        rows.append(
            (
                title(pair), case, {"robust": "chi\u2011square", "trim": "trimming"}[method], 100 * float(numbers["outliers"]), _number(numbers["auroc"]),
                _number(numbers["auroc last"]), _number(plain.get("auroc last")), _number(numbers["outlier weight"]),
                _number(numbers["told apart"]),
            )
        )  # fmt: skip
    table = Table(
        columns=(
            Column("Pair", "left"), Column("Target", "left"), Column("Method", "left"), Column("contaminants, %"), Column("AUROC"),
            Column("at the end"), Column("without weights"), Column("their mean weight"), Column("told apart"),
        ),
        rows=tuple(rows),
        caption="Mean and 95 % interval over the seeds. AUROC: of the weights, averaged over ten looks while training; at the end: "
        "of the discriminator's last score; without weights: the same of adversarial training. 0.5 is chance. Told apart: the discriminator's balanced accuracy at the end",
    )  # fmt: skip
    charts = [figures.weight_chart(results, *each) for each in chosen if each[2] == "robust"]
    pictures = figures.lightest(results, [each for each in chosen if each[2] == "robust"])
    note = (
        f"Weights are those of {LOOKED:,} target images at most, in one full batch; training weighs within batches of "
        f"{config.batch}. Pictures: the smallest means over the seeds and looks."
    )
    blocks: list[Block] = [
        table,
        Columns(tuple(chart for chart in charts if chart is not None)),
        Paragraph(note, "note"),
    ]
    return (*blocks, *((pictures,) if pictures is not None else ()))


def _foreign(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    rows = tuple(
        (
            title(pair), WORDS[method], _percent(accuracies(config, results, pair, "foreign", method)),
            _number(numbers["foreign by doubt"]), _number(numbers.get("auroc")),
        )
        for pair in config.chosen_pairs
        for method in config.chosen_methods
        for numbers in [results[cell_name(pair, "foreign", method)].numbers]
    )  # fmt: skip
    text = (
        f"The source knows {config.known} classes and the target holds all. Foreign images can only be told wrongly, so accuracy is that "
        "of the known classes; what can be asked is whether the classifier doubts them, and whether they are light."
    )
    table = Table(
        columns=(Column("Pair", "left"), Column("Method", "left"), Column("accuracy, %"), Column("AUROC of doubt"), Column("AUROC of light weights")),
        rows=rows,
        caption="Known classes' accuracy; foreign test images found by 1 − largest probability; foreign training images by their weight",
    )  # fmt: skip
    return (Paragraph(text), table)


def _course(config: DomainAdaptationConfig, results: Results) -> tuple[Block, ...]:
    charts = tuple(
        figures.course_chart(config, results, pair, case)
        for pair in config.chosen_pairs
        for case in config.contaminations
        if case in ("clean", "noise", "cluster", "duplicates", "images")
    )
    text = "Shown, and used for nothing: the last step counts, and no step was chosen by it."
    return (Paragraph(text), Columns(charts))


def _cases(config: DomainAdaptationConfig) -> str:
    share = f"{100 * config.share:.3g}\u00a0%"
    words = {
        "clean": "clean: the target's images as they are (the weights may leave out a share all the same)",
        "noise": f"noise: {share} of the target are uniform noise",
        "cluster": f"cluster: {share} are near-copies of one odd image",
        "duplicates": f"duplicates: {share} are copies of one of the images",
        "images": f"images: {share} are of another data set",
        "foreign": f"foreign: the source knows the first {config.known} classes only; accuracy is of these",
        "missing": f"missing: the target holds the first {config.known} classes only; accuracy is of these",
    }
    return "; ".join(words[case] for case in config.contaminations) + "."


def _percent(values: Float[np.ndarray, " seeds"]) -> str:
    return _points(Measured.mean(100 * values))


def _points(measured: Measured, *, sign: bool = False) -> str:
    low, high = measured.interval
    form = "+.1f" if sign else ".1f"
    value = format(measured.value, form)
    if not math.isfinite(low):
        return value.replace("-", "−")
    return f"{value} ({format(low, form)} to {format(high, form)})".replace("-", "−").replace(" ", "\u00a0")


def _number(values: Sequence[float | None] | None) -> str:
    known = [value for value in values or () if value is not None and not math.isnan(value)]
    if not known:
        return "–"
    measured = Measured.mean(known)
    low, high = measured.interval
    if not math.isfinite(low):
        return f"{measured.value:.2f}"
    return f"{measured.value:.2f} ({low:.2f} to {high:.2f})".replace("-", "−").replace(" ", "\u00a0")
