"""What a worker process measures on finished runs: the neural network divergence of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from saddle.data import Split
from saddle.gan.sampling import standing_statistics
from saddle.gan.saved import SavedGenerator, open_run
from saddle.metrics.divergence import NndConfig, NndStopped, draw_from, neural_divergence
from saddle.runs import RunFolder, Stopped, stopping
from saddle.studies.width_sweep.extra_files import write_extra
from saddle.studies.width_sweep.images import load_images

__all__ = [
    "REFERENCES",
    "drawer",
    "measure_diagnosis",
    "measure_divergence",
    "measure_references",
    "nnd_settings",
    "reference_settings",
]

REFERENCES = ("memorised", "held-out")
"What is no GAN: draws of the training images, and of the held-out images themselves."


def nnd_settings(config: Mapping[str, Any], nnd: NndConfig, step: int) -> dict[str, Any]:
    """What decides a run's divergence besides its weights."""
    return asdict(nnd) | {"test": config["data"]["test"], "seed": config["seed"], "step": step}


def reference_settings(data: Mapping[str, Any], nnd: NndConfig, seeds: Sequence[int]) -> dict[str, Any]:
    """The same of the references, one critic a seed."""
    return asdict(nnd) | {"train": data["train"], "test": data["test"], "seeds": list(seeds)}


def measure_divergence(
    *, root: str, runs: list[str], nnd: dict[str, Any], device: str, report: Callable[..., None]
) -> None:
    """Measure the run folders `runs` under `root`, all of one width, with a fleet of critics, one a run.

    A critic's seed is its run's. Raises `Stopped` when a stop was asked for; nothing is kept then.
    """
    config = NndConfig(**nnd)
    folders = [RunFolder.open(Path(root) / name) for name in runs]
    saved = [open_run(folder.path) for folder in folders]
    split = _images(Path(root), folders[0].config["data"])
    draws = [drawer(each, device) for each in saved]
    seeds = [folder.config["seed"] for folder in folders]
    found = _measured(draws, split, config, seeds, device, report)
    for folder, each, numbers in zip(folders, saved, found, strict=True):
        write_extra(folder.path, "nnd", nnd_settings(folder.config, config, each.step), numbers)


def measure_references(
    *,
    root: str,
    data: dict[str, str],
    seeds: list[int],
    nnd: dict[str, Any],
    device: str,
    report: Callable[..., None],
) -> None:
    """Measure `REFERENCES` against the held-out images, with one critic a seed each: `<root>/extras/nnd.json`."""
    config = NndConfig(**nnd)
    split = _images(Path(root), data)
    sets = {"memorised": split.train.images, "held-out": split.test.images}
    draws = [draw_from(sets[name]) for name in REFERENCES for _ in seeds]
    found = iter(_measured(draws, split, config, seeds * len(REFERENCES), device, report))
    numbers = {name: {str(seed): next(found) for seed in seeds} for name in REFERENCES}
    write_extra(Path(root), "nnd", reference_settings(data, config, seeds), numbers)


def measure_diagnosis(*, root: str, runs: list[str], report: Callable[..., None]) -> None:
    """Look for what went wrong in the run folders `runs` under `root`, as far as the probes and the checkpoint tell."""
    from saddle.studies.diagnosis import diagnose, read_evidence

    for place, name in enumerate(runs):
        if stopping():
            raise Stopped("stopped; the same command looks at what is left")
        report(place, len(runs), "diagnosis")
        folder = RunFolder.open(Path(root) / name)
        result = folder.result() or {}
        findings = diagnose(read_evidence(folder.path))
        settings = {"step": result.get("step"), "status": result.get("status")}
        write_extra(folder.path, "diagnosis", settings, {"findings": [each.to_json() for each in findings]})


def drawer(saved: SavedGenerator, device: str) -> Callable[[int, torch.Generator], Tensor]:
    """Fresh images of a trained generator, with the statistics of batch norm that sampling uses."""
    network = saved.network
    state = {key: tensor.to(device) for key, tensor in saved.state.items()}
    frozen = state | standing_statistics(network, state)
    (latent,) = network.input_shape

    @torch.inference_mode()
    def draw(count: int, generator: torch.Generator) -> UInt8[Tensor, "n c h w"]:
        latents = torch.randn(1, count, latent, generator=generator).to(device)
        return network(frozen, latents)[0].float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)

    return draw


def _measured(
    draws: Sequence[Callable[[int, torch.Generator], Tensor]],
    split: Split,
    config: NndConfig,
    seeds: Sequence[int],
    device: str,
    report: Callable[..., None],
) -> list[dict[str, Any]]:
    try:
        found = neural_divergence(
            draws,
            split.test.images,
            config=config,
            seeds=seeds,
            device=device,
            progress=lambda done, total: report(done, total, "divergence"),
            stopping=stopping,
        )
    except NndStopped as stop:
        raise Stopped("stopped; the same command measures what is left") from stop
    return [
        {
            "value": result.value,
            "standard_error": result.standard_error,
            "n_real": len(split.test),
            "n_fake": config.batch * config.evaluation_batches,
            "curve": result.curve,
        }
        for result in found
    ]


def _images(root: Path, data: Mapping[str, Any]) -> Split:
    return load_images(root / "cache", data["train"], data["test"])
