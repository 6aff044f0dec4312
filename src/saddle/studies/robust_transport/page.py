"""The page of the study `robust-transport`."""

from collections.abc import Sequence

import numpy as np

from saddle.core import Claim, Measured
from saddle.report import Columns, Details, KeyFigure, KeyFigures, Paragraph
from saddle.studies.cell import Section
from saddle.studies.robust_transport.config import RobustTransportConfig
from saddle.studies.robust_transport.coupling_figures import coupling_explorer, four_couplings
from saddle.studies.robust_transport.figures import bound_chart, knee_chart, minority_chart, residue_chart
from saddle.studies.robust_transport.ranking_claims import DENSITY
from saddle.studies.robust_transport.ranking_figures import price_table, ranking_table, sensitivity_table
from saddle.studies.robust_transport.reading import Results, aurocs, numbers_of, of_kind, problems

__all__ = ["sections"]


def sections(config: RobustTransportConfig, results: Results, claims: Sequence[Claim]) -> list[Section]:
    pictures = results["pictures"]
    return [
        Section("What the ball does", (*_short(config, results), four_couplings(pictures))),
        Section("Weights and potentials", (_balls(), coupling_explorer(pictures))),
        Section(
            "How much radius removes how many outliers",
            (_theorem(), Columns((knee_chart(config, results), residue_chart(config, results))), bound_chart(config, results)),
        ),
        Section("What it costs, and whom", (*_price(), price_table(config, results), minority_chart(config, results))),
        Section("Who finds which outliers", (_ranking(), *_tables(config, results))),
    ]  # fmt: skip


def _short(config: RobustTransportConfig, results: Results) -> tuple[Paragraph, KeyFigures]:
    columns = problems(results, config)
    violated = int((columns["robust_low"] > columns["bound_high"]).sum())
    knees = [
        row["knee"] / row["critical"]
        for count in config.ring_outliers
        for row in of_kind(results, f"knee {count}", config)
    ]
    d = config.dimensions[0]
    clump = Measured.mean(aurocs(results, config, "tight clump", d, "robust W1")[:, 0])
    others = np.max([aurocs(results, config, "tight clump", d, name)[:, 0].mean() for name in DENSITY])
    kept = Measured.mean(numbers_of(of_kind(results, "shrinkage 1", config), "two-sided"))
    lead = Paragraph(
        "Optimal transport must ship every sample, so a few far outliers decide its value. Robust transport may change the "
        "samples' weights inside a ball before it ships them, and takes the cheapest: outliers lose their weight first.",
        "lead",
    )
    return lead, KeyFigures(
        (
            KeyFigure(
                label="random problems above the bound",
                value=f"{violated} of {len(columns['g'])}",
                note="certified on both sides",
            ),
            KeyFigure(
                label="knee of the value, of R*",
                value=f"{min(knees):.3f} to {max(knees):.3f}",
                note=f"{len(knees)} rings",
            ),
            KeyFigure(
                label=f"AUROC, tight clump of {config.shares[0]:.0%}",
                value=f"{clump.value:.3f}",
                note=f"best density detector: {others:.3f}; n = {clump.n}",
            ),
            KeyFigure(
                label="kept of a clean W1, shift 1, both sides, R = 0.1",
                value=f"{kept.value:.0%}",
                note=f"so values are not comparable with W1; n = {kept.n}",
            ),
        )
    )


def _balls() -> Paragraph:
    return Paragraph(
        "The weights are a function of the potentials f, the price of shipping from each sample: with f high the weight is low, "
        "and the ball says how. In the chi-square ball W = (t − f)₊ / E (t − f)₊, one number t for all samples. So ranking by "
        "weight is ranking by potential."
    )


def _theorem() -> Paragraph:
    return Paragraph(
        "With a share g of outliers, weights within rho can push their mass down to g' = (g − sqrt(2 rho g (1 − g)))₊, whatever "
        "the cost and the dimension, and the robust cost is at most (1 − g') OT(clean) + g' OT(outliers). At rho* = g/(2(1 − g)) "
        "nothing is left, and the value bends."
    )


def _price() -> tuple[Paragraph, ...]:
    return (
        Paragraph(
            "Robust transport is not a metric: between different distributions it can be 0, and it is smaller than optimal "
            "transport on clean data too, so its values compare only with each other at one radius. It cannot tell dirt from a "
            "genuine minority: a mode as light as the contamination, which the other side lacks, is dropped.",
            "warning",
        ),
        Paragraph(
            "Outliers on both sides that happen to lie near each other are matched, not dropped. The program without the row "
            "that all mass be shipped, as in the published solver, shrinks more: it simply ships less.",
            "note",
        ),
    )


def _ranking() -> Paragraph:
    return Paragraph(
        "X holds outliers, Y is a clean reference. Robust and partial transport rank by potential at the radius for the true "
        "share; kNN, isolation forest and local outlier factor see X alone, or Y where it says so. A clump of outliers inside "
        "the support has too much mass, not too little density: who looks at density finds it the most normal of all. On "
        "diffuse outliers it is the other way round, and the neighbours' distance is better."
    )


def _tables(config: RobustTransportConfig, results: Results) -> tuple:
    return (
        *(ranking_table(config, results, d) for d in config.dimensions),
        Details("If the share of outliers is misjudged", (sensitivity_table(config, results),)),
    )
