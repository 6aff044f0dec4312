"""What a worker process measures on finished runs: whether samples are copies, with pictures of the nearest images."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saddle._files import write_bytes
from saddle.data import ImageSet, Split
from saddle.gan.saved import draw, open_run
from saddle.metrics import FeatureExtractor
from saddle.metrics.features import cached_features
from saddle.metrics.memorisation import copying_score, memorisation
from saddle.metrics.neighbours import nearest
from saddle.runs import RunFolder, Stopped, stopping
from saddle.studies.width_sweep.extra_files import extra_path, read_extra, write_extra
from saddle.studies.width_sweep.images import load_images
from saddle.studies.width_sweep.scorer_cache import build_scorer

__all__ = ["measure_memorisation", "memorisation_settings"]

FAKES, REAL, SHOWN, NEAREST = 1000, 10_000, 8, 3


def memorisation_settings(step: int) -> dict[str, Any]:
    """What decides a run's numbers besides its configuration and weights."""
    return {"fakes": FAKES, "real": REAL, "step": step}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Space:
    """Training and held-out images in one space, and how far the latter are from the former."""

    embed: Callable[[UInt8[Tensor, "n c h w"]], Float[Tensor, "n d"]]
    train: Float[Tensor, "n d"]
    test: Float[Tensor, "t d"]

    def neighbours(self, fake: Float[Tensor, "m d"]) -> Tensor:
        """Indices of the nearest training images of the first samples."""
        return nearest(fake[:SHOWN], self.train, min(NEAREST, len(self.train)))[0]


def measure_memorisation(
    *, root: str, runs: list[str], weights: str | None, device: str, report: Callable[..., None]
) -> None:
    """Measure the run folders `runs` under `root`, one after the other: `extras/memorisation.json` and `.npz`.

    1,000 samples of each run against at most 10,000 training and 10,000 held-out images, in the features of the sweep's
    scores and in pixels. Raises `Stopped` between two runs when a stop was asked for.
    """
    folder = Path(root)
    config = RunFolder.open(folder / runs[0]).config
    split = load_images(folder / "cache", config["data"]["train"], config["data"]["test"])
    split = Split(train=_some(split.train), test=_some(split.test))
    report(0, len(runs), "features of the real images")
    scorer = build_scorer(config["metrics"], split, folder / "cache", torch.device(device), weights=weights)
    features, pixels = _features(scorer.extractor, split, folder / "cache"), _pixels(split)
    far = nearest(pixels.test, pixels.train, 1)[1][:, 0]
    for place, name in enumerate(runs):
        if stopping():
            raise Stopped("stopped; the same command measures what is left")
        report(place, len(runs), "nearest neighbours")
        run = RunFolder.open(folder / name)
        saved = open_run(run.path)
        settings = memorisation_settings(saved.step)
        if read_extra(run.path, "memorisation", settings) is not None:
            continue
        fake = draw(saved, FAKES, seed=run.config["seed"], device="cuda" if device == "cuda" else "cpu")
        rows, flat = features.embed(fake), pixels.embed(fake)
        found = asdict(memorisation(rows, features.train, features.test))
        near = nearest(flat, pixels.train, 1)[1][:, 0]
        score, closer = copying_score(near, far)
        in_pixels = {"score": score, "closer": closer, "copies": float((near == 0).double().mean())}
        _write_pictures(
            run.path, fake[:SHOWN], split.train.images, features.neighbours(rows), pixels.neighbours(flat)
        )
        numbers = found | {"features": scorer.extractor.name, "pixels": in_pixels}
        write_extra(run.path, "memorisation", settings, numbers)


def _some(images: ImageSet, most: int = REAL) -> ImageSet:
    """At most `most` of the images, always the same."""
    if len(images) <= most:
        return images
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:most])
    return images.subset(torch.from_numpy(chosen))


def _features(extractor: FeatureExtractor, split: Split, cache: Path) -> _Space:
    train, test = (
        cached_features(extractor, each.images, each.digest, cache) for each in (split.train, split.test)
    )
    return _Space(embed=extractor, train=train, test=test)


def _pixels(split: Split) -> _Space:
    def embed(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        return images.flatten(1).float()

    # As many held-out images as samples: pixels have many dimensions, and all of them would take minutes.
    test = embed(_some(split.test, FAKES).images)
    return _Space(embed=embed, train=embed(split.train.images), test=test)


def _write_pictures(
    run: Path, samples: Tensor, train: Tensor, by_features: Tensor, by_pixels: Tensor
) -> None:
    """`extras/memorisation.npz`: samples (n c h w), and by features and by pixels their nearest (n k c h w)."""
    buffer = io.BytesIO()
    arrays = {
        "samples": samples,
        "by_features": train[by_features.cpu()],
        "by_pixels": train[by_pixels.cpu()],
    }
    np.savez_compressed(buffer, allow_pickle=False, **{k: v.cpu().numpy() for k, v in arrays.items()})  # type: ignore[arg-type]
    path = extra_path(run, "memorisation").with_suffix(".npz")
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, buffer.getvalue())
