"""Claim: the Fréchet distance at d = 2048 is ≥ 7x SciPy's sqrtm route at n = 10,000 with agreement to 1e-6, and ≥ 40x
at n = 1,000, where it is also nearer to the exact value.

Both start from float32 features of the fakes; the real side's work is cached for both (mean and covariance for the
package's route; mean, covariance and factor for ours), and is also counted in for `uncached`. One thread by default:
a matrix root hardly uses more, so more threads would flatter one side or the other depending on the machine.

The features have a decaying spectrum in axes of no special direction. The fakes are y = A x, A symmetric positive and
not commuting with the covariance: an optimal transport (Brenier), so the exact distance is the cost of moving,
|mean(x - y)|² + tr Cov(x - y), at every rank.

    python benchmarks/bench_frechet.py [--rounds 3] [--threads 1]      # about two minutes
"""

import argparse

import numpy as np
import scipy.linalg
import torch
from threadpoolctl import threadpool_limits

from _timing import Timing, interleave, ratio, record
from saddle.metrics.frechet import Gaussian, frechet_between, frechet_distance

TARGETS = {10_000: 7.0, 1_000: 40.0}
EPS = 1e-6


def features(n: int, dim: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Real and fake features (n, dim) in float32, and their exact distance."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    axes = torch.linalg.qr(normal(dim, dim)).Q
    spread = 3 * torch.arange(1, dim + 1, dtype=torch.float64) ** -0.75
    real = (normal(n, dim) * spread @ axes + 0.4).float()
    factor = normal(dim, dim) / (4 * dim**0.5)
    moved = real.double() @ (0.9 * torch.eye(dim, dtype=torch.float64) + factor @ factor.T)
    # Float64 fakes: rounded to float32 they would no longer be the map of the reals to every digit.
    cost = real.double() - moved
    exact = float(cost.mean(0).square().sum() + (cost - cost.mean(0)).square().sum() / (n - 1))
    return real, moved, exact


def statistics(x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance as the common package takes them: of a float64 array."""
    rows = x.numpy().astype(np.float64)
    return rows.mean(axis=0), np.cov(rows, rowvar=False)


def by_sqrtm(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
    """The common package's formula: a matrix root, eps where it is not finite, the real part where it is complex."""
    (mean, a), (other, b) = first, second
    root = scipy.linalg.sqrtm(a @ b)
    if not np.isfinite(root).all():
        offset = EPS * np.eye(len(a))
        root = scipy.linalg.sqrtm((a + offset) @ (b + offset))
    if np.iscomplexobj(root):
        root = root.real
    gap = mean - other
    return float(gap @ gap + np.trace(a) + np.trace(b) - 2 * np.trace(root))


def measure(n: int, dim: int, rounds: int) -> dict:
    """Time both routes at one size and hold them to the exact value."""
    real, fake, exact = features(n, dim, seed=n)
    kept, known = Gaussian(real), statistics(real)
    frechet_between(kept, Gaussian(fake))
    timings, values = interleave(
        {
            "ours, real side cached": lambda: frechet_between(kept, Gaussian(fake)),
            "ours, uncached": lambda: frechet_distance(real, fake),
            "sqrtm, real side cached": lambda: by_sqrtm(known, statistics(fake)),
            "statistics of the real side": lambda: statistics(real),
        },
        rounds=rounds,
    )
    extra = timings.pop("statistics of the real side")
    cached = timings["sqrtm, real side cached"]
    timings["sqrtm, uncached"] = Timing(
        wall=[a + b for a, b in zip(cached.wall, extra.wall, strict=True)],
        cpu=[a + b for a, b in zip(cached.cpu, extra.cpu, strict=True)],
    )
    ours, theirs = values["ours, real side cached"], values["sqrtm, real side cached"]
    ratios = {
        f"{case} ({clock})": ratio(
            getattr(timings[f"sqrtm, {case}"], clock), getattr(timings[f"ours, {case}"], clock)
        )
        for case in ("real side cached", "uncached")
        for clock in ("wall", "cpu")
    }
    return {
        "n": n,
        "exact": exact,
        "ours": ours,
        "sqrtm": theirs,
        "difference": abs(ours - theirs),
        "error of ours": abs(ours - exact),
        "error of sqrtm": abs(theirs - exact),
        "ratios": ratios,
        "timings": timings,
        "target ratio": TARGETS.get(n),
    }


def show(row: dict) -> None:
    print(f"\nn = {row['n']:,} a side; exact distance {row['exact']:.9f}")
    for name, timing in row["timings"].items():
        print(f"  {name:26s} wall {np.median(timing.wall):7.3f} s   cpu {np.median(timing.cpu):7.3f} s")
    for name, value in row["ratios"].items():
        print(
            f"  ratio, {name:25s} {value}  (target {row['target ratio']}x, confidence {value.confidence:.0%})"
        )
    for name in ("difference", "error of ours", "error of sqrtm"):
        print(f"  {name:26s} {row[name]:.3e}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dim", type=int, default=2048)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000])
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        rows = [measure(n, options.dim, options.rounds) for n in options.sizes]
    for row in rows:
        show(row)
    command = f"python benchmarks/bench_frechet.py --rounds {options.rounds} --threads {options.threads}"
    path = record(
        "bench_frechet",
        command,
        {"dim": options.dim, "rounds": options.rounds, "threads": options.threads, "rows": rows},
    )
    print(f"\nwritten to results/{path.name}")


if __name__ == "__main__":
    main(arguments())
