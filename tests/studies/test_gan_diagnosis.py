"""The study's claims and page, from counts that are made up."""

from saddle.core.claim import Verdict
from saddle.report import Badge, Table
from saddle.studies.cell import CellResult
from saddle.studies.diagnosis import KINDS
from saddle.studies.gan_diagnosis.cells import cells, trials
from saddle.studies.gan_diagnosis.claims import claims
from saddle.studies.gan_diagnosis.config import GanDiagnosisConfig
from saddle.studies.gan_diagnosis.page import sections
from saddle.studies.gan_diagnosis.trials import PROVOKED

CONFIG = GanDiagnosisConfig.quick()


def results(hits=10, wrong=0):
    """`hits` of 10 provoked failures found, and `wrong` findings of every kind in 10 healthy runs."""
    found = {}
    for trial in trials(CONFIG):
        numbers = {}
        for kind in KINDS:
            count = hits if kind == trial.kind else 0 if trial.kind else wrong
            severity = ["serious"] * count + ["fine"] * (10 - count)
            numbers[kind] = {"severity": severity, "evidence": {}, "sentence": "…", "next_step": "…"}
        found[trial.name] = CellResult(numbers=numbers)
    return found


def test_every_kind_of_failure_is_provoked_once():
    assert sorted(trial.kind for trial in PROVOKED) == sorted(KINDS)
    assert len({cell.name for cell in cells(CONFIG)}) == len(cells(CONFIG)) == 9 + len(CONFIG.healthy)


def test_nine_of_ten_support_a_claim_and_eight_refute_it():
    by_hits = {hits: claims(CONFIG, results(hits=hits)) for hits in (9, 8)}
    assert by_hits[9][0].verdict == Verdict.SUPPORTED
    assert by_hits[8][0].verdict == Verdict.REFUTED
    # Of 90 provoked runs 81 were found: Wilson's interval reaches below 0.9 and above it.
    assert by_hits[9][-2].measured.value == 0.9
    assert by_hits[9][-2].verdict == Verdict.UNDECIDED
    assert by_hits[9][-1].measured.n == 10 * len(CONFIG.healthy) * len(KINDS)


def test_a_finding_in_two_of_ten_healthy_runs_refutes_its_absence():
    assert claims(CONFIG, results(wrong=2))[1].verdict == Verdict.REFUTED


def test_the_page_counts_what_was_found_in_every_trial():
    shown = sections(CONFIG, results(), claims(CONFIG, results()))
    table = shown[0].blocks[1]
    assert isinstance(table, Table)
    assert len(table.rows) == len(trials(CONFIG))
    assert table.rows[0][1 + KINDS.index("mode-collapse")] == Badge("→ 10", "good")
