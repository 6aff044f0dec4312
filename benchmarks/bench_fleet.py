"""A fleet of 8 seeds against the same 8 runs one after another: scikit-learn's digits, DCGAN of width 4.

Claim: at least 2.5x. Both sides run Saddle's whole training step (alternating, Adam, batch 64) in one process, in turn,
in an order that reverses every round; the ratio is the median of the rounds' ratios with a distribution-free
interval. About a minute.

    python benchmarks/bench_fleet.py [--width 4] [--fleet 8] [--threads 1] [--rounds 9]
"""

import argparse
from collections.abc import Callable, Sequence

import torch

from _timing import interleave, ratio, record
from saddle.data import read_images
from saddle.gan import GanConfig, make_dynamics, make_gan
from saddle.gan.batches import GanBatches

STEPS = 10


def steps(images: torch.Tensor, width: int, seeds: Sequence[int]) -> Callable[[], None]:
    config = GanConfig()
    gan = make_gan(config, width_g=width, width_d=width, size=8, channels=1)
    dynamics = make_dynamics(config)
    state = gan.init([torch.Generator().manual_seed(seed) for seed in seeds])
    memory = dynamics.init(gan, state)
    batches = GanBatches(images, seeds=seeds, batch=config.batch, latent=config.latent)

    def run() -> None:
        nonlocal state, memory
        for _ in range(STEPS):
            state, memory = dynamics.step(gan, state, memory, batches)

    return run


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--width", type=int, default=4)
    options.add_argument("--fleet", type=int, default=8)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--rounds", type=int, default=9)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    images = read_images("sklearn:digits").images
    seeds = range(chosen.fleet)
    alone = [steps(images, chosen.width, [seed]) for seed in seeds]

    def serial() -> None:
        for run in alone:
            run()

    together = steps(images, chosen.width, list(seeds))
    timings, _ = interleave({"serial": serial, "fleet": together}, rounds=chosen.rounds, warmup=1)
    wall, cpu = (
        ratio(getattr(timings["serial"], kind), getattr(timings["fleet"], kind)) for kind in ("wall", "cpu")
    )
    print(f"fleet of {chosen.fleet}, width {chosen.width}: wall {wall}  cpu {cpu}")
    command = (
        f"python benchmarks/bench_fleet.py --width {chosen.width} --fleet {chosen.fleet} "
        f"--threads {chosen.threads} --rounds {chosen.rounds}"
    )
    findings = {
        "width": chosen.width,
        "fleet": chosen.fleet,
        "threads": chosen.threads,
        "wall": wall,
        "cpu": cpu,
    }
    print(record("bench_fleet", command, findings))


if __name__ == "__main__":
    main()
