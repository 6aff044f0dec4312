"""Who finds which outliers: AUROC of outlier rankings on points, digits and photographs, several seeds each.

    python benchmarks/outlier_detectors.py --out results/outlier_detectors.json [--shared ../shared/data]

Contaminated sample X of n = 200 with the share 5 % of outliers, clean reference Y of 200; every detector gets the
features that `saddle outliers` uses. Points and digits always run; photographs (CIFAR-10 with MNIST digits, faces of
CelebA, the class frog, or copies of one photograph among them) where the shared data are. About a minute on one free core.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.utils import Bunch

from saddle.sklearn import BalancedRowCostDetector, TransportOutlierDetector

N, SHARE, CLASS = 200, 0.05, 6
Case = tuple[np.ndarray, np.ndarray, np.ndarray]
"X, Y, and which rows of X are outliers."


def neighbours(x: np.ndarray, among: np.ndarray | None, k: int = 5) -> np.ndarray:
    """Distance to the k-th neighbour in `among`, or in `x` itself."""
    fitted = NearestNeighbors(n_neighbors=k).fit(x if among is None else among)
    return fitted.kneighbors(None if among is None else x)[0][:, -1]


def detectors(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Outlier scores by every detector."""
    return {
        "robust transport to Y": -TransportOutlierDetector(SHARE).fit(x, reference=y).score_samples(x),
        "balanced row cost to Y": -BalancedRowCostDetector(SHARE).fit(x, reference=y).score_samples(x),
        "kNN in Y": neighbours(x, y),
        "isolation forest on Y": -IsolationForest(random_state=seed).fit(y).score_samples(x),
        "LOF on Y": -LocalOutlierFactor(novelty=True).fit(y).score_samples(x),
        "robust transport, no Y": -TransportOutlierDetector(SHARE).fit(x).score_samples(x),
        "kNN in X": neighbours(x, None),
        "isolation forest on X": -IsolationForest(random_state=seed).fit(x).score_samples(x),
        "LOF on X": -LocalOutlierFactor().fit(x).negative_outlier_factor_,
    }


def joined(good: np.ndarray, bad: np.ndarray, reference: np.ndarray) -> Case:
    return np.concatenate([good, bad]), reference, np.arange(len(good) + len(bad)) >= len(good)


def points(kind: str) -> Callable[[int], Case]:
    """A standard Gaussian in the plane, and outliers."""

    def case(seed: int) -> Case:
        random, k = np.random.default_rng(seed), round(SHARE * N)
        good, reference = random.normal(size=(N - k, 2)), random.normal(size=(N, 2))
        bad = {
            "far clump": np.array([6, 6]) + 0.2 * random.normal(size=(k, 2)),
            "tight clump 1.5 sd from the middle": np.array([1.5, 0]) + 0.05 * random.normal(size=(k, 2)),
            "tight clump 1 sd from the middle": np.array([1, 0]) + 0.05 * random.normal(size=(k, 2)),
            "uniform on [-5, 5]²": random.uniform(-5, 5, (k, 2)),
        }[kind]
        return joined(good, bad, reference)

    return case


def features_of(images: np.ndarray, name: str) -> np.ndarray:
    """Features of uint8 images (n, c, h, w)."""
    import torch

    from saddle.metrics import make_extractor

    extractor = make_extractor(name, size=images.shape[-1], channels=images.shape[1])
    return extractor(torch.from_numpy(images)).double().numpy()


def drawn(
    pool: np.ndarray, labels: np.ndarray, others: np.ndarray, kind: str, features: str
) -> Callable[[int], Case]:
    """Good samples and the reference from `pool`; outliers from `others`, a class of its own, or copies of one."""
    from saddle.studies.outliers.scaling import scaled

    def case(seed: int) -> Case:
        random, k = np.random.default_rng(seed), round(SHARE * N)
        at = random.permutation(len(pool))
        if kind == "class":
            bad, at = pool[at[labels[at] == CLASS][:k]], at[labels[at] != CLASS]
        elif kind == "copies":
            bad = pool[at[-1]] + 1e-3 * pool.std() * random.normal(size=(k, pool.shape[1]))
        else:
            bad = others[random.permutation(len(others))[:k]]
        x, y, outlier = joined(pool[at[: N - k]], bad, pool[at[N : 2 * N]])
        a, b = scaled(x, y, features=features)
        assert b is not None
        return a, b, outlier

    return case


def digit_cases() -> Iterator[tuple[str, Callable[[int], Case]]]:
    digits = cast(Bunch, load_digits())
    images = np.rint(digits.images * 255 / 16).astype(np.uint8)[:, None]
    noise = np.random.default_rng(0).integers(0, 256, (100, 1, 8, 8), dtype=np.uint8)
    pool, other = features_of(images, "random"), features_of(noise, "random")
    for kind, words in (
        ("noise", "noise"),
        ("class", f"digit {CLASS} among the others"),
        ("copies", "copies of one digit"),
    ):
        yield f"digits: {words}", drawn(pool, digits.target, other, kind, "random")


def photo_cases(shared: Path) -> Iterator[tuple[str, Callable[[int], Case]]]:
    from saddle.data import read_images

    def images(name: str, limit: int) -> np.ndarray:
        return read_images(shared / name, resize=32, channels=3, limit=limit).images.numpy()

    photos = read_images(shared / "cifar10.npz", limit=500)
    assert photos.labels is not None
    name = "efficientnet-lite0"
    pool, labels = features_of(photos.images.numpy(), name), photos.labels.numpy()
    for file, words in (("mnist.npz", "MNIST digits"), ("celeba10k.npz", "CelebA faces")):
        yield f"CIFAR-10: {words}", drawn(pool, labels, features_of(images(file, 40), name), "set", name)
    yield "CIFAR-10: frogs among the other classes", drawn(pool, labels, pool, "class", name)
    yield "CIFAR-10: copies of one photograph", drawn(pool, labels, pool, "copies", name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    cases = [
        (f"points: {kind}", points(kind))
        for kind in (
            "far clump",
            "tight clump 1.5 sd from the middle",
            "tight clump 1 sd from the middle",
            "uniform on [-5, 5]²",
        )
    ]
    cases += list(digit_cases())
    if (options.shared / "cifar10.npz").exists():
        cases += list(photo_cases(options.shared))
    begun, results = time.perf_counter(), {}
    for name, case in cases:
        found: dict[str, list[float]] = {}
        for seed in range(options.seeds):
            x, y, outlier = case(seed)
            for detector, score in detectors(x, y, seed).items():
                found.setdefault(detector, []).append(round(float(roc_auc_score(outlier, score)), 4))
        results[name] = found
        means = "  ".join(f"{detector} {np.mean(values):.3f}" for detector, values in found.items())
        print(f"{name}: {means}", flush=True)
    if options.out:
        answer = {
            "n": N,
            "share": SHARE,
            "seeds": options.seeds,
            "seconds": round(time.perf_counter() - begun, 1),
            "auroc": results,
        }
        options.out.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
