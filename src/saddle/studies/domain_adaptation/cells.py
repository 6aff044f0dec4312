"""What the study `domain-adaptation` computes: all seeds of one method on one target a cell."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from saddle.core.state import State
from saddle.studies.cell import Cell, CellResult
from saddle.studies.domain_adaptation.config import DomainAdaptationConfig, Method, TargetCase
from saddle.studies.domain_adaptation.domains import Pair, read_others, read_pair
from saddle.studies.domain_adaptation.networks import Networks, make_networks
from saddle.studies.domain_adaptation.problem import AdaptationProblem, outlier_scores
from saddle.studies.domain_adaptation.scores import auroc, class_accuracy, domain_logits, predictions
from saddle.studies.domain_adaptation.targets import Target, make_target, scored
from saddle.studies.domain_adaptation.training import train
from saddle.transport import Ball, ChiSquareBall, CvarBall, rho_for, weights

__all__ = ["CACHE", "VERSION", "cell_name", "cells_of", "compute", "train_case"]

VERSION = "1"
CACHE = "cache"
"Folder of the prepared images, in the study's own."
LOOKED = 2000
"Target images on which weights and the course of accuracy are looked at."
SHOWN = 32
"Images with the smallest weights that are kept to be shown."


def cell_name(pair: str, case: TargetCase, method: Method) -> str:
    """Training on the source sees no target, so it has one cell a pair, and one where it knows fewer classes."""
    if method == "source":
        return f"{pair}, source-only{' of fewer classes' if case == 'foreign' else ''}"
    return f"{pair}, {case}, {method}"


def cells_of(config: DomainAdaptationConfig, data: Mapping[str, Mapping[str, str]]) -> list[Cell]:
    """The cells; `data` has for every pair the digests of its prepared images and of the other images."""
    found: dict[str, Cell] = {}
    for pair in config.chosen_pairs:
        for case in config.contaminations:
            for method in config.chosen_methods:
                name = cell_name(pair, case, method)
                found.setdefault(
                    name, Cell(name=name, settings=_settings(config, data[pair], case, method), weight=_weight(method))
                )  # fmt: skip
    return list(found.values())


def _settings(
    config: DomainAdaptationConfig, data: Mapping[str, str], case: TargetCase, method: Method
) -> dict[str, Any]:
    if method == "source" and case != "foreign":
        case = "clean"
    fewer = case in ("foreign", "missing")
    return {
        "case": case,
        "method": method,
        "share": 0.0 if method == "source" or (case == "clean" and method == "adversarial") else config.share,
        "known": config.known if fewer else 0,
        "seeds": config.seeds,
        "steps": config.steps,
        "batch": config.batch,
        "images": data["images"],
        "others": data["others"] if case == "images" else "",
    }


def _weight(method: Method) -> float:
    return 1.0 if method == "source" else 2.5


def compute(cell: Cell) -> CellResult:
    assert cell.out is not None, "the prepared images lie in the study's folder"
    settings, folder = cell.settings, cell.out / CACHE
    pair = read_pair(folder / f"{settings['images']}.npz")
    others = read_others(folder / f"{settings['others']}.npz") if settings["others"] else None
    return train_case(
        pair, others=others, **{k: v for k, v in settings.items() if k not in ("images", "others")}
    )


def train_case(
    pair: Pair,
    *,
    case: TargetCase,
    method: Method,
    share: float | int,
    known: int,
    seeds: int,
    steps: int,
    batch: int,
    others: Tensor | None = None,
) -> CellResult:
    """Train all seeds of one method on one target, and score the state after the last step.

    Labels of the target choose what the case *is* (its foreign and missing classes) and score what was learned;
    training sees `Target.images` and nothing else of them.
    """
    target = make_target(pair.target, pair.target_labels, case=case, share=share, known=known, others=others)
    kept = pair.source_labels < known if case == "foreign" else torch.ones(len(pair.source), dtype=torch.bool)
    count = known if case == "foreign" else len(pair.classes)
    channels, size = pair.source.shape[1], pair.source.shape[-1]
    networks = make_networks(size=size, channels=channels, classes=count)
    problem = AdaptationProblem(
        networks=networks,
        source=pair.source[kept],
        labels=pair.source_labels[kept],
        target=target.images,
        adversarial=method != "source",
        ball=_ball(method, share, target) if method in ("robust", "trim") else None,
        batch=batch,
        steps=steps,
    )
    course = _Course(pair, networks, target, case=case, known=known, classes=count, problem=problem)
    state = train(problem, seeds=range(seeds), steps=steps, look=course.look)
    return course.result(state, share)


def _ball(method: Method, share: float | int, target: Target) -> Ball:
    """The smallest ball whose weights can remove the share; of foreign classes the true share, as a user would guess it."""
    removed = float(target.outliers.float().mean()) or share
    return ChiSquareBall(rho=rho_for(removed)) if method == "robust" else CvarBall(share=removed)


class _Course:
    """Scores along the way, for the page alone, and at the end."""

    def __init__(
        self, pair: Pair, networks: Networks, target: Target, *, case: TargetCase, known: int, classes: int,
        problem: AdaptationProblem,
    ) -> None:  # fmt: skip
        self._pair, self._networks, self._target, self._problem = pair, networks, target, problem
        self._classes = classes
        self._labels = scored(pair.target_test_labels, case=case, known=known)
        self._steps: list[int] = []
        self._accuracy: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []

    def look(self, step: int, state: State) -> None:
        self._steps.append(step)
        few = slice(None, LOOKED)
        self._accuracy.append(self._on(state, self._pair.target_test[few], self._labels[few]))
        if self._problem.adversarial:
            self._weights.append(self._weigh(state))

    def result(self, state: State, share: float | int) -> CellResult:
        pair, networks = self._pair, self._networks
        predicted, confidence = predictions(networks, state, pair.target_test)
        labels = self._labels.numpy()
        accuracies = class_accuracy(predicted, labels, self._classes)
        source = self._source_labels()
        numbers: dict[str, Any] = {
            "accuracy": _means(accuracies),
            "share right": (predicted == labels)[:, labels >= 0].mean(1).tolist(),
            "source accuracy": self._on(state, pair.source_test, source).tolist(),
            "n test": int((labels >= 0).sum()),
            "n source": len(self._problem.source),
            "n target": len(self._target.images),
            "outliers": float(self._target.outliers.float().mean()),
            "foreign by doubt": [auroc(-row, labels < 0) for row in confidence],
            "digits": pair.source.shape[-1],
        }
        arrays: dict[str, np.ndarray] = {
            "class accuracy": accuracies,
            "course steps": np.array(self._steps),
            "course accuracy": np.stack(self._accuracy),
        }
        few = slice(None, LOOKED)
        inliers, _ = predictions(networks, state, self._target.images[few])
        numbers["inlier accuracy"] = _means(
            class_accuracy(inliers, self._target.labels[few].numpy(), self._classes)
        )
        if self._problem.adversarial:
            self._add_weights(state, numbers, arrays)
        return CellResult(numbers=numbers, arrays=arrays)

    def _add_weights(self, state: State, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        outliers = self._target.outliers[:LOOKED].numpy()
        mean = np.mean(self._weights, axis=0)
        logits = domain_logits(self._networks, state, self._target.images[:LOOKED])
        last = outlier_scores(logits).numpy()
        source = domain_logits(self._networks, state, self._pair.source_test[:LOOKED])
        numbers["told apart"] = ((logits < 0).float().mean(1) / 2 + (source > 0).float().mean(1) / 2).tolist()
        numbers["auroc last"] = [auroc(row, outliers) for row in last]
        if self._problem.ball is not None:
            numbers["auroc"] = [auroc(-row, outliers) for row in mean]
            numbers["outlier weight"] = [_or_nan(row[outliers]) for row in mean]
            # The seeds' mean: an image that one network mistrusts by chance is not shown.
            lightest = np.argsort(mean.mean(0), kind="stable")[:SHOWN]
            arrays["weights"] = mean.astype(np.float32)
            arrays["outliers"] = outliers
            arrays["lightest"] = self._target.images[:LOOKED].numpy()[lightest]
            arrays["lightest outliers"] = outliers[lightest]
            arrays["lightest weights"] = mean.mean(0)[lightest].astype(np.float32)

    def _weigh(self, state: State) -> np.ndarray:
        if self._problem.ball is None:
            return np.ones(0)
        scores = outlier_scores(domain_logits(self._networks, state, self._target.images[:LOOKED]))
        found = weights(scores, ball=self._problem.ball)
        assert isinstance(found, Tensor)
        return found.numpy()

    def _on(self, state: State, images: Tensor, labels: Tensor) -> np.ndarray:
        predicted, _ = predictions(self._networks, state, images)
        return np.array(_means(class_accuracy(predicted, labels.numpy(), self._classes)))

    def _source_labels(self) -> Tensor:
        labels = self._pair.source_test_labels
        return torch.where(labels < self._classes, labels, -1)


def _means(accuracies: np.ndarray) -> list[float]:
    """The mean over the classes that there are, a member."""
    there = ~np.isnan(accuracies).all(0)
    return accuracies[:, there].mean(1).tolist() if there.any() else [math.nan] * len(accuracies)


def _or_nan(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
