"""The page of the study `gan-width`."""

from collections.abc import Mapping, Sequence

from saddle.core import Claim
from saddle.report import Block, Code, Details, Paragraph
from saddle.studies.cell import Section
from saddle.studies.gan_width.config import GanWidthConfig
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.width_sweep import accounts
from saddle.studies.width_sweep import sections as sweep_sections
from saddle.studies.width_sweep.summary import about, metric_names

__all__ = ["sections", "settings"]


def sections(
    config: GanWidthConfig, results: Mapping[str, Evidence], claims: Sequence[Claim]
) -> list[Section]:
    found: list[Section] = []
    for side, evidence in results.items():
        facts = evidence.facts
        names = metric_names(evidence.sweep)
        distances = [name for name in names if (info := about(name)) and info.better == "lower"]
        title = "" if side == "both" else f", {side}"
        found.append(Section(f"Distance and width{title}", tuple(sweep_sections.distance(facts, distances))))
        found.append(Section(f"During training{title}", tuple(sweep_sections.training(facts))))
        found.append(Section(f"Samples{title}", tuple(accounts.samples(facts))))
    return found


def settings(config: GanWidthConfig, results: Mapping[str, Evidence]) -> tuple[Block, ...]:
    return (Paragraph("Settings of the sweeps.", "note"), Details("Settings", (Code(repr(config)),)))
