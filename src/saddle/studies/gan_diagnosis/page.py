"""The page of the study `gan-diagnosis`."""

from collections.abc import Mapping, Sequence

from saddle.core import Claim
from saddle.report import Badge, Chart, Column, Columns, Key, Paragraph, Table
from saddle.report.charts import BLUE, ORANGE, Axes, Style, scale
from saddle.studies.cell import CellResult, Section
from saddle.studies.diagnosis import KINDS
from saddle.studies.diagnosis.judge import TITLES
from saddle.studies.gan_diagnosis.cells import trials
from saddle.studies.gan_diagnosis.claims import found
from saddle.studies.gan_diagnosis.config import GanDiagnosisConfig
from saddle.studies.gan_diagnosis.trials import PROVOKED, Trial

__all__ = ["sections"]

DECIDING = {
    "divergence": "|loss/generator|",
    "data-normalisation": "pixels/range",
    "mode-collapse": "diversity/pixels",
    "vanishing-generator-gradient": "steepness/fake",
    "dead-units": "saturated/samples",
    "oscillation": "swings",
    "memorisation": "memorisation/nearer_train",
    "discriminator-overfit": "auc/overfit",
    "under-training": "decline over the last third",
}
"The number of each finding that the page draws."
HEALTHY = Style(colour=BLUE, shape="circle", hollow=True)
FAILED = Style(colour=ORANGE, shape="diamond")


def sections(
    config: GanDiagnosisConfig, results: Mapping[str, CellResult], claims: Sequence[Claim]
) -> list[Section]:
    every = trials(config)
    charts = tuple(_chart(trial, every, results) for trial in PROVOKED)
    return [
        Section(
            "What was found where",
            (
                Paragraph(
                    f"Every row is {config.seeds} runs on scikit-learn's digits that differ by their seed alone. The number is in "
                    "how many of them the failure of the column was found; the provoked one is marked. Failures come in "
                    "company: a generator whose units are dead has collapsed as well, and says so.",
                    "lead",
                ),
                _counts(config, every, results),
                Paragraph(
                    "The thresholds were set on seeds 100 to 109 of these same trials and not touched afterwards; the runs here "
                    f"have the seeds from {config.first_seed} on.",
                    "note",
                ),
            ),
        ),
        Section("How far apart they are", (Columns(charts),)),
        Section("How each failure was provoked", (_provocations(results),)),
    ]


def _counts(config: GanDiagnosisConfig, every: Sequence[Trial], results: Mapping[str, CellResult]) -> Table:
    columns = (Column("Runs", "left"), *(Column(TITLES[kind]) for kind in KINDS))
    rows = []
    for trial in every:
        cells = []
        for kind in KINDS:
            count = found(results[trial.name], kind)
            if trial.kind == kind:
                cells.append(Badge(f"→ {count}", "good" if count >= 0.9 * config.seeds else "bad"))
            elif not trial.kind and count:
                cells.append(Badge(str(count), "bad" if count > 0.1 * config.seeds else "neutral"))
            else:
                cells.append(Badge(str(count)))
        rows.append((f"{trial.name}{'' if trial.kind else ' (healthy)'}", *cells))
    return Table(
        columns=columns, rows=tuple(rows), caption=f"Runs of {config.seeds} in which each failure was found"
    )


def _chart(trial: Trial, every: Sequence[Trial], results: Mapping[str, CellResult]) -> Chart:
    """The deciding number of one finding: healthy runs beside those in which it was provoked, and the threshold."""
    name = DECIDING[trial.kind]
    shown = [each for each in every if not each.kind] + [trial]
    points: list[tuple[int, float]] = []
    for place, each in enumerate(shown):
        values = results[each.name].numbers[trial.kind]["evidence"].get(name, [])
        points += [(place, value) for value in values if value is not None]
    limits = [
        value
        for each in shown
        for value in results[each.name].numbers[trial.kind]["evidence"].get(f"{name}: threshold", [])
        if value is not None
    ]
    axes = Axes(
        x=scale("Trial", range(len(shown)), ticks=range(len(shown)), form="d", pad=0.2),
        y=scale(name, [*(value for _, value in points), *limits]),
    )
    healthy = [{"x": place, "y": value} for place, value in points if shown[place].kind == ""]
    failed = [{"x": place, "y": value} for place, value in points if shown[place].kind]
    layers = [axes.points(healthy, HEALTHY), axes.points(failed, FAILED)]
    layers += [axes.level(limit, Style(dash=(5, 3))) for limit in sorted(set(limits))[:2]]
    legend = "; ".join(f"{place}: {each.name}" for place, each in enumerate(shown))
    return Chart(
        title=TITLES[trial.kind],
        spec=axes.spec(*layers, height=180),
        description=f"{name} of healthy runs and of runs in which {trial.kind} was provoked, a mark a run.",
        keys=(
            Key(label="healthy", style=HEALTHY, marks=("point",)),
            Key(label="provoked", style=FAILED, marks=("point",)),
        ),
        note=f"{legend}. Dashed: the threshold.",
    )


def _provocations(results: Mapping[str, CellResult]) -> Table:
    columns = (
        Column("Failure", "left"),
        Column("Provoked by", "left", wide=True),
        Column("What saddle diagnose says of the first such run", "left", wide=True),
        Column("Next step", "left", wide=True),
    )
    rows = tuple(
        (
            TITLES[trial.kind],
            trial.why,
            str(results[trial.name].numbers[trial.kind]["sentence"]),
            str(results[trial.name].numbers[trial.kind]["next_step"]),
        )
        for trial in PROVOKED
    )
    return Table(columns=columns, rows=rows, caption="Provocations")
