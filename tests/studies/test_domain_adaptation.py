"""Domain adaptation: the losses by hand, the sign of the weights, the fleet, and what training may see."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from saddle.core.state import member
from saddle.dynamics import Alternating, Simultaneous, Steps
from saddle.studies.domain_adaptation.batches import AdaptationBatches
from saddle.studies.domain_adaptation.cells import train_case
from saddle.studies.domain_adaptation.domains import Pair
from saddle.studies.domain_adaptation.networks import make_networks
from saddle.studies.domain_adaptation.problem import (
    DISCRIMINATOR,
    LEARNER,
    AdaptationProblem,
    domain_loss,
    outlier_scores,
    reversal,
)
from saddle.studies.domain_adaptation.scores import auroc, class_accuracy
from saddle.studies.domain_adaptation.targets import make_target
from saddle.studies.domain_adaptation.training import annealing, train
from saddle.transport import ChiSquareBall, CvarBall, rho_for

SIZE = 8


def images(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(
        0, 256, (n, 1, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def pair(n: int = 60, classes: int = 3) -> Pair:
    """Random images whose brightness says the class; the target is darker."""
    labels = torch.arange(n) % classes

    def bright(seed: int, factor: float) -> torch.Tensor:
        return (images(n, seed) / 4 * (1 + labels.view(-1, 1, 1, 1)) * factor).to(torch.uint8)

    return Pair(
        source=bright(1, 1.0), source_labels=labels, source_test=bright(2, 1.0), source_test_labels=labels,
        target=bright(3, 0.7), target_labels=labels, target_test=bright(4, 0.7), target_test_labels=labels,
        classes=tuple("abc"[:classes]),
    )  # fmt: skip


def problem(**changes) -> AdaptationProblem:
    data = pair()
    made = AdaptationProblem(
        networks=make_networks(size=SIZE, channels=1, classes=3),
        source=data.source,
        labels=data.source_labels,
        target=data.target,
        adversarial=True,
        batch=10,
        steps=4,
    )
    return replace(made, **changes)


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_the_domain_loss_by_hand():
    # softplus(0) = log 2 everywhere: log 2 + log 2, whatever the weights of mean 1.
    zero = torch.zeros(1, 4)
    for ball in (None, ChiSquareBall(rho=0.1), CvarBall(share=0.25)):
        assert domain_loss(zero, zero, ball).item() == pytest.approx(2 * math.log(2))
    # D(s) = ∞ and D(t) = −∞: both domains are told for certain, and nothing is lost.
    assert domain_loss(torch.full((1, 3), 50.0), torch.full((1, 3), -50.0), None).item() == pytest.approx(
        0, abs=1e-9
    )
    # Trimming a quarter of four: the most certain one (logit −9) goes, the others count 4/3.
    target = torch.tensor([[-9.0, 0.0, 1.0, 2.0]])
    rest = sum(math.log1p(math.exp(d)) for d in (0.0, 1.0, 2.0)) / 3
    found = domain_loss(torch.zeros(1, 4), target, CvarBall(share=0.25))
    assert found.item() == pytest.approx(math.log(2) + rest)


def test_weights_raise_the_domain_loss_as_the_learner_does_and_never_lower_it():
    # W = argmax over a ball that holds W = 1: the weighted loss is at least the plain one, more in a larger ball.
    logits = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    values = [domain_loss(logits, -logits, None)]
    values += [domain_loss(logits, -logits, ChiSquareBall(rho=rho)) for rho in (0.01, 0.1, 1.0)]
    for smaller, larger in pairwise(values):
        assert (larger > smaller).all()


def test_the_domain_losss_gradient_is_the_envelopes():
    # d/dD(t_i) of max_W E W softplus(D(t)) is W_i σ(D(t_i)) / m: central differences in float64 agree.
    ball = ChiSquareBall(rho=rho_for(0.2))
    source = torch.zeros(1, 4, dtype=torch.float64)
    target = torch.tensor([[-2.0, 0.3, 1.0, -0.5, 0.1]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(domain_loss(source, target, ball).sum(), target)
    for i in range(5):
        step = torch.zeros_like(target)
        step[0, i] = 1e-5
        with torch.no_grad():
            rise = domain_loss(source, target + step, ball) - domain_loss(source, target - step, ball)
        assert slope[0, i].item() == pytest.approx(rise.item() / 2e-5, rel=1e-6)


def test_who_is_surely_of_the_target_has_a_high_score():
    scores = outlier_scores(torch.tensor([[-5.0, 0.0, 5.0]]))[0]
    assert scores[0] > scores[1] > scores[2]
    assert scores.tolist() == pytest.approx([-math.log1p(math.exp(d)) for d in (-5, 0, 5)])


def test_a_planted_outlier_gets_a_light_weight_once_the_discriminator_separates_it():
    # Source and target are the same images, but for 12 of 60 that are black and white noise of full contrast: the
    # discriminator can only separate those, and finds them on both networks' own training.
    data = pair()
    planted = data.source.clone()
    planted[:12] = (images(12, 9) > 127).to(torch.uint8) * 255
    ball = ChiSquareBall(rho=rho_for(0.2))
    game = problem(target=planted, ball=ball, steps=40, batch=20)
    seen: list[float] = []

    def look(step, state):
        features = game.networks.features(state, (planted.float() / 127.5 - 1).expand(2, *planted.shape))
        scores = outlier_scores(game.networks.discriminator(state, features).detach()).numpy()
        seen.append(min(auroc(row, np.arange(60) < 12) for row in scores))

    train(game, seeds=range(2), steps=40, look=look, looks=4)
    assert max(seen) > 0.95


def test_a_fleet_of_one_is_a_fleet_of_many():
    game = problem(ball=ChiSquareBall(rho=0.1))
    many = train(game, seeds=(0, 1), steps=2, look=lambda *_: None)
    for i in range(2):
        alone = train(game, seeds=(i,), steps=2, look=lambda *_: None)
        for key, tensor in member(many, i).items():
            torch.testing.assert_close(tensor, alone[key], rtol=1e-3, atol=1e-4)


def test_methods_of_one_seed_start_and_draw_alike():
    plain, adversarial = problem(adversarial=False), problem()
    first, second = plain.init(generators(3)), adversarial.init(generators(3))
    assert all(torch.equal(first[key], second[key]) for key in first)
    one, two = plain.batches(generators(5)), adversarial.batches(generators(5))
    for _ in range(8):
        mine, theirs = next(one), next(two)
        assert next(two) is theirs  # both players of a step see one batch
        assert torch.equal(mine.source, theirs.source) and torch.equal(mine.labels, theirs.labels)


def test_another_target_leaves_the_draws_of_the_source():
    short, long = problem(), problem(target=images(45, 7))
    for a, b in zip(short.batches(generators(1)), long.batches(generators(1)), strict=False):
        assert torch.equal(a.source, b.source)
        if a.progress > 0.5:
            break


def test_an_epoch_of_batches_has_every_image_once():
    source = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1).expand(20, 1, SIZE, SIZE).contiguous()
    batches = AdaptationBatches(
        source=source,
        labels=torch.arange(20),
        target=source,
        generators=generators(0, 1),
        batch=5,
        steps=8,
        repeats=1,
    )
    drawn = [next(batches) for _ in range(8)]
    labels = torch.cat([batch.labels for batch in drawn[:4]], dim=1)
    assert all(sorted(row.tolist()) == list(range(20)) for row in labels)
    assert [batch.progress for batch in drawn] == [i / 8 for i in range(8)]


def test_the_learners_objective_falls_where_the_discriminators_rises():
    # λ(1) = 0.9999: the learner's gradient by the features is the class loss's minus the discriminator's.
    game = problem()
    state = game.init(generators(0, 1))
    batch = replace(next(iter(game.batches(generators(2, 3)))), progress=1.0)
    values = game.objective(state, batch)
    plain = replace(game, adversarial=False).objective(state, batch)[LEARNER]
    torch.testing.assert_close(values[LEARNER], plain - reversal(1.0) * values[DISCRIMINATOR])


def test_the_discriminators_step_leaves_the_learner_alone():
    game = problem(ball=ChiSquareBall(rho=0.1))
    state = game.init(generators(0))
    scheme = Simultaneous(steps=Steps(by_player={LEARNER: 1e-30, DISCRIMINATOR: 1e-2}))
    moved, _ = scheme.step(game, state, scheme.init(game, state), game.batches(generators(1)))
    for key in (*game.player(LEARNER).keys, *game.player(DISCRIMINATOR).keys):
        assert torch.allclose(state[key], moved[key], atol=1e-12) != key.startswith("discriminator."), key


def test_schedules():
    assert reversal(0) == 0 and reversal(1) == pytest.approx(1, abs=1e-4)
    assert annealing(0) == 1 and annealing(1) == pytest.approx(11**-0.75)


def test_class_accuracy_is_a_mean_over_classes_and_not_over_images():
    # Nine of class 0, all right; one of class 1, wrong; none of class 2; one image that does not count.
    predicted, labels = np.zeros((1, 11), dtype=np.int64), np.array([0] * 9 + [1, -1])
    found = class_accuracy(predicted, labels, 3)[0]
    assert found[:2].tolist() == [1.0, 0.0] and math.isnan(found[2])


def test_auroc_counts_pairs_and_half_of_ties():
    # Positives 3 and 1 against 2 and 1: wins 3>2, 3>1, loses 1<2, ties 1=1: 2.5 of 4.
    assert auroc(np.array([3.0, 1.0, 2.0, 1.0]), np.array([True, True, False, False])) == 2.5 / 4
    assert math.isnan(auroc(np.ones(2), np.array([True, True])))


def test_targets_hold_what_their_case_says():
    data = pair(n=90)
    found = {
        case: make_target(data.target, data.target_labels, case=case, share=0.2, known=2, others=others)
        for case, others in (
            ("clean", None), ("noise", None), ("cluster", None), ("duplicates", None), ("images", images(30, 5)),
            ("foreign", None), ("missing", None),
        )
    }  # fmt: skip
    assert not found["clean"].outliers.any() and torch.equal(found["clean"].images, data.target)
    for case in ("noise", "cluster", "duplicates", "images"):
        assert int(found[case].outliers.sum()) == 18
        kept = ~found[case].outliers
        assert torch.equal(found[case].images[kept], data.target[kept])
    assert torch.equal(found["foreign"].images, data.target)
    assert torch.equal(found["foreign"].outliers, data.target_labels == 2)
    assert len(found["missing"].images) == 60 and not found["missing"].outliers.any()
    assert all(torch.equal(each.outliers, each.labels < 0) for each in found.values())
    # An image of a class that the source never knew (−1) is of none of the first classes either.
    own = torch.where(data.target_labels == 0, -1, data.target_labels)
    missing = make_target(data.target, own, case="missing", known=2)
    assert torch.equal(missing.images, data.target[own == 1]) and not missing.outliers.any()


@pytest.mark.parametrize("case", ["clean", "noise"])
def test_no_label_of_the_target_enters_training(case):
    data = pair()
    shuffled = replace(
        data, target_labels=data.target_labels.roll(7), target_test_labels=data.target_test_labels.roll(7)
    )
    options: dict[str, Any] = {
        "case": case,
        "method": "robust",
        "share": 0.2,
        "known": 0,
        "seeds": 2,
        "steps": 3,
        "batch": 20,
    }
    one, two = train_case(data, **options), train_case(shuffled, **options)
    # The same weights on the target, the same accuracy on the source: the networks are the same.
    np.testing.assert_array_equal(one.arrays["weights"], two.arrays["weights"])
    assert one.numbers["source accuracy"] == two.numbers["source accuracy"]
    assert one.numbers["auroc"] == two.numbers["auroc"] or case == "clean"
    assert not np.array_equal(one.arrays["class accuracy"], two.arrays["class accuracy"])


def test_training_learns_the_source_and_alternation_is_saddles():
    game = problem(adversarial=False, steps=80, batch=20)
    state = train(game, seeds=(0,), steps=80, look=lambda *_: None)
    logits = game.networks.classifier(
        state, game.networks.features(state, (game.source.float() / 127.5 - 1)[None])
    )
    assert (logits.argmax(2)[0] == game.labels).float().mean() > 0.95
    assert isinstance(Alternating(steps=Steps.equal(1e-3)).init(game, state), dict)
