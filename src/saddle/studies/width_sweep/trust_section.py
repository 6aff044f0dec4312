"""The section "What the training ignored": weights of the training images, and outliers among the generated ones."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from saddle.report.blocks import Details, Paragraph
from saddle.report.charts import BLUE, ORANGE, Axes, Chart, Key, Style, scale
from saddle.report.pictures import Picture, Pictures
from saddle.report.tables import Column, Table, format_number
from saddle.studies.width_sweep.extras import Extras
from saddle.studies.width_sweep.facts import Blocks
from saddle.studies.width_sweep.least_trusted import LeastTrusted, read_least_trusted
from saddle.studies.width_sweep.reading import Run, Sweep, find

__all__ = ["generated_table", "trust", "weights_chart", "weights_table"]

CLEAN, OUTLIER = Style(colour=BLUE, shape="square"), Style(colour=ORANGE, shape="square")
AUROC = (
    "AUROC: the probability that a known outlier is lighter than a clean image (1: every outlier is, 0.5: chance). "
    "A dash: the truth is not known."
)
HOW = {
    "exact": "the exact weights of each batch",
    "network": "a weight network",
    "trim": "trimming each batch",
}


def trust(sweep: Sweep, extras: Extras) -> Blocks:
    """What robust runs ignored, and how many outliers all runs on contaminated images generate; else nothing."""
    runs = [run for run in sweep.runs if run.key in extras.trust]
    robust = [run for run in runs if _part(extras.trust[run.key], "running")]
    known = [run for run in runs if _part(extras.trust[run.key], "generated")]
    if not robust and not known:
        return []
    blocks: Blocks = [Paragraph(_opening(sweep, bool(robust)))]
    if robust:
        blocks += [weights_table(robust, extras), Paragraph(AUROC, "note"), *_shown(robust[0], extras)]
    if known:
        blocks += [generated_table(known, extras), Paragraph(_about_classifier(known, extras), "note")]
    if len(robust) > 1:
        others = [block for run in robust[1:] for block in _shown(run, extras)]
        blocks.append(Details(f"The other runs ({len(robust) - 1})", tuple(others)))
    return blocks


def _opening(sweep: Sweep, robust: bool) -> str:
    outliers, n = sweep.data.get("outliers"), sweep.data.get("n_train")
    words = []
    if type(outliers) is int and type(n) is int and 0 < outliers <= n:
        words.append(
            f"{outliers:,} of the {n:,} training images ({100 * outliers / n:.3g} %) were replaced by outliers; the test "
            "images are clean, so distances to them say how well the rest was learnt. Distances to the training images are "
            "to all of them, outliers included."
        )
    if robust:
        share, how = find(sweep.config, "robust"), find(sweep.config, "robust_by")
        told = f"{100 * share:.3g} %" if isinstance(share, int | float) else "a share"
        words.append(
            f"The training was to ignore {told} of its images, by {HOW.get(str(how), 'weights')}. A weight of 1 is an image "
            "that counts in full; the running weight is the mean over its last visits, and the final weight that of all "
            "images at once under the last discriminator. An image is light where the discriminator tells it from the "
            "generated ones with ease, so a rare kind of image that does belong is light too: look at the pictures."
        )
    else:
        words.append("The training gave every image its full weight; --robust would let it ignore some.")
    return " ".join(words)


def weights_table(runs: Sequence[Run], extras: Extras) -> Table:
    """How the weights of each run are spread, and whether they find known outliers."""
    rows = []
    for run in runs:
        numbers = extras.trust[run.key]
        running, final = _part(numbers, "running"), _part(numbers, "final")
        rows.append(
            (
                run.width,
                run.seed,
                _number(running, "least"),
                _number(running, "most"),
                _number(running, "below_half"),
                _number(running, "auroc"),
                _number(final, "auroc"),
                _number(running, "outlier_weight"),
                _number(final, "outlier_weight"),
            )
        )
    heads = (
        "Width\u00a0k",
        "Seed",
        "Least",
        "Largest",
        "Share below half",
        "AUROC, running",
        "AUROC, final",
        "Outliers' weight, running",
        "Outliers' weight, final",
    )
    return Table(
        columns=tuple(Column(head) for head in heads),
        rows=tuple(rows),
        caption="Weights of the training images",
    )


def generated_table(runs: Sequence[Run], extras: Extras) -> Table:
    """How many outliers each run generates, beside what the classifier makes of clean test images."""
    rows = []
    for run in runs:
        generated = _part(extras.trust[run.key], "generated")
        rows.append(
            (
                run.width,
                run.seed,
                _number(generated, "share"),
                _number(generated, "clean_test"),
                _number(generated, "corrected"),
                _number(generated, "accuracy"),
            )
        )
    heads = (
        "Width\u00a0k",
        "Seed",
        "Called outliers: generated",
        "the same: clean test",
        "Corrected share",
        "Held-out accuracy",
    )
    return Table(
        columns=tuple(Column(head) for head in heads),
        rows=tuple(rows),
        caption="Outliers among generated images, by a classifier",
    )


def _about_classifier(runs: Sequence[Run], extras: Extras) -> str:
    found = _part(extras.trust[runs[0].key], "generated")
    counts = {name: _number(found, name) for name in ("n", "n_outliers", "n_test")}
    return (
        f"Of {format_number(counts['n'])} images drawn from each run. A logistic regression on the features of the scores was "
        "trained to tell the known outliers from clean training images, both weighing the same; its accuracy is balanced "
        f"and on held-out images ({format_number(counts['n_outliers'])} of them outliers). What it says of "
        f"{format_number(counts['n_test'])} clean test images is what a perfect generator would give. The corrected share "
        "allows for both errors: (share − that of clean test images) / (held-out outliers found − that of clean test images). "
        "The classifier must call every image one of the two: of a generator that makes neither, early in training, its "
        "answer means nothing."
    )


def _shown(run: Run, extras: Extras) -> Blocks:
    """Histogram and pictures of one run."""
    numbers = extras.trust[run.key]
    blocks: Blocks = []
    chart = weights_chart(run, numbers)
    if chart is not None:
        blocks.append(chart)
    least = read_least_trusted(run.folder)
    if least is not None and len(least.images):
        words = f"The {len(least.images)} images that width {run.width}, seed {run.seed} trusted least"
        blocks += [Paragraph(f"{words}, with their running weights:"), _pictures(least)]
    return blocks


def weights_chart(run: Run, numbers: Mapping[str, Any]) -> Chart | None:
    """Histogram of the running weights; known outliers in a colour of their own. None where it is damaged."""
    stored = _part(numbers, "histogram")
    edges, clean, outliers = (stored.get(name) for name in ("edges", "clean", "outliers"))
    lists = [each for each in (edges, clean, outliers) if isinstance(each, list)]
    if len(lists) < 3 or not all(map(_is_number, (value for each in lists for value in each))):
        return None
    edges, clean, outliers = lists
    if not (len(clean) == len(outliers) == len(edges) - 1 and len(clean) > 0):
        return None
    known = sum(outliers) > 0
    most = max(a + b for a, b in zip(clean, outliers, strict=True))
    x, y = scale("running weight", edges, log=False), scale("images", [0, most], log=False, zero=True)
    layers = []
    for counts, below, style in ((clean, [0] * len(clean), CLEAN), (outliers, clean, OUTLIER)):
        rows = [
            {"x": edges[k], "to": edges[k + 1], "low": below[k], "high": below[k] + count}
            for k, count in enumerate(counts)
            if count
        ]
        layers.append(
            {
                "data": {"values": rows},
                "mark": {"type": "rect", "color": style.colour, "stroke": "var(--page)", "strokeWidth": 1},
                "encoding": {
                    "x": {"field": "x", "type": "quantitative", **x},
                    "x2": {"field": "to"},
                    "y": {"field": "low", "type": "quantitative", **y},
                    "y2": {"field": "high"},
                },
            }
        )
    mean = _number(_part(numbers, "running"), "outlier_weight")
    heads = ("From", "To", "Clean" if known else "Images", "Known outliers")
    return Chart(
        title=f"Running weights of the training images (width {run.width}, seed {run.seed})",
        spec=Axes(x=x, y=y).spec(*layers, height=260),
        description=f"Histogram of the weights of {sum(clean) + sum(outliers):,} images"
        + (f"; the known outliers' mean weight is {format_number(mean)}." if known else "."),
        keys=(
            Key(label="clean images" if known else "training images", style=CLEAN, marks=("point",)),
            *([Key(label="known outliers", style=OUTLIER, marks=("point",))] if known else []),
        ),
        note="1 is the mean. Bars of known outliers stand on those of the clean images.",
        table=Table(
            columns=tuple(Column(head) for head in heads),
            rows=tuple(
                (float(edges[k]), float(edges[k + 1]), clean[k], outliers[k]) for k in range(len(clean))
            ),
        ),
    )


def _pictures(least: LeastTrusted) -> Pictures:
    import torch

    from saddle.gan.sampling import grid_png

    words = {1: ", outlier", 0: ", clean", -1: ""}
    pictures = []
    for place, image in enumerate(least.images):
        caption = f"{format_number(float(least.weights[place]), 2)}{words.get(int(least.outlier[place]), '')}"
        png = grid_png(torch.from_numpy(image[None].copy()), columns=1)
        alt = f"Training image {int(least.index[place])}, weight {caption}"
        pictures.append(Picture(png=png, caption=caption, alt=alt))
    return Pictures(pictures=tuple(pictures), dense=True)


def _part(numbers: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = numbers.get(name)
    return found if isinstance(found, dict) else {}


def _number(numbers: Mapping[str, Any], name: str) -> float | int | None:
    value = numbers.get(name)
    return value if _is_number(value) else None


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False
