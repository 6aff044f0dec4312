"""From two sets of images to a ranking of the first."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from sklearn.exceptions import ConvergenceWarning

from saddle.data import ImageSet, Split, read_images
from saddle.data.memory import SHARE, available_memory, binary_size
from saddle.errors import UserError
from saddle.metrics import make_extractor
from saddle.metrics.config import MetricsConfig
from saddle.sklearn import BalancedRowCostDetector, TransportOutlierDetector
from saddle.studies.outliers.scaling import scaled
from saddle.studies.width_sweep.scoring import check_features, resolve_features

__all__ = ["Named", "Ranking", "rank", "read_pair"]

ARRAYS = 10
"Arrays of the size of the cost matrix that the solver holds, about."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Named:
    """Images and how their source is called."""

    source: str
    "As the user wrote it."
    images: ImageSet

    def __len__(self) -> int:
        return len(self.images)

    @property
    def files(self) -> tuple[str, ...]:
        """What each image is called: the path of its file, or the source and the row."""
        names = self.images.names or tuple(f"[{i}]" for i in range(len(self)))
        root = self.source if self.source.endswith("/") else self.source + "/"
        return tuple(
            self.source.rstrip("/") + name if name.startswith("[") and not self.of_files else root + name
            for name in names
        )

    @property
    def of_files(self) -> bool:
        """Whether every image is a file of its own below the source."""
        names = self.images.names
        return bool(names) and (Path(self.source).expanduser() / names[0]).is_file()


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Images with scores; arrays are in the order of the images, `order` lists the worst first."""

    photos: Named
    reference: Named | None
    contamination: float
    features: str
    dim: int
    detector: TransportOutlierDetector
    baseline: BalancedRowCostDetector
    score: Float64[np.ndarray, " n"]
    "Minus the potential: higher is more normal."
    weight: Float64[np.ndarray, " n"]
    row_cost: Float64[np.ndarray, " n"]
    "What the image pays in the balanced transport."
    flagged: Bool[np.ndarray, " n"]
    flagged_by_cost: Bool[np.ndarray, " n"]
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()

    @property
    def order(self) -> Int64[np.ndarray, " n"]:
        """The images, the least trusted first."""
        return np.argsort(self.score, kind="stable")


def read_pair(photos: str, reference: str | None, **options: Any) -> tuple[Named, Named | None]:
    """Read both sets and see that they fit together; grey images beside coloured ones count as grey RGB.

    Raises:
        UserError: see `read_images`; fewer than two images; different sizes.
    """
    ranked = read_images(photos, **options)
    if len(ranked) < 2:
        raise UserError(f"{photos} holds one image, and a ranking needs at least two.")
    if reference is None:
        return Named(source=photos, images=ranked), None
    trusted = read_images(reference, **options)
    if len(trusted) < 2:
        raise UserError(f"--reference {reference} holds one image, and a reference needs at least two.")
    if ranked.size != trusted.size:
        raise UserError(
            f"The images are {ranked.size}x{ranked.size} pixels and those of --reference {trusted.size}x{trusted.size}; "
            f"pass --resize {min(ranked.size, trusted.size)} to bring both to one size."
        )
    if ranked.channels != trusted.channels:
        ranked, trusted = _rgb(ranked), _rgb(trusted)
    return Named(source=photos, images=ranked), Named(source=reference, images=trusted)


def _rgb(images: ImageSet) -> ImageSet:
    return images if images.channels == 3 else replace(images, images=images.images.repeat(1, 3, 1, 1))


def rank(
    photos: Named,
    reference: Named | None,
    *,
    contamination: float,
    features: str = "auto",
    weights: str | None = None,
    max_size: int = 1000,
    device: str = "auto",
    say: Callable[[str], None] = lambda text: None,
) -> Ranking:
    """Rank `photos` by the potential of the robust transport to `reference`, in the space of some features.

    Raises:
        UserError: features that cannot be computed; CUDA that is not there; a problem too large for the memory.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "--device cuda was asked for, but torch sees no CUDA device; use --device cpu or auto."
        )
    _tell_size(len(photos), None if reference is None else len(reference), max_size, say)
    trusted = photos if reference is None else reference
    split = Split(train=trusted.images, test=trusted.images)
    metrics = MetricsConfig(features=features, weights=weights)
    if features == "auto":
        metrics = resolve_features(metrics, split)
        if metrics.features == "classifier":
            # It knows what tells the classes of the clean set apart, not what is foreign to all of them.
            metrics = replace(metrics, features="random")
    check_features(metrics, split)
    extractor = make_extractor(
        metrics.features,
        size=photos.images.size,
        channels=photos.images.channels,
        train=trusted.images,
        weights=None if weights is None else Path(weights),
        device="cuda" if device != "cpu" and torch.cuda.is_available() else "cpu",
        status=say,
    )
    begun = time.perf_counter()
    x = extractor(photos.images.images).double().numpy()
    y = None if reference is None else extractor(reference.images.images).double().numpy()
    computed = time.perf_counter()
    x, y = scaled(x, y, features=extractor.name)
    robust = TransportOutlierDetector(contamination, max_size=max_size)
    baseline = BalancedRowCostDetector(contamination, max_size=max_size)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        robust.fit(x, reference=y)
    solved = time.perf_counter()
    baseline.fit(x, reference=y)
    score, cost = robust.score_samples(x) + 0.0, 0.0 - baseline.score_samples(x)  # no −0
    return Ranking(
        photos=photos,
        reference=reference,
        contamination=contamination,
        features=extractor.name,
        dim=x.shape[1],
        detector=robust,
        baseline=baseline,
        score=score,
        weight=robust.weights_,
        row_cost=cost,
        flagged=score < robust.offset_,
        flagged_by_cost=-cost < baseline.offset_,
        seconds={"features": computed - begun, "transport": solved - computed},
        warnings=tuple(str(each.message) for each in caught if each.category is ConvergenceWarning),
    )


def _tell_size(n: int, m: int | None, max_size: int, say: Callable[[str], None]) -> None:
    """Say what a problem too large to solve whole is replaced by; `m` is None without a reference.

    Raises:
        UserError: even what is solved would not fit into the memory, which is found out before any feature is computed.
    """
    a, b = min(n, max_size), min(n if m is None else m, max_size)
    drawn, free = ARRAYS * 8 * a * b, available_memory()
    against = "their densest part" if m is None else f"{b:,}"
    if drawn > free:
        fits = max(2, math.isqrt(int(SHARE * free / (ARRAYS * 8))))
        raise UserError(
            f"--max-size {max_size} makes a transport problem of {a:,} images against {against}, which takes about "
            f"{binary_size(drawn)} of memory, and {binary_size(free)} are free; pass --max-size {fits} or less: so many "
            "are drawn, and all images are still scored."
        )
    if max(n, m or 0) <= max_size:
        return
    whole = ARRAYS * 8 * n * (n if m is None else m)
    say(
        f"The transport of {n:,} images to {'their densest part' if m is None else f'{m:,}'} would take up to "
        f"{binary_size(whole)}; it is solved on {a:,} of them against {against}, drawn with a fixed seed "
        f"({binary_size(drawn)}), and its potential scores all. --max-size sets how many."
    )
