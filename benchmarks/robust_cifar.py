"""Plain, exactly weighted, network-weighted and trimmed GANs on CIFAR-10 of which a share is MNIST: one command, one JSON.

    python benchmarks/robust_cifar.py --cifar cifar10.npz --mnist mnist.npz --out results-robust
    python benchmarks/robust_cifar.py --cifar … --mnist … --out … --minutes 60      # stops in time; again: goes on
    python benchmarks/robust_cifar.py --tiny --out tiny                              # built-in digits, a few seconds

Every method trains on the same contaminated images from the same first weights (methods `exact`, `network`, `trim` at
gamma = the true share; `plain` ignores the dirt; `oracle` has clean images). At its last step, fixed beforehand, each run
is compared with the CLEAN test images, and a classifier between clean images and outliers, which knows the truth, says
how many of 5,000 generated images are outliers; beside it stands what it says of the clean test images.

Claim, to be confirmed or refuted by the file: the robust methods generate fewer outliers than plain, and their distance to
clean images is not larger. Source: Balaji, Chellappa & Feizi 2020, arXiv 2010.05862, section on generative modelling (their
tables are not quoted: other networks, steps and features).

Everything is written to robust_cifar.json after every method; finished runs are never trained again.
"""

import argparse
import json
import os
import shlex
import signal
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import torch

from saddle._files import write_text
from saddle.data import DataConfig
from saddle.gan import GanConfig
from saddle.metrics.config import MetricsConfig
from saddle.runs import environment
from saddle.studies.width_sweep.config import RunOptions, SweepConfig
from saddle.studies.width_sweep.extra_files import read_extra
from saddle.studies.width_sweep.sweep import run_sweep

METHODS = ("plain", "exact", "network", "trim", "oracle")
SHOWN = ("FD_test", "generated_share", "generated_corrected", "auroc_running", "auroc_final")


def main() -> None:
    """Train what is missing, within the time, and write the JSON."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.minutes is not None:
        timer = threading.Timer(60 * options.minutes, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.daemon = True
        timer.start()
    began = time.monotonic()
    found: dict[str, Any] = {}
    note = "complete"
    try:
        for share in options.shares:
            for method in options.methods:
                # The oracle's images are the same for every share.
                share_ = 0.0 if method == "oracle" else share
                key = f"{method} at {share:g}"
                found[key] = _measure(options, method, share, share_)
                _write(options, found, began, "unfinished")
                print(f"{key}: {json.dumps(found[key]['summary'])}", flush=True)
                if found[key]["interrupted"]:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        note = "stopped; the same command goes on"
    _write(options, found, began, note)
    print(f"{note}: {options.out / 'robust_cifar.json'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--cifar", help="CIFAR-10, in any form that --data of saddle takes")
    parser.add_argument("--mnist", help="the contaminating images, likewise")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arch", default="dcgan", choices=("dcgan", "resnet"))
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--steps", type=int, default=3000, help="generator steps")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", dest="shares", type=float, nargs="+", default=[0.05, 0.1])
    parser.add_argument("--scale", type=float, default=1.0, help="radius over the critical one")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--loss", default="wasserstein")
    parser.add_argument("--gradient-penalty", type=float, default=10.0)
    parser.add_argument("--critic-steps", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--beta1", type=float, default=0.0)
    parser.add_argument("--beta2", type=float, default=0.9)
    parser.add_argument("--limit", type=int, help="training images, drawn at random")
    parser.add_argument("--features", default="auto", help="of the distance and the classifier")
    parser.add_argument("--samples", type=int, default=2000, help="images a side of every distance")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--minutes", type=float, help="stop after so many, with checkpoints")
    parser.add_argument(
        "--tiny", action="store_true", help="built-in digits and a cluster of outliers, a few steps"
    )
    options = parser.parse_args()
    if options.tiny:
        options.cifar, options.mnist = "digits", "cluster"
        options.width, options.steps, options.seeds, options.samples = 2, 6, 2, 100
        options.shares, options.batch, options.features = [0.1], 32, "pixels"
    if options.cifar is None or options.mnist is None:
        parser.error("give --cifar and --mnist, or --tiny")
    return options


def _gan(options: argparse.Namespace, method: str, share: float) -> GanConfig:
    robust: dict[str, Any] = {}
    if method in ("exact", "network", "trim"):
        robust = {"robust": share, "robust_by": method, "robust_scale": options.scale}
        if method == "network" and options.tiny:
            robust["robust_after"] = 4
    return GanConfig(
        arch=options.arch,
        loss=options.loss,
        gradient_penalty=options.gradient_penalty,
        critic_steps=options.critic_steps,
        batch=options.batch,
        lr_g=options.lr,
        lr_d=options.lr,
        beta1=options.beta1,
        beta2=options.beta2,
        **robust,
    )


def _measure(options: argparse.Namespace, method: str, share: float, contamination: float) -> dict[str, Any]:
    dirty: dict[str, Any] = (
        {"contaminate": options.mnist, "contamination": contamination} if contamination > 0 else {}
    )
    config = SweepConfig(
        data=DataConfig(data=options.cifar, limit=options.limit, **dirty),
        gan=_gan(options, method, share),
        metrics=MetricsConfig(features=options.features, samples=options.samples),
        run=RunOptions(
            steps=options.steps,
            device=options.device,
            probe_every=0,
            spectrum_every=0,
            evaluate_every=options.steps,
            sample_every=options.steps,
            checkpoint_every=min(options.steps, 250),
        ),
        widths=(options.width,),
        seeds=options.seeds,
        out=options.out / f"share-{contamination:g}",
    )
    outcome = run_sweep(config)
    runs = [_run(cell.folder.path, cell.seed) for cell in outcome.cells]
    return {
        "method": method,
        "share": share,
        "contamination": contamination,
        "interrupted": outcome.interrupted,
        "failures": outcome.failures | outcome.extras.failures,
        "gan": runs[0]["gan"],
        "runs": runs,
        "summary": _summary(runs),
    }


def _run(folder: Path, seed: int) -> dict[str, Any]:
    """What one run's folder says of its last step."""
    gan = json.loads((folder / "config.json").read_text())["gan"]
    try:
        result = json.loads((folder / "result.json").read_text())
    except OSError:
        return {"seed": seed, "status": "unfinished", "gan": gan, "folder": folder.name, "values": {}}
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    scores = [row["scores"] for row in rows if "scores" in row and row["step"] == result["step"]]
    values = {f"{score['metric']}/{score['split']}": score["value"] for score in (scores or [[]])[-1]}
    floors = {f"{score['metric']}/{score['split']}": score["floor"] for score in (scores or [[]])[-1]}
    trust = read_extra(folder, "trust") or {}
    generated = trust.get("generated", {})
    distance = [value for key, value in values.items() if key.startswith("F") and key.endswith("/test")]
    shown = {
        "FD_test": distance[0] if distance else None,
        "generated_share": generated.get("share"),
        "generated_corrected": generated.get("corrected"),
        "auroc_running": trust.get("running", {}).get("auroc"),
        "auroc_final": trust.get("final", {}).get("auroc"),
    }
    kept = ("status", "step", "message", "seconds_per_step", "device", "threads", "parameters")
    return {
        "seed": seed,
        "folder": folder.name,
        "gan": gan,
        "values": shown,
        "scores": values,
        "floors": floors,
        "trust": trust,
        **{name: result.get(name) for name in kept},
    }


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for name in SHOWN:
        numbers = [run["values"][name] for run in runs if run["values"].get(name) is not None]
        if numbers:
            spread = statistics.stdev(numbers) if len(numbers) > 1 else None
            found[name] = {"mean": statistics.fmean(numbers), "sd": spread, "n": len(numbers)}
    return found


def _write(options: argparse.Namespace, found: dict[str, Any], began: float, note: str) -> None:
    cuda = torch.cuda.is_available() and options.device != "cpu"
    content = {
        "claim": "robust methods generate fewer outliers than plain, and lie no farther from clean images",
        "note": note,
        "n": options.seeds,
        "checkpoint": "the last, fixed before the runs; no selection",
        "distance": "generated against clean test images, the same number on both sides",
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "command": " ".join(["python", "benchmarks/robust_cifar.py", *_shown_arguments()]),
        "seconds_of_this_call": time.monotonic() - began,
        "options": {
            k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items() if k not in _PATHS
        },
        "environment": environment(),
        "methods": found,
    }
    write_text(options.out / "robust_cifar.json", json.dumps(content, indent=1, default=str) + "\n")


_PATHS = ("cifar", "mnist", "out")


def _shown_arguments() -> list[str]:
    """The command without places of one machine."""
    return [shlex.quote(Path(word).name if "/" in word else word) for word in sys.argv[1:]]


if __name__ == "__main__":
    main()
