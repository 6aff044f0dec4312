"""Question: what does the quick divergence lose against the published one, does it order generators alike, and how far
do its seeds scatter? And does a generator that memorised its training set lose to one that generalises?

Data: scikit-learn's digits (8x8; 600 real, 1,000 fresh, 197 training images), or --data FILE (npz with `images`, uint8,
n x h x w x c). The real side is held out from every generator. The generators:

    self        draws from the real side itself: the divergence is at most 0 in expectation
    fresh       draws from 1,000 held-out images that are not on the real side: generalises, as far as data goes
    memorised   draws from the 197 training images
    noisy       the training images plus normal noise of standard deviation 16 (of 255)
    blurred     fresh images averaged over 3x3 pixels, as a GAN that fits low frequencies only
    shifted     fresh images moved by one pixel

    python benchmarks/measure_nnd_bias.py                        # quick (3 seeds), 10x quick, near-exact: tens of CPU minutes
    python benchmarks/measure_nnd_bias.py --levels quick         # two CPU minutes
    python benchmarks/measure_nnd_bias.py --toy                  # the published toy check at 32x32x3, a CPU minute
    python benchmarks/measure_nnd_bias.py --exact --data cifar10.npz --device cuda      # the published protocol

Every finished cell is kept in results/nnd_bias.json (--out), and a second call computes what is missing only.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import Tensor

from saddle._files import write_text
from saddle.metrics import NndConfig, draw_from, neural_divergence

RESULTS = Path(__file__).resolve().parents[1] / "results"
QUICK = NndConfig.quick()
LEVELS = {
    "quick": (QUICK, (0, 1, 2)),
    # Ten times the work.
    "10x quick": (replace(QUICK, iterations=10 * QUICK.iterations, ema=0.998), (0,)),
    # The published critic, step and penalty; iterations and batch as a CPU has time for, and the average shorter alike.
    "near exact": (NndConfig(iterations=1500, batch=64, ema=0.98, evaluation_batches=100), (0,)),
    "exact": (NndConfig.exact(), (0,)),
}
TOY = NndConfig(iterations=100, batch=64, ema=0.9, evaluation_batches=100)
Draw = Callable[[int, torch.Generator], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--levels", nargs="+", choices=list(LEVELS), default=["quick", "near exact", "10x quick"]
    )
    parser.add_argument(
        "--exact", action="store_true", help="the published protocol beside quick; needs a GPU"
    )
    parser.add_argument("--toy", action="store_true", help="the published toy check alone")
    parser.add_argument("--data", type=Path, help="npz with `images`; default: scikit-learn's digits")
    parser.add_argument("--generators", nargs="+", help="only these")
    parser.add_argument("--iterations", type=int, help="of near exact, where there is more or less time")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS / "nnd_bias.json")
    options = parser.parse_args()
    found = json.loads(options.out.read_text()) if options.out.exists() else {"cells": {}}
    if options.toy:
        found["toy"] = toy(options.device)
    else:
        measure(options, found)
        found["summary"] = summary(found["cells"])
    write_text(options.out, json.dumps(found, indent=1) + "\n")
    print(json.dumps(found.get("summary", found.get("toy")), indent=1))


def measure(options: argparse.Namespace, found: dict[str, Any]) -> None:
    """Every missing cell (data, level, seed): all generators as one fleet."""
    name, real, draws = generators(options.data)
    chosen = options.generators or list(draws)
    for level in ["quick", "exact"] if options.exact else options.levels:
        config, seeds = LEVELS[level]
        if level == "near exact" and options.iterations:
            config = replace(config, iterations=options.iterations)
        for seed in seeds:
            key = f"{name} / {level} / {seed}"
            cell = found["cells"].setdefault(key, {"config": asdict(config), "generators": {}})
            missing = [each for each in chosen if each not in cell["generators"]]
            # One by one where a generator takes minutes: what is finished is kept.
            groups = (
                [missing] if level == "quick" or options.device != "cpu" else [[each] for each in missing]
            )
            for group in groups:
                if not group:
                    continue
                began, spent = time.perf_counter(), time.process_time()
                results = neural_divergence(
                    [draws[each] for each in group], real, config=config, seeds=[seed] * len(group),
                    device=options.device, progress=tell(key),
                )  # fmt: skip
                each_cpu = (time.process_time() - spent) / len(group)
                each_wall = (time.perf_counter() - began) / len(group)
                for generator, result in zip(group, results, strict=True):
                    cell["generators"][generator] = {
                        "value": result.value, "standard error": result.standard_error,
                        "cpu seconds": each_cpu, "wall seconds": each_wall,
                        "curve": [[at, round(value, 4)] for at, value in result.curve[::5]],
                    }  # fmt: skip
                found["machine"] = {"device": options.device, "torch": torch.__version__}
                write_text(options.out, json.dumps(found, indent=1) + "\n")
                print(key, {each: round(cell["generators"][each]["value"], 3) for each in group}, flush=True)


def tell(key: str) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done % 1000 == 0:
            print(f"{key}: {done:,} of {total:,}", flush=True)

    return progress


def generators(path: Path | None) -> tuple[str, Tensor, dict[str, Draw]]:
    """The name of the data, the real side and the generators."""
    if path is None:
        from sklearn.datasets import load_digits

        images = torch.from_numpy(np.rint(load_digits().images * 255 / 16).astype(np.uint8))[:, None]  # pyrefly: ignore
        name = "digits"
    else:
        with np.load(path) as stored:
            raw = stored["images"] if "images" in stored else stored[stored.files[0]]
        raw = raw[..., None] if raw.ndim == 3 else raw
        images, name = torch.from_numpy(raw).permute(0, 3, 1, 2).contiguous(), path.stem
    images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    real, fresh, train = images.split([600, 1000, len(images) - 1600]) if path is None else large(images)
    generator = torch.Generator().manual_seed(1)
    noise = 16 * torch.randn(train.shape, generator=generator)
    noisy = (train + noise).round().clamp(0, 255).to(torch.uint8)
    blurred = torch.nn.functional.avg_pool2d(fresh.float(), 3, 1, 1).round().to(torch.uint8)
    sides = {
        "self": real, "fresh": fresh, "memorised": train, "noisy": noisy, "blurred": blurred,
        "shifted": fresh.roll(1, 3),
    }  # fmt: skip
    return name, real, {each: draw_from(side) for each, side in sides.items()}


def large(images: Tensor) -> tuple[Tensor, ...]:
    """A fifth on the real side (10,000 at most), a tenth of that for the memoriser, the rest fresh."""
    real = min(len(images) // 5, 10_000)
    train = real // 10
    return images.split([real, len(images) - real - train, train])


def toy(device: str) -> dict[str, Any]:
    """Uniform integers [0, 246) against [10, 256), 32x32x3: the published code accepts values in [4, 7]."""
    real = torch.randint(0, 246, (8192, 3, 32, 32), generator=torch.Generator().manual_seed(1)).to(
        torch.uint8
    )

    def draw(count: int, generator: torch.Generator) -> Tensor:
        return torch.randint(10, 256, (count, 3, 32, 32), generator=generator).to(torch.uint8)

    (result,) = neural_divergence([draw], real, config=TOY, seeds=[0], device=device)
    return {
        "value": result.value,
        "standard error": result.standard_error,
        "accepted": [4, 7],
        "config": asdict(TOY),
    }


def summary(cells: dict[str, Any]) -> dict[str, Any]:
    """Per data and generator: mean and spread over seeds; quick minus the others; Kendall's tau of the orders."""
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for key, cell in cells.items():
        name, level, _ = key.split(" / ")
        for generator, result in cell["generators"].items():
            values.setdefault(name, {}).setdefault(level, {}).setdefault(generator, []).append(
                result["value"]
            )
    told: dict[str, Any] = {}
    for name, levels in values.items():
        means = {
            level: {each: float(np.mean(x)) for each, x in found.items()} for level, found in levels.items()
        }
        quick = means.get("quick", {})
        told[name] = {
            "mean": means,
            "spread over seeds": {
                level: {each: float(np.std(x, ddof=1)) for each, x in found.items() if len(x) > 1}
                for level, found in levels.items()
            },
            "bias of quick": {
                level: {each: quick[each] - found[each] for each in found if each in quick}
                for level, found in means.items()
                if level != "quick"
            },
            "Kendall tau with quick": {
                level: tau(quick, found) for level, found in means.items() if level != "quick"
            },
            "memorised loses to fresh": {
                level: found["memorised"] > found["fresh"]
                for level, found in means.items()
                if {"memorised", "fresh"} <= found.keys()
            },
        }
    return told


def tau(one: dict[str, float], other: dict[str, float]) -> dict[str, Any]:
    shared = sorted(one.keys() & other.keys())
    if len(shared) < 2:
        return {"generators": len(shared), "tau": None}
    return {
        "generators": len(shared),
        "tau": float(kendalltau([one[x] for x in shared], [other[x] for x in shared]).statistic),
    }


if __name__ == "__main__":
    main()
