"""What a worker process measures on finished runs about outliers: whom they trusted, and what they generate.

`extras/trust.json` of a run holds

    running, final      of the run's weights of its training images (`trust.npz`), where it is robust: how they are spread,
                        and where the truth is known the AUROC of "light means outlier" and the outliers' share of the weight
    generated           where the truth is known: the share of generated images that a classifier calls outliers
    histogram           counts of the running weights, clean images (or all) and known outliers apart

and beside it `extras/trust.npz` the images that the run trusted least.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from saddle.data import ImageSet, Split
from saddle.gan.saved import draw, open_run
from saddle.gan.trust import TRUST, read_trust
from saddle.metrics import FeatureExtractor
from saddle.runs import RunFolder, Stopped, stopping
from saddle.studies.width_sweep.extra_files import read_extra, write_extra
from saddle.studies.width_sweep.images import load_images
from saddle.studies.width_sweep.least_trusted import BINS, LeastTrusted, write_least_trusted
from saddle.studies.width_sweep.scorer_cache import build_scorer

__all__ = ["OutlierClassifier", "measure_trust", "trust_settings", "weight_numbers"]

GENERATED, CLEAN, HELD_OUT = 5000, 5000, 0.3
LATENT_SEED = 1_000_003
"Drawn images are those of this number plus the run's seed: none of those that a user draws with small seeds."


def trust_settings(step: int) -> dict[str, Any]:
    """What decides a run's numbers besides its configuration and weights."""
    return {"generated": GENERATED, "clean": CLEAN, "held_out": HELD_OUT, "step": step}


def measure_trust(
    *, root: str, runs: list[str], weights: str | None, device: str, report: Callable[..., None]
) -> None:
    """Measure the run folders `runs` under `root`, all trained on the same images, one after the other.

    Raises `Stopped` between two runs when a stop was asked for.
    """
    folder = Path(root)
    config = RunFolder.open(folder / runs[0]).config
    split = load_images(folder / "cache", config["data"]["train"], config["data"]["test"])
    known = split.train.outliers
    classifier = None
    if known is not None:
        report(0, len(runs), "telling outliers from clean images")
        cache, where = folder / "cache", torch.device(device)
        extractor = build_scorer(config["metrics"], split, cache, where, weights=weights).extractor
        classifier = OutlierClassifier.fit(split, extractor)
    for place, name in enumerate(runs):
        if stopping():
            raise Stopped("stopped; the same command measures what is left")
        report(place, len(runs), "what the training ignored")
        run = RunFolder.open(folder / name)
        saved = open_run(run.path)
        settings = trust_settings(saved.step)
        if read_extra(run.path, "trust", settings) is not None:
            continue
        numbers: dict[str, Any] = {}
        stored = read_trust(run.path / TRUST, len(split.train))
        if stored is not None and stored.step == saved.step:
            truth = None if known is None else known.numpy()
            numbers["running"] = weight_numbers(stored.weights, truth)
            numbers["histogram"] = histogram(stored.weights, truth)
            write_least_trusted(run.path, LeastTrusted.of(stored.weights, split.train, saved.step))
            numbers["visits"] = {"least": int(stored.visits.min()), "most": int(stored.visits.max())}
            if stored.final is not None:
                numbers["final"] = weight_numbers(stored.final, truth)
        if classifier is not None:
            images = draw(saved, GENERATED, seed=LATENT_SEED + run.config["seed"], device=_device(device))
            numbers["generated"] = classifier.judge(images)
        write_extra(run.path, "trust", settings, numbers)


def weight_numbers(
    weights: Float[np.ndarray, " n"], outliers: Bool[np.ndarray, " n"] | None
) -> dict[str, float | int]:
    """Effective share and chi-square of weights, and what they make of known outliers."""
    w = weights.astype(np.float64)
    found: dict[str, float | int] = {
        "n": len(w),
        "least": float(w.min()),
        "most": float(w.max()),
        "chi_square": float(np.square(w / w.mean() - 1).mean() / 2),
        "below_half": float((w < 0.5 * w.mean()).mean()),
    }
    if outliers is not None and outliers.any() and not outliers.all() and np.isfinite(w).all():
        found |= {
            "auroc": float(roc_auc_score(outliers.tolist(), (-w).tolist())),
            "outlier_weight": float(w[outliers].mean()),
            "clean_weight": float(w[~outliers].mean()),
            "outlier_mass": float(w[outliers].sum() / w.sum()),
            "outlier_share": float(outliers.mean()),
        }
    return found


def histogram(
    weights: Float[np.ndarray, " n"], outliers: Bool[np.ndarray, " n"] | None
) -> dict[str, list[float] | list[int]]:
    """Edges of equal bins from 0 to the largest weight, and how many images of either kind are in each."""
    top = max(float(weights.max(initial=0.0)), 1.0)
    known = np.zeros(len(weights), bool) if outliers is None else outliers
    counts = [np.histogram(weights[part], bins=BINS, range=(0.0, top))[0] for part in (~known, known)]
    return {
        "edges": np.linspace(0, top, BINS + 1).tolist(),
        "clean": counts[0].tolist(),
        "outliers": counts[1].tolist(),
    }


@final
@dataclass(frozen=True, kw_only=True)
class OutlierClassifier:
    """Logistic regression between clean and contaminating training images, in the features of the run's scores.

    Both kinds weigh the same. It knows the truth, so it is for measuring, not for training.
    """

    extractor: FeatureExtractor
    model: Any
    accuracy: float
    "Balanced, on held-out images of both kinds."
    found: float
    "Share of held-out outliers that it calls so."
    clean_test: float
    "Share of the clean test images that it calls outliers: what no contamination at all would give."
    held_out: tuple[int, int]
    "Held-out outliers and clean test images behind these."

    @classmethod
    def fit(cls, split: Split, extractor: FeatureExtractor) -> "OutlierClassifier":
        """Train on 70 % of the known outliers and as much of at most 5,000 clean training images."""
        known = split.train.outliers
        assert known is not None, "without the truth there is nothing to learn"
        random = np.random.default_rng(0)
        kinds = [random.permutation(np.flatnonzero(known.numpy() == kind))[:CLEAN] for kind in (False, True)]
        assert min(map(len, kinds)) > 1, "a set holds images of both kinds"
        held = [at[: max(1, round(HELD_OUT * len(at)))] for at in kinds]
        used = [at[len(gone) :] for at, gone in zip(kinds, held, strict=True)]
        rows, kind = _rows(split.train, used, extractor)
        model = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000, C=0.1)
        )
        model.fit(rows, kind)
        said = [_called(model, extractor, split.train.subset(at.tolist())) for at in held]
        test = split.test
        if len(test) > CLEAN:
            test = test.subset(np.sort(random.permutation(len(test))[:CLEAN]).tolist())
        return cls(
            extractor=extractor,
            model=model,
            accuracy=(1 - said[0] + said[1]) / 2,
            found=said[1],
            clean_test=_called(model, extractor, test),
            held_out=(len(held[1]), len(test)),
        )

    def judge(self, images: torch.Tensor) -> dict[str, float | int]:
        """The share of generated `images` (uint8) that it calls outliers, beside its own errors.

        `corrected = (share − clean_test) / (found − clean_test)`, cut to [0, 1]: the share that would explain it.
        """
        share = float(self.model.predict(self.extractor(images).numpy()).mean())
        gap = self.found - self.clean_test
        return {
            "share": share,
            "corrected": float(np.clip((share - self.clean_test) / gap, 0, 1)) if gap > 0 else float("nan"),
            "n": len(images),
            "accuracy": self.accuracy,
            "found": self.found,
            "clean_test": self.clean_test,
            "n_outliers": self.held_out[0],
            "n_test": self.held_out[1],
        }


def _called(model: Any, extractor: FeatureExtractor, images: ImageSet) -> float:
    """The share of `images` that the model calls outliers."""
    return float(model.predict(extractor(images.images).numpy()).mean())


def _rows(
    images: ImageSet, kinds: list[np.ndarray], extractor: FeatureExtractor
) -> tuple[np.ndarray, np.ndarray]:
    rows = [extractor(images.subset(at.tolist()).images).numpy() for at in kinds]
    return np.concatenate(rows), np.repeat([0, 1], [len(each) for each in rows])


def _device(device: str) -> Any:
    return "cuda" if device == "cuda" else "cpu"
