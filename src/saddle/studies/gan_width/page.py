"""The page of the study `gan-width`: what a sceptic asks, in the order in which they ask it."""

import math
import statistics
from collections.abc import Mapping, Sequence

from saddle.core import Claim
from saddle.report import Block, Column, Columns, Details, Paragraph, Table
from saddle.report.tables import format_list, format_number
from saddle.studies.cell import Section
from saddle.studies.gan_width import figures
from saddle.studies.gan_width.config import GanWidthConfig
from saddle.studies.gan_width.law_claims import held_out
from saddle.studies.gan_width.measures import COLLAPSED, SETTLED, Evidence
from saddle.studies.gan_width.pictures import neighbour_blocks
from saddle.studies.gan_width.probes import probe_tables
from saddle.studies.gan_width.statistics import values_at
from saddle.studies.recommendation.held_out import HeldOut
from saddle.studies.width_sweep import accounts, extra_sections
from saddle.studies.width_sweep import sections as sweep_sections
from saddle.studies.width_sweep.extras import read_extras
from saddle.studies.width_sweep.facts import Facts
from saddle.studies.width_sweep.summary import about, metric_names, size_of

__all__ = ["sections", "settings"]

PROBES = (
    ("Gradient norms", "Norm of the gradient", ("gradient_norm/generator", "gradient_norm/discriminator")),
    ("The discriminator's accuracy", "Balanced accuracy", ("accuracy/train", "accuracy/test")),
    ("The generator's Jacobian", "Effective rank", ("jacobian/effective_rank",)),
    (
        "One step against the weights",
        "Step over weights",
        ("update_ratio/generator", "update_ratio/discriminator"),
    ),
    ("Diversity in pixels", "Distance of samples over that of real images", ("diversity/pixels",)),
    ("Classes that samples hit", "Share of the classes", ("coverage/classes",)),
)


def sections(
    config: GanWidthConfig, results: Mapping[str, Evidence], claims: Sequence[Claim]
) -> list[Section]:
    main = results.get("both") or next(iter(results.values()))
    found = [Section("What was trained", _trained(config, results, main))]
    if main.facts.metric is not None and main.facts.scores:
        facts = main.facts
        found += [
            Section("Does the distance fall?", tuple(sweep_sections.distance(facts, _distances(facts)))),
            Section("Is wider faster and steadier?", _course(main)),
            Section("Train against test", tuple(sweep_sections.generalisation(facts))),
        ]
        if main.tables.get("nnd"):
            extras = read_extras(main.sweep)
            found.append(Section("Does it generalise?", tuple(extra_sections.divergence(extras))))
        if blocks := neighbour_blocks(main):
            found.append(Section("Are samples copies?", blocks))
        if len(results) > 1:
            found.append(Section("Which network must be wide?", _sides(config, results)))
        if blocks := _law(main):
            found.append(Section("Could it be foreseen?", blocks))
    found.append(Section("Samples", tuple(accounts.samples(main.facts))))
    if blocks := _probes(main):
        found.append(Section("Inside training", blocks))
    if blocks := extra_sections.diagnosis(main.sweep, read_extras(main.sweep)):
        found.append(Section("What went wrong", tuple(blocks)))
    found.append(Section("What it cost", tuple(accounts.cost(main.facts))))
    found.append(Section("Recalled and measured", _provenance(config, len(claims))))
    return [section for section in found if section.blocks]


def settings(config: GanWidthConfig, results: Mapping[str, Evidence]) -> tuple[Block, ...]:
    """The runs of every side, and the configurations."""
    blocks: list[Block] = []
    for side, evidence in results.items():
        runs = Details(f"Runs, {figures.WORDS[side]}", tuple(accounts.runs(evidence.facts)))
        blocks += [runs, *accounts.configuration(evidence.facts)]
    return (*blocks, Details("Statistics", (Paragraph(STATISTICS),)))


STATISTICS = (
    "Runs of one seed draw the same batches and latents at every width, so widths are compared seed by seed. Intervals are "
    "Student's over the seeds, of logarithms where a number is a ratio or a factor; shares of yes and no have Wilson's "
    "interval, differences of two shares Newcombe's. Values that are equal at every seed decide nothing. Every run that came "
    "to its end counts; those that diverged have no distance and are counted as such."
)


def _trained(config: GanWidthConfig, results: Mapping[str, Evidence], main: Evidence) -> tuple[Block, ...]:
    data, facts = main.sweep.data, main.facts
    arch = {"dcgan": "DCGAN", "resnet": "ResNet GAN", "mlp": "MLP GAN"}[config.gan.arch]
    words = (
        f"{arch}s of widths {format_list(config.widths)} on {data.get('name')}: {data.get('n_train'):,} training and "
        f"{data.get('n_test'):,} held-out images of {data.get('size')}×{data.get('size')}×{data.get('channels')}, "
        f"{config.seeds} seeds a width, {main.steps:,} generator steps of batch {config.gan.batch}, loss "
        f"{config.gan.loss}. The distance is {facts.metric or 'not there yet'}, {size_of(facts.scores)}."
    )
    blocks: list[Block] = [Paragraph(words, "lead")]
    if facts.metric is not None and len(main.widths) > 1:
        blocks.append(_table(main))
    low = min(len(values_at(main.tables["test"], width)) for width in main.widths) if main.widths else 0
    if low < 5:
        text = f"With {low} seed{'s' * (low != 1)} a width most claims cannot be decided; 5 are the least that decide."
        blocks.append(Paragraph(text, "warning"))
    if facts.metric is not None and not facts.metric.startswith("FID"):
        text = (
            f"{facts.metric} is a Fréchet distance on other features than the standard Inception network's, so its "
            "values are not FIDs and compare with nothing published; their order over widths is what is studied."
        )
        blocks.append(Paragraph(text, "note"))
    return tuple(blocks)


def _table(main: Evidence) -> Table:
    measures = (
        ("Test distance", "test", False),
        ("Train distance", "train", False),
        ("Test − train", "gap", False),
        (f"Steps to {SETTLED:g} × its last distance", "settled", True),
        ("Steps to the narrowest's last distance", "reached", True),
        ("Fluctuation over the mean, last third", "fluctuation", False),
        ("Neural network divergence", "nnd", False),
        ("Memorisation score", "memorisation", False),
    )
    rows: list[tuple[str, ...]] = []
    for words, name, whole in measures:
        table = main.tables.get(name)
        if table:
            columns = [sorted(table[key] for key in table if key[0] == width) for width in main.widths]
            rows.append((words, *(_middle(values, whole) for values in columns)))
    counts = [len(values_at(main.tables["test"], width)) for width in main.widths]
    ends = [[ended for (k, _), ended in main.ended.items() if k == width] for width in main.widths]
    rows.append(("Diverged or collapsed", *(f"{sum(map(_bad, mine))} of {len(mine)}" for mine in ends)))
    return Table(
        columns=(Column("", "left"), *(Column(f"Width\u00a0{width}") for width in main.widths)),
        rows=tuple(rows),
        caption=f"Median over the seeds (test distance: n\u00a0= {format_list(counts)}), and lowest to highest",
    )


def _bad(ended: str) -> bool:
    return ended in ("diverged", "failed", "collapsed")


def _middle(values: Sequence[float], whole: bool) -> str:
    if not values:
        return "–"
    low, middle, high = (
        format_number(round(value) if whole and math.isfinite(value) else value)
        for value in (values[0], statistics.median(values), values[-1])
    )
    return middle if low == high else f"{middle} ({low} to {high})".replace(" ", "\u00a0")


def _distances(facts: Facts) -> list[str]:
    names = metric_names(facts.sweep)
    return [name for name in names if (info := about(name)) and info.better == "lower"]


def _course(main: Evidence) -> tuple[Block, ...]:
    percent = {key: 100 * value for key, value in main.tables["fluctuation"].items()}
    charts = [
        figures.measure_chart("Steps until settled", f"Steps to {SETTLED:g} × the last distance", main.tables["settled"]),
        figures.measure_chart(
            "Steps to the narrowest's last distance", "Steps (runs that never reach it are left out)",
            main.tables["reached"],
        ),
        figures.measure_chart("Fluctuation over the last third", "% of the mean distance", percent),
    ]  # fmt: skip
    never = sum(value == float("inf") for value in main.tables["reached"].values())
    bad = {k: [e for (w, _), e in main.ended.items() if w == k] for k in main.widths}
    words = ", ".join(f"{sum(map(_bad, ends))} of {len(ends)} at width {k}" for k, ends in bad.items())
    text = (
        f"Diverged or collapsed: {words}. A run has collapsed when its last distance is more than {COLLAPSED:g} times its "
        f"own lowest. {never} of {len(main.tables['reached'])} runs never reach the last distance of the narrowest width "
        "with their seed. Steps between evaluations are read off the logarithm's straight line."
    )
    shown = tuple(chart for chart in charts if chart is not None)
    return (*sweep_sections.training(main.facts)[:1], Columns(shown), Paragraph(text, "note"))


def _sides(config: GanWidthConfig, results: Mapping[str, Evidence]) -> tuple[Block, ...]:
    text = (
        f"Where one network is widened alone, the other is held at width {config.held}. The paper's appendix is recalled to "
        "do this (60 % sure); what it found is not known here."
    )
    return (Paragraph(text), figures.sides_chart(results))


def _law(main: Evidence) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if len(main.widths) >= 4:
        found = held_out(main)
        blocks.append(Paragraph(str(found) if isinstance(found, HeldOut) else found.reason, "lead"))
    return (*blocks, *sweep_sections.law(main.facts))


def _probes(main: Evidence) -> tuple[Block, ...]:
    tables = probe_tables(main.sweep)
    charts = [
        figures.probe_chart(title, axis, {name: tables[name] for name in names if name in tables})
        for title, axis, names in PROBES
    ]
    shown = tuple(chart for chart in charts if chart is not None)
    if not shown:
        return ()
    text = (
        "Measured off the clock at a fixed cadence while the runs trained; each point is the median over the last third of "
        "one run's probes."
    )
    return (Paragraph(text), Columns(shown))


def _provenance(config: GanWidthConfig, count: int) -> tuple[Block, ...]:
    rows = (
        ("CIFAR-10 at 32×32 and CelebA at 64×64; DCGAN and ResNet GANs; k scales the channels of every layer", "read"),
        ("Wider DCGANs: better train and test FID, faster and more stable (figure 1); test FID on held-out images", "read"),
        ("The same k for both networks; an appendix with one network's width alone, an MLP GAN and nearest neighbours", "recalled, 85 % and 60 %"),
        ("FID falls and saturates past k = 64 (DCGAN) and 128 (ResNet)", "recalled, 80 %"),
        ("Test above train FID, gap growing with k; NND falls with k; a memorised training set scores a worse NND than most GANs", "recalled, 80 %"),
        ("MLP GAN on MNIST: the same trend, slightly worse from 1024 to 2048", "recalled, 75 %"),
        ("Gradient penalty 10, 5 critic steps, Adam 1e-4 (0.5, 0.999), batch 64, 300,000 iterations, 5 runs a width", "recalled, 65 % (runs: 85 %)"),
        ("The list of k, and the FID at each", "unknown: none is quoted"),
    )  # fmt: skip
    table = Table(
        columns=(Column("Of Balaji et al. 2021, arXiv 2104.05605, section 3", "left", wide=True), Column("Known by", "left")),
        rows=rows,
    )  # fmt: skip
    text = (
        f"All numbers on this page were measured here, with {config.run.steps:,} steps; the paper trained longer on other "
        "images, so a claim that fails here is refuted for these images and this length, not for the paper's."
    )
    many = (
        f"{count} claims are judged here, each by its own 95 % interval and none corrected for the others: of forty whose "
        "truth lies just at the end of their band, one would be supported and one refuted by chance. Several are made of "
        "the same distances and stand or fall together."
    )
    return (Paragraph(text), Paragraph(many, "note"), table)
