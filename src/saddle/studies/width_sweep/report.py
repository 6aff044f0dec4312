"""The report of a width sweep: one offline page from the sweep's folder."""

from pathlib import Path

from saddle.report.page import Page
from saddle.report.tables import format_list
from saddle.studies.width_sweep import accounts, extra_sections, sections, trust_section
from saddle.studies.width_sweep.extras import read_extras
from saddle.studies.width_sweep.facts import Facts
from saddle.studies.width_sweep.reading import Sweep, find, read_sweep
from saddle.studies.width_sweep.summary import about, compared, metric_names

__all__ = ["build_report"]


def build_report(folder: Path) -> Path:
    """Write `report.html` into a sweep's folder from what the folder holds, and return its path.

    A sweep that still goes on, was stopped, or lost some runs gives a page that says so.

    Raises:
        UserError: the folder holds no sweep, its table is damaged, or a package of the extra `report` is missing.
    """
    sweep = read_sweep(folder)
    return page_of(sweep).write(folder / "report.html")


def page_of(sweep: Sweep) -> Page:
    """Return the page of a sweep."""
    name = str(sweep.data.get("name") or find(sweep.config, "data") or sweep.folder.name)
    arch = find(sweep.config, "arch")
    page = Page(
        f"How wide must a GAN be on {name}?",
        _subtitle(sweep, arch),
        kicker="Saddle · width sweep",
        footer=_footer(),
    )
    names = metric_names(sweep)
    distances = [metric for metric in names if (info := about(metric)) and info.better == "lower"]
    others = [metric for metric in names if metric not in distances and about(metric) is not None]
    extras = read_extras(sweep)
    facts = Facts.of(sweep, distances[0] if distances else None)
    page.add_section("In short", *sections.short(facts))
    if facts.metric is not None and compared(sweep, facts.metric, facts.split):
        page.add_section("Distance and width", *sections.distance(facts, distances))
        page.add_section("During training", *sections.training(facts))
        page.add_section("Train against test", *sections.generalisation(facts))
    if extras.tables.get("nnd"):
        page.add_section("Generalisation: NND", *extra_sections.divergence(extras))
    if others:
        page.add_section("Quality and diversity", *sections.fidelity(facts, others))
    for heading, blocks in (
        ("What the training ignored", trust_section.trust(sweep, extras)),
        ("What went wrong", extra_sections.diagnosis(sweep, extras)),
        ("Samples", accounts.samples(facts)),
        ("Cost", accounts.cost(facts)),
        ("The width law", sections.law(facts)),
        ("Runs", accounts.runs(facts)),
        ("Configuration and versions", accounts.configuration(facts)),
    ):
        if blocks:
            page.add_section(heading, *blocks)
    return page


def _subtitle(sweep: Sweep, arch: object) -> str:
    data, words = sweep.data, []
    if sweep.widths:
        names = {"dcgan": "DCGAN", "mlp": "MLP", "resnet": "ResNet"}
        many = "widths" if len(sweep.widths) > 1 else "width"
        words.append(f"{names.get(str(arch), str(arch or 'GAN'))}, {many} {format_list(sweep.widths)}")
    if sweep.seeds:
        words.append(f"{len(sweep.seeds)} seed{'s' if len(sweep.seeds) > 1 else ''}")
    size, channels = data.get("size"), data.get("channels")
    if isinstance(data.get("n_train"), int) and isinstance(data.get("n_test"), int):
        shape = f" of {size}×{size}×{channels}" if size and channels else ""
        words.append(f"{data['n_train']:,} training and {data['n_test']:,} test images{shape}")
    return ", ".join(words)


def _footer() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        release = version("saddle-minmax")
    except PackageNotFoundError:
        release = "from source"
    return f"Made by Saddle {release}. This page is one file and asks the network for nothing."
