"""The page of the study `width-transfer`."""

from collections.abc import Mapping, Sequence

from saddle.core import Claim, Measured
from saddle.report import Columns, KeyFigure, KeyFigures, Paragraph
from saddle.studies.cell import CellResult, Section
from saddle.studies.width_transfer.best import Transfer, transfer
from saddle.studies.width_transfer.claims import coordinates_of
from saddle.studies.width_transfer.config import WidthTransferConfig
from saddle.studies.width_transfer.figures import best_chart, coordinate_chart, distance_chart

__all__ = ["sections"]


def sections(
    config: WidthTransferConfig, results: Mapping[str, CellResult], claims: Sequence[Claim]
) -> list[Section]:
    """For every architecture: the answer, the curves it rests on, and the coordinate check."""
    made: list[Section] = []
    for arch in config.archs:
        both = {name: transfer(config, results, arch, name) for name in ("standard", "mup")}
        levels = [float(2**level) for found in both.values() for level in found.levels.mean(axis=2).ravel()]
        checks = {name: coordinates_of(config, results, arch, name) for name in both}
        t = config.check_steps
        changes = [float(c) for check in checks.values() for c in check.change[:, :, t].mean(axis=2).ravel()]
        made += [
            Section(f"{arch}: does the best step move?", (_figures(both), best_chart(arch, both))),
            Section(
                f"{arch}: every step at every width",
                (Columns(tuple(distance_chart(name, found, levels) for name, found in both.items())),),
            ),
            Section(
                f"{arch}: coordinate check",
                (
                    Paragraph(_CHECK),
                    Columns(
                        tuple(coordinate_chart(name, check, t, changes) for name, check in checks.items())
                    ),
                ),
            ),
        ]
    return [*made, Section("How it was measured", (Paragraph(_method(config)),))]


def _figures(both: Mapping[str, Transfer]) -> KeyFigures:
    figures: list[KeyFigure] = []
    for name, found in both.items():
        slope, cost = found.slope, found.cost
        figures += [
            KeyFigure(
                label=f"{name}: best step, per doubling", value=f"× {2**slope.value:.2f}", note=_note(slope)
            ),
            KeyFigure(
                label=f"{name}: cost of the narrowest's step",
                value=f"× {2**cost.value:.2f}",
                note=_note(cost),
            ),
        ]
    return KeyFigures(tuple(figures))


def _note(found: Measured) -> str:
    low, high = (2.0**end for end in found.interval)
    return f"95 % interval {low:.2f} to {high:.2f}, n\u00a0=\u00a0{found.n}"


_CHECK = (
    "How far the first steps move every layer's output at fixed inputs. In the maximal update parameterisation no layer's "
    "change should grow or shrink with the width; in the standard one every layer but the first grows in proportion to it. "
    "The last layer starts at order 1/√width in mup, so its first changes still shrink before they level."
)


def _method(config: WidthTransferConfig) -> str:
    return (
        f"GANs on {config.data}, {config.iterations} steps of both players, {config.seeds} seeds, Adam (0.5, 0.999), batch "
        f"{config.batch}, the default loss; both players have one step, on a grid of factor 2. The score is the Fréchet "
        f"distance of {config.features} features between {config.samples} images of the averaged generator and as many "
        "training images: how far training has come, not how well it generalises. A seed's best step is the vertex of a "
        "parabola through the log distances around its lowest; slopes are fitted seed by seed and their interval is "
        "Student's over seeds. Both parameterisations are the same network at width 16."
    )
