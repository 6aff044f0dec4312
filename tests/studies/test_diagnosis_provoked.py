"""Real runs that fail on purpose, read back from their folders."""

import pytest
import torch

from saddle.studies.diagnosis import diagnose, read_evidence
from saddle.studies.diagnosis.page import write_page
from saddle.studies.diagnosis.runs import diagnose_run
from saddle.studies.diagnosis.text import run_text
from saddle.studies.gan_diagnosis.training import train_trial
from saddle.studies.gan_diagnosis.trials import PROVOKED


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["divergence", "dead-units"])
def test_a_provoked_failure_is_found(kind, tmp_path):
    trial = next(trial for trial in PROVOKED if trial.kind == kind)
    (run,) = train_trial(trial, [200], tmp_path)
    findings = {finding.kind: finding for finding in diagnose(read_evidence(run, spectrum=False))}
    assert findings[kind].present
    # The training images are digits, whatever becomes of the GAN.
    assert not findings["data-normalisation"].present


def test_a_dim_data_set_is_named_and_its_run_has_a_page(tmp_path):
    trial = next(trial for trial in PROVOKED if trial.kind == "data-normalisation")
    (run,) = train_trial(trial, [200], tmp_path)
    found = diagnose_run(run, spectrum=False)
    data = next(finding for finding in found.findings if finding.kind == "data-normalisation")
    # Digits span 0 to 255; a tenth of that, cut to whole numbers, ends at 25, or 10 % of the range.
    assert data.evidence["pixels/range"] == pytest.approx(25 / 255)
    assert "10 %" in data.sentence
    assert "Wrong normalisation of data (serious)" in run_text(found)
    page = write_page([found], tmp_path / "diagnosis.html").read_text()
    assert "Nearest training images" in page
    assert data.next_step.split(":")[0] in page
