"""Claim (held against it): the widths of a sweep train faster in one fleet, padded to the widest, than in one fleet each.

Every row: one training step of three seeds of every width, batch 64 a member, one thread by default. Serial is a fleet
of three a width, one after the other; padded is one fleet of all, with the narrow networks' padding (see
saddle.gan.acceleration.padding). Ratio of CPU times serial / padded round by round: above 1 padding pays.

    python benchmarks/bench_width_padding.py [--rounds 7] [--threads 1]      # about two minutes
"""

import argparse
from typing import Any, Literal

import torch

from _gpu_measures import Stepper
from _timing import interleave, ratio, record
from saddle.core.state import stack
from saddle.gan import GanConfig, make_gan
from saddle.gan.acceleration import PLAIN
from saddle.gan.acceleration.padding import padded
from saddle.gan.batches import GanBatches, member_generators

Arch = Literal["mlp", "dcgan"]

CASES: tuple[tuple[Arch, tuple[int, ...], int, int], ...] = (
    # architecture, widths, size, channels
    ("mlp", (2, 4, 8), 8, 1),
    ("mlp", (16, 32, 64), 8, 1),
    ("mlp", (30, 31, 32), 8, 1),
    ("dcgan", (1, 2, 4), 8, 1),
    ("dcgan", (2, 3, 4), 8, 1),
    ("dcgan", (2, 4, 8), 28, 1),
    ("dcgan", (4, 8, 16), 32, 3),
)
SEEDS = range(3)


def measure(arch: Arch, widths: tuple[int, ...], size: int, channels: int, rounds: int) -> dict[str, Any]:
    config = GanConfig(arch=arch)
    gans = [make_gan(config, width_g=k, width_d=k, size=size, channels=channels) for k in widths]
    images = torch.randint(0, 256, (512, channels, size, size), dtype=torch.uint8)
    apart = [Stepper(gan, images, SEEDS, PLAIN) for gan in gans]
    everybody = [seed for _ in gans for seed in SEEDS]
    together = Stepper(gans[-1], images, everybody, PLAIN)
    fleets = [padded(gan.init(member_generators(SEEDS, 0)), gan, gans[-1]) for gan in gans]
    together.state = stack(fleets)
    together.memory = together.dynamics.init(gans[-1], together.state)
    together.batches = GanBatches(images, seeds=everybody, batch=config.batch, latent=config.latent)
    timings, _ = interleave(
        {
            "serial": lambda: [stepper.seconds(1) for stepper in apart],
            "padded": lambda: together.seconds(1),
        },
        rounds=rounds,
        warmup=1,
    )
    gain = ratio(timings["serial"].cpu, timings["padded"].cpu)
    print(f"{arch:7s} widths {widths}  size {size:3d}  {gain}", flush=True)
    return {
        "arch": arch,
        "widths": widths,
        "size": size,
        "channels": channels,
        "ratio": gain,
        "timings": timings,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = [measure(*case, rounds=options.rounds) for case in CASES]
    command = (
        f"python benchmarks/bench_width_padding.py --rounds {options.rounds} --threads {options.threads}"
    )
    path = record("bench_width_padding", command, {"batch": 64, "seeds": 3, "rows": rows})
    print(f"\nwritten to results/{path.name}")


if __name__ == "__main__":
    main()
