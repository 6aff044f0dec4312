"""Question: how much too high is the robust mean of a batch, a maximum over scalars of the batch itself, and do the
tracked two scalars cure it?

The population is 200,000 scores, normal or with 5 % of them moved far up (what a critic's scores with outliers look
like); its robust mean at the radius that removes 5 % is computed exactly. The critic's scores are in units of their
standard deviation. Batches are drawn with replacement. `tracked` is `mean(w f)` with the weights of TwoScalarWeights
(decay 0.99), after 500 batches.

    python benchmarks/measure_robust_batch_bias.py [--batches 20000]     # about a CPU minute
"""

import argparse
import math

import torch
from torch import Tensor

from _timing import record
from saddle.transport import TwoScalarWeights, rho_for, robust_mean

SIZES = (16, 32, 64, 128, 256, 512)
POPULATION, SHARE, WARM = 200_000, 0.05, 500
FLEET = 50
"Streams side by side."


def populations() -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(0)
    normal = torch.randn(POPULATION, generator=draw, dtype=torch.float64)
    dirty = normal.clone()
    dirty[: round(SHARE * POPULATION)] += 6
    return {"normal": normal, "5 % outliers at 6": dirty}


def estimate(values: Tensor) -> tuple[float, float]:
    """Mean and standard error of values that are independent along the first axis (streams)."""
    each = values.mean(1)
    return float(each.mean()), float(each.std()) / math.sqrt(len(each))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, default=20_000, help="for each size and population")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rho = rho_for(SHARE)
    rounds = options.batches // FLEET
    found = []
    for name, population in populations().items():
        exact = float(robust_mean(population, rho=rho))
        for size in SIZES:
            draw = torch.Generator().manual_seed(size)
            tracker = TwoScalarWeights(rho=rho)
            plug, tracked = [], []
            for index in range(WARM + rounds):
                batch = population[torch.randint(POPULATION, (FLEET, size), generator=draw)]
                w = tracker(batch)
                if index >= WARM:
                    plug.append(robust_mean(batch, rho=rho))
                    tracked.append((w * batch).mean(-1))
            bias, error = estimate(torch.stack(plug, 1) - exact)
            tracked_bias, tracked_error = estimate(torch.stack(tracked, 1) - exact)
            found.append(
                {
                    "population": name, "robust mean": exact, "batch": size, "batches": rounds * FLEET,
                    "bias of the batch": bias, "standard error": error,
                    "bias of the tracked": tracked_bias, "standard error of the tracked": tracked_error,
                }
            )  # fmt: skip
            print(
                f"{name:20s} B = {size:3d}: {bias:+.4f} ± {error:.4f}, tracked {tracked_bias:+.4f} ± {tracked_error:.4f}",
                flush=True,
            )
    command = f"python benchmarks/measure_robust_batch_bias.py --batches {options.batches}"
    print(record("robust_batch_bias", command, {"rho": rho, "share": SHARE, "cells": found}))


if __name__ == "__main__":
    main()
