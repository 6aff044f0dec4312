"""What is measured at a checkpoint, against values known by hand."""

import pytest
import torch

from saddle.data import ImageSet, Split
from saddle.gan import GanConfig, make_gan
from saddle.gan.batches import member_generators
from saddle.studies.diagnosis.checkpoint import Measured, _measure_images
from saddle.studies.diagnosis.measures.images import (
    class_shares,
    data_facts,
    nearest,
    nearest_shares,
    saturation,
)
from saddle.studies.diagnosis.measures.players import auc
from saddle.studies.diagnosis.rows import curves_of, scores_of, with_steps


def test_auc_counts_pairs_with_ties_half():
    # Pairs of (1, 2) against (1, 0): 1=1 half, 1>0, 2>1, 2>0: 3.5 of 4.
    assert auc(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0])) == 0.875


def test_copies_are_nearer_to_training_images_and_new_images_are_not():
    draw = torch.Generator().manual_seed(0)
    train, test, new = (torch.randn(200, 6, generator=draw) for _ in range(3))
    copies = nearest_shares(train[:100] + 1e-3, train, test)
    assert copies["nearer_train"] == 1
    assert copies["distance_ratio"] < 0.01
    assert copies["score"] < -3
    fresh = nearest_shares(new, train, test)
    # Both shares and ratio are those of exchangeable sets: ½ with error √(1/4·200) = 0.035 at least, and 1.
    assert fresh["nearer_train"] == pytest.approx(0.5, abs=0.12)
    assert fresh["distance_ratio"] == pytest.approx(1, abs=0.15)
    assert abs(fresh["score"]) < 3


def test_copies_are_seen_however_many_more_training_than_held_out_images_there_are():
    draw = torch.Generator().manual_seed(1)
    train, test, new = (torch.randn(n, 6, generator=draw) for n in (2000, 100, 400))
    # Every fake's nearest of all is its original: p = 1, so ½ + ½ = 1, with a twentieth as many held-out images too.
    assert nearest_shares(train[:400] + 1e-3, train, test)["nearer_train"] == 1
    # Half copies, half new: p = ½ + ½ e, so ½ + ¼; the error of p − e over 1 − e is √(0.05 / 200) · 20 / 4 = 0.08.
    half = torch.cat([train[:200] + 1e-3, new[:200]])
    assert nearest_shares(half, train, test)["nearer_train"] == pytest.approx(0.75, abs=0.24)
    fresh = nearest_shares(new, train, test)
    # √(e (1 − e) / 400) / (1 − e) / 2 = 0.11.
    assert fresh["nearer_train"] == pytest.approx(0.5, abs=0.33)
    assert abs(fresh["score"]) < 3


def test_the_nearest_is_found_across_pieces():
    others = torch.arange(10.0).unsqueeze(1)
    distance, index = nearest(torch.tensor([[7.2], [0.0]]), others, piece=3)
    assert index.tolist() == [7, 0]
    assert distance.tolist() == pytest.approx([0.2, 0.0], abs=1e-6)


def test_classes_are_those_of_the_nearest_images():
    real = torch.tensor([[0.0], [0.1], [10.0], [10.1], [20.0], [20.1]])
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    shares = class_shares(torch.tensor([[0.05], [10.05], [10.0], [9.0]]), real, labels, neighbours=2)
    assert shares == {0: 0.25, 1: 0.75, 2: 0.0}


def test_facts_of_images_are_shares_of_the_range():
    # Half black, half grey level 51 = 255 / 5, in two different images of one level each.
    images = torch.stack([torch.zeros(1, 4, 4), torch.full((1, 4, 4), 51)]).to(torch.uint8)
    facts = data_facts(images)
    assert facts["range"] == pytest.approx(0.2)
    assert facts["mean"] == pytest.approx(0.1)
    assert facts["std"] == pytest.approx(0.1)
    assert facts["variation"] == pytest.approx(0.1)  # every pixel is 0 in one image and 51 in the other
    assert facts["constant"] == 1
    assert facts["dark"] == 0.5
    assert facts["levels"] == 2
    assert facts["distinct"] == 1
    assert saturation(images) == 0.5


def test_numbers_that_no_float_holds_are_not_finite_and_steps_that_are_none_are_passed_over():
    rows = [{"step": step, "loss_generator": 10**400} for step in (True, -1, 10**400, 2**53 + 1, 7)]
    (kept,) = with_steps(rows)
    curve = curves_of([kept])["loss/generator"]
    assert curve.steps == (7,) and curve.finite.steps == ()


def test_rows_that_are_of_no_run_are_passed_over():
    rows = [
        {"step": 1, "loss_generator": "x", "scores": 5, "probe": []},
        {"step": 2, "loss_generator": 1.5, "probe": {"a/b": 2, "c": None}},
        {"step": 3, "scores": [7, {"metric": "FD(pixels)", "split": "test", "value": 2.0, "floor": 0.5}]},
    ]
    curves = curves_of(rows)
    assert curves["loss/generator"].finite.values == (1.5,)
    assert curves["a/b"].last == 2
    assert curves["c"].finite.steps == ()
    (score,) = scores_of(rows)
    assert (score.metric, score.split, score.curve.last, score.floor) == ("FD(pixels)", "test", 2.0, 0.5)


def test_labels_of_known_outliers_are_no_classes():
    # Outliers keep the labels of the images that they replaced: class 2 has no image left, and no share.
    pixels = torch.randint(
        0, 256, (40, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    labels, outliers = torch.arange(40) % 2, torch.zeros(40, dtype=torch.bool)
    labels[:5], outliers[:5] = 2, True
    train = ImageSet(name="t", images=pixels, labels=labels, classes=("a", "b", "c"), outliers=outliers)
    problem = make_gan(GanConfig(latent=8, batch=16, arch="mlp"), width_g=2, width_d=2, size=8, channels=1)
    found = Measured()
    state = problem.init(member_generators([0], 0))
    _measure_images(found, problem, state, Split(train=train, test=train), seed=0)
    shares = {name: share for name, share in found.numbers.items() if name.startswith("share of class/")}
    assert set(shares) == {"share of class/0", "share of class/1"}
    assert sum(shares.values()) == pytest.approx(1)
