"""What a robust run on contaminated digits leaves behind, and what its report says of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pytest import approx

from saddle.data import DataConfig, ImageSet, Split, contaminate
from saddle.gan import GanConfig
from saddle.gan.trust import TRUST, read_trust
from saddle.metrics import make_extractor
from saddle.metrics.config import MetricsConfig
from saddle.studies.width_sweep.config import RunOptions, TrainConfig
from saddle.studies.width_sweep.extra_files import read_extra
from saddle.studies.width_sweep.images import load_images
from saddle.studies.width_sweep.least_trusted import LeastTrusted, read_least_trusted, write_least_trusted
from saddle.studies.width_sweep.reading import read_sweep
from saddle.studies.width_sweep.report import page_of
from saddle.studies.width_sweep.sweep import run_train
from saddle.studies.width_sweep.trust_jobs import OutlierClassifier, histogram, weight_numbers

HEADING = "What the training ignored"


def config(out: Path, **gan: object) -> TrainConfig:
    return TrainConfig(
        data=DataConfig(data="digits", limit=300, contaminate="noise", contamination=0.1),
        gan=GanConfig(arch="mlp", latent=4, batch=32, **gan),  # type: ignore[arg-type]
        metrics=MetricsConfig(features="pixels", samples=40),
        run=RunOptions(steps=4, device="cpu", probe_every=0, workers=1),
        width=2,
        out=out,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The sweep's folder and the run's, after training, and again with nothing left to do."""
    root = tmp_path_factory.mktemp("robust") / "out"
    outcome = run_train(config(root, robust=0.1))
    assert not outcome.failures and not outcome.extras.failures
    again = run_train(config(root, robust=0.1))
    assert not again.outcomes and not again.extras.outcomes
    return root, outcome.cells[0].folder.path


def test_the_run_keeps_a_weight_an_image_and_the_extra_judges_them_by_the_truth(run):
    root, folder = run
    numbers, stored = read_extra(folder, "trust"), read_trust(folder / TRUST)
    assert numbers is not None and stored is not None and stored.final is not None
    cells = read_sweep(root).runs
    data = cells[0].config["data"]
    images = load_images(root / "cache", data["train"], data["test"]).train
    truth = images.outliers
    assert truth is not None and stored.weights.shape == (len(images),)
    # 4 steps of 32 images; the probability of a lighter outlier, counted over all pairs.
    assert stored.visits.sum() == 4 * 32
    w = torch.from_numpy(stored.weights.astype(np.float64))
    out, clean = w[truth][:, None], w[~truth][None]
    pairs = (out < clean).double() + 0.5 * (out == clean).double()
    assert numbers["running"]["auroc"] == approx(pairs.mean().item(), rel=1e-9)
    assert numbers["running"]["outlier_weight"] == approx(out.mean().item(), rel=1e-9)
    assert numbers["final"]["chi_square"] <= 0.1 / 1.8 + 1e-4
    assert sum(numbers["histogram"]["outliers"]) == int(truth.sum())
    generated = numbers["generated"]
    assert generated["n"] == 5000 and 0 <= generated["share"] <= 1
    # Noise at every pixel is no digit: a line tells them apart in pixels.
    assert generated["accuracy"] > 0.9 and generated["clean_test"] < 0.1


def test_the_report_shows_what_was_ignored(run):
    page = page_of(read_sweep(run[0])).render()
    assert HEADING in page
    for words in (
        "10 %",
        "the exact weights of each batch",
        "AUROC",
        "Called outliers: generated",
        "trusted least",
    ):
        assert words in page


def test_a_plain_run_on_contaminated_images_says_what_it_generates(tmp_path):
    outcome = run_train(config(tmp_path / "out"))
    folder = outcome.cells[0].folder.path
    numbers = read_extra(folder, "trust")
    assert numbers is not None and set(numbers) == {"generated"}
    assert not (folder / TRUST).exists() and read_least_trusted(folder) is None
    page = page_of(read_sweep(tmp_path / "out")).render()
    assert HEADING in page and "full weight" in page and "trusted least" not in page


def test_weights_are_judged_by_the_truth():
    outliers = np.array([True, True, False, False, False])
    numbers = weight_numbers(np.array([0.0, 1.0, 0.5, 1.5, 2.0]), outliers)
    # Pairs (outlier, clean): 0 is below all three, 1 below two of three: 5 of 6.
    assert numbers["auroc"] == approx(5 / 6)
    assert (numbers["outlier_weight"], numbers["clean_weight"]) == approx((0.5, 4 / 3))
    assert (numbers["outlier_mass"], numbers["below_half"]) == approx((0.2, 0.2))
    assert numbers["chi_square"] == approx((1 + 0 + 0.25 + 0.25 + 1) / 5 / 2)
    assert "auroc" not in weight_numbers(np.ones(3), None)
    counts = histogram(np.array([0.0, 1.0, 2.0]), None)
    assert sum(counts["clean"]) == 3 and sum(counts["outliers"]) == 0 and counts["edges"][-1] == 2.0


def test_the_classifier_tells_planted_outliers_and_corrects_for_its_errors():
    generator = torch.Generator().manual_seed(0)
    dark = torch.randint(0, 100, (200, 1, 8, 8), dtype=torch.uint8, generator=generator)
    train = contaminate(ImageSet(name="dark", images=dark[:150]), 0.2, "noise")
    split = Split(train=train, test=ImageSet(name="dark", images=dark[150:].contiguous()))
    classifier = OutlierClassifier.fit(split, make_extractor("pixels", size=8, channels=1, train=train))
    assert (classifier.accuracy, classifier.found, classifier.clean_test) == (1.0, 1.0, 0.0)
    noise = torch.randint(0, 256, (30, 1, 8, 8), dtype=torch.uint8, generator=generator)
    mixed = classifier.judge(torch.cat([noise, dark[:70]]))
    assert (mixed["share"], mixed["corrected"], mixed["n"]) == (0.3, approx(0.3), 100)


def test_the_least_trusted_are_read_back_and_damage_counts_as_none(tmp_path):
    images = ImageSet(
        name="x", images=torch.arange(40, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 8, 8)
    )
    found = LeastTrusted.of(np.linspace(2, 0, 40).astype(np.float32), images, 7)
    write_least_trusted(tmp_path, found)
    back = read_least_trusted(tmp_path)
    assert back is not None and back.step == 7
    assert back.index.tolist() == list(range(39, 11, -1)) and back.images[0, 0, 0, 0] == 39
    assert (back.outlier == -1).all()
    (tmp_path / "extras" / "trust.npz").write_bytes(b"PK\x03\x04")
    assert read_least_trusted(tmp_path) is None
