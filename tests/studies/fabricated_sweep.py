"""A sweep's folder as a sweep leaves it, made of simulated numbers: something to build and test the report on."""

import io
import json
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from saddle.runs import write_table

METRICS = {  # limit, fall and exponent over width; floor
    "FD(classifier)": (9.0, 260.0, 1.1, 5.2),
    "KD(classifier)": (0.02, 1.9, 1.2, 0.0004),
    "precision(classifier)": (0.93, -0.9, 0.9, 0.97),
    "recall(classifier)": (0.8, -1.2, 1.0, 0.96),
    "density(classifier)": (0.95, -1.3, 1.1, 1.01),
    "coverage(classifier)": (0.9, -1.6, 1.2, 0.98),
}


def fabricate(
    folder: Path,
    *,
    widths: tuple[int, ...] = (2, 4, 8, 16),
    seeds: int = 3,
    steps: int = 1500,
    name: str = "digits",
    diverged: tuple[tuple[int, int], ...] = (),
    unfinished: tuple[tuple[int, int], ...] = (),
    rising: bool = False,
    message: str = "the loss of the discriminator is not finite at step 700",
) -> Path:
    """Write sweep.json, results.csv and one run folder a (width, seed) into `folder`."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    data = {"name": name, "n_train": 1437, "n_test": 360, "size": 8, "channels": 1, "skipped": []}
    config = {
        "widths": widths,
        "seeds": seeds,
        "gan": {"arch": "dcgan", "lr_g": 2e-4},
        "run": {"steps": steps},
    }
    _json(folder / "sweep.json", {**config, "data": data})
    rows = []
    for width in widths:
        for seed in range(seeds):
            key = f"{width:08x}{seed:08x}"
            status = "diverged" if (width, seed) in diverged else "done"
            stop = steps if status == "done" else steps // 2
            pending = (width, seed) in unfinished
            stop = steps // 3 if pending else stop
            run = folder / key
            (run / "samples").mkdir(parents=True)
            _json(run / "config.json", {"kind": "gan", "data": {"size": 8}, "width": width, "seed": seed})
            evaluations = [
                step for step in np.linspace(steps / 10, steps, 10).astype(int).tolist() if step <= stop
            ]
            luck = rng.normal(0, 0.5 / width**0.5)
            for step in evaluations:
                rows += _scores(
                    rng,
                    width,
                    seed,
                    key,
                    step / steps,
                    step,
                    luck,
                    "unfinished" if pending else status,
                    rising,
                )
                (run / "samples" / f"step-{step:08d}.png").write_bytes(_grid(step / steps))
            log = [
                {
                    "step": s,
                    "loss_generator": 1 + rng.normal(0, 0.2),
                    "loss_discriminator": 1.3 + rng.normal(0, 0.1),
                }
                for s in range(50, stop + 1, 50)
            ]
            (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
            if not pending:
                _json(run / "result.json", _result(width, seed, status, stop, message))
    columns = ("width", "width_g", "width_d", "seed", "run", "metric", "split", "step", "value")
    write_table(folder, rows, columns=columns)
    return folder


def _scores(rng, width, seed, key, share, step, luck, status, rising) -> list[dict]:
    found = []
    for metric, (limit, fall, exponent, floor) in METRICS.items():
        k = 32 / width if rising else width
        level = limit + fall * k**-exponent * (0.6 + 0.4 * np.exp(3 * (0.4 - share)))
        noise = np.exp(0.4 * luck + rng.normal(0, 0.1 / width**0.5))
        value = level * noise if fall > 0 else min(level, limit) * min(noise, 1.0)
        for split, factor, n in (("train", 1.0, 360), ("test", 1.06, 360)):
            # A gap that grows with width, as memorisation would make it.
            worse = factor + 0.01 * np.log2(width) if split == "test" else 1.0
            found.append(
                {
                    "width": width, "width_g": width, "width_d": width, "seed": seed, "run": key, "metric": metric,
                    "split": split, "step": step, "value": float(value * worse if fall > 0 else value / worse),
                    "n_real": n, "n_fake": n, "floor": floor, "status": status,
                }
            )  # fmt: skip
    return found


def _result(width: int, seed: int, status: str, step: int, message: str) -> dict:
    return {
        "status": status,
        "step": step,
        "message": message if status == "diverged" else "",
        "width": width,
        "width_g": width,
        "width_d": width,
        "seed": seed,
        "parameters": {
            "generator": 900 * width + 410 * width**2,
            "discriminator": 80 * width + 380 * width**2,
        },
        "multiply_adds": {"generator": 9000 * width + 5100 * width**2, "discriminator": 3100 * width**2},
        "seconds_per_step": 0.0021 + 0.00004 * width**1.6,
        "fleet": 3,
        "peak_memory_bytes": int(3.1e8 + 4e6 * width),
        "device": "cpu",
        "environment": {"python": "3.11.9", "torch": "2.13.0", "saddle": "0.1.0", "cpu": "a processor"},
    }


@cache
def _grid(share: float) -> bytes:
    """Return an 8 × 8 grid of blobs that grow sharper with `share`."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:8, :8]
    rows = []
    for _ in range(8):
        cells = []
        for _ in range(8):
            centre, radius = rng.uniform(2.5, 5.5, size=2), rng.uniform(1.5, 3)
            ring = np.exp(-((np.hypot(x - centre[0], y - centre[1]) - radius) ** 2) * (0.3 + 1.5 * share))
            cells.append(np.pad(ring + rng.normal(0, 0.25 * (1 - share) + 0.02, ring.shape), 1))
        rows.append(np.hstack(cells))
    pixels = (255 * np.clip(np.vstack(rows), 0, 1)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))
