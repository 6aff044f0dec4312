"""The page beside the table: the worst images, how sure this is, and what it cannot see."""

import numpy as np

from saddle.data.problems import printable
from saddle.report import Block, Column, KeyFigure, KeyFigures, Page, Paragraph, Table, format_number
from saddle.report.tables import format_seconds
from saddle.studies.outliers.figures import cost_chart, potential_chart, weights_chart
from saddle.studies.outliers.pictures import grid
from saddle.studies.outliers.ranking import Ranking

__all__ = ["page_of"]

WORST, BEST, DISAGREE = 48, 12, 12


def page_of(ranking: Ranking) -> Page:
    """Return the page of a ranking."""
    n, name = len(ranking.photos), printable(ranking.photos.source)
    against = (
        "with the densest part of itself: no reference was given"
        if ranking.reference is None
        else f"with {len(ranking.reference):,} clean images of {printable(ranking.reference.source)}"
    )
    page = Page(
        f"Which images of {name} do not belong?",
        f"{n:,} images compared {against}, by {ranking.features} features",
        kicker="Saddle · outliers",
        footer="Made by Saddle. This page is one file and asks the network for nothing.",
    )
    page.add_section("In short", *_short(ranking))
    worst = ranking.order[:WORST]
    page.add_section(
        "The images trusted least",
        Paragraph(
            f"The first {len(worst):,} of the ranking, the least trusted first. Look at them before you remove anything: "
            f"{100 * ranking.contamination:g}\u00a0% of the images are flagged whatever they are, in a clean folder too."
        ),
        grid(ranking, worst),
    )
    best = ranking.order[::-1][:BEST]
    page.add_section(
        "The images trusted most",
        Paragraph(
            "For contrast: the end of the ranking. These are the images that the reference has most use for."
        ),
        grid(ranking, best),
    )
    page.add_section("Weights and potentials", weights_chart(ranking), potential_chart(ranking))
    page.add_section("Where the plain baseline disagrees", *_disagreement(ranking))
    page.add_section("How it was computed", *_computed(ranking))
    page.add_section("What this cannot see", *(Paragraph(text) for text in _blind(ranking)))
    return page


def _short(ranking: Ranking) -> list[Block]:
    flagged, transport = int(ranking.flagged.sum()), ranking.detector.transport_
    zero, n = int((ranking.weight == 0).sum()), len(ranking.photos)
    blocks: list[Block] = [
        Paragraph(
            f"{flagged:,} of {n:,} images are flagged: those that a robust transport to the "
            f"{'core' if ranking.reference is None else 'reference'} would rather leave behind.",
            "lead",
        )
    ]
    if ranking.reference is None:
        blocks.append(
            Paragraph(
                "Without a reference only what lies apart from the rest can be found, and a rare kind of good images "
                "looks the same as dirt. Give a folder of clean images as --reference if you can.",
                "warning",
            )
        )
    blocks += [Paragraph(text, "warning") for text in ranking.warnings]
    blocks.append(
        KeyFigures(
            (
                KeyFigure(
                    label="flagged",
                    value=f"{flagged:,}",
                    note=f"asked for: {100 * ranking.contamination:g}\u00a0%",
                ),
                KeyFigure(
                    label="weight left to them",
                    value=f"{ranking.weight[ranking.flagged].sum() / n:.2%}",
                    note=f"of the whole; {zero:,} images have weight 0",
                ),
                KeyFigure(
                    label="flagged by the baseline too",
                    value=f"{int((ranking.flagged & ranking.flagged_by_cost).sum()):,}",
                    note="cost in balanced transport",
                ),
                KeyFigure(
                    label="certified gap",
                    value=format_number(transport.gap, 2),
                    note="relative, of the transport cost"
                    + ("" if transport.certified else ": NOT certified"),
                ),
            )
        )
    )
    return blocks


def _disagreement(ranking: Ranking) -> list[Block]:
    ours = np.array(
        [i for i in ranking.order if ranking.flagged[i] and not ranking.flagged_by_cost[i]], np.int64
    )
    by_cost = np.argsort(-ranking.row_cost, kind="stable")
    theirs = np.array([i for i in by_cost if ranking.flagged_by_cost[i] and not ranking.flagged[i]], np.int64)
    blocks: list[Block] = [
        Paragraph(
            "Balanced transport gives every image its full weight; what an image pays in it is the simplest score of this "
            "kind, and a strong one. Where both agree, be surer."
        ),
        cost_chart(ranking),
    ]
    for chosen, words in ((ours, "by robust transport only"), (theirs, "by the balanced cost only")):
        blocks.append(
            Paragraph(f"{len(chosen):,} images are flagged {words}" + (":" if len(chosen) else "."))
        )
        if len(chosen):
            blocks.append(grid(ranking, chosen[:DISAGREE]))
    return blocks


def _computed(ranking: Ranking) -> list[Block]:
    detector, transport = ranking.detector, ranking.detector.transport_
    n, m = len(detector.sample_indices_), len(detector.reference_)
    drawn = n < len(ranking.photos) or (ranking.reference is not None and m < len(ranking.reference))
    rows = (
        ("Features", f"{ranking.features}, {ranking.dim} numbers an image, one factor for all of them"),
        ("Cost", f"{detector.cost} distance"),
        (
            "Problem",
            f"{n:,} images against {m:,}"
            + (
                ", drawn with a fixed seed; all images are scored through the potential"
                if drawn
                else ", all there are"
            ),
        ),
        (
            "Ball",
            f"mean (W − 1)²/2 ≤ rho = {format_number(detector.rho_)}, that is mean (W − 1)² ≤ {format_number(2 * detector.rho_)}: "
            f"the least that can drop {100 * ranking.contamination:g}\u00a0% of the images wholly",
        ),
        ("Transport cost", f"between {transport.lower:.6g} and {transport.upper:.6g}"),
        (
            "Status",
            f"{transport.status.value} (asked for {transport.tol:.0e}, {transport.iterations} iterations)",
        ),
        ("Balanced cost", f"{ranking.baseline.transport_.upper:.6g}"),
        (
            "Time",
            f"features {format_seconds(ranking.seconds['features'])}, robust transport "
            f"{format_seconds(ranking.seconds['transport'])}",
        ),
        (
            "Left out",
            f"{sum(len(e.images.skipped) for e in (ranking.photos, ranking.reference) if e):,} unusable files",
        ),
    )
    return [
        Paragraph(
            "The images are transported to the reference at the least mean distance, while weights W (1 on average) may be "
            "taken from some images and given to others, within a ball. The price of keeping an image is its potential f; "
            "the score is −f, and the weight falls in a straight line as f rises. An image is expensive because it is far "
            "from every clean one, or because there are more like it than the reference can take."
        ),
        Table(columns=(Column("", "left"), Column("", "left", wide=True)), rows=rows),
    ]


def _blind(ranking: Ranking) -> list[str]:
    texts = [
        "The share of dirt is your guess: it sets how many images are flagged and how much weight may be taken away. "
        "Half or double the right share changes the ranking little, and the number of flags in proportion.",
        "What the features do not show is not seen. Look at the pictures.",
        "A rare kind of good images that the reference lacks, as light as the share, looks the same as dirt and is flagged.",
        "Scattered outliers, each of its own kind, are found somewhat better by plain nearest neighbours; the strength of "
        "this method is a crowd of outliers.",
    ]
    if ranking.reference is None:
        texts.insert(
            0,
            "No reference was given. A crowd of outliers that lies among the good images cannot be told from a kind of "
            "good images, by this or any method.",
        )
    return texts
