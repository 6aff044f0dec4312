"""Claim: forward and backward of 8 members of width 4 or less on 8x8 images are ≥ 2.5x faster in one call than one
after the other, and where sharing kernels no longer pays a fleet costs at most a quarter more than its members.

Every row: forward and backward of the generator, and of the discriminator, batch 64 a member, one thread by default,
ratio of CPU times serial / fleet round by round. Serial members are fleets of one.

    python benchmarks/bench_fleet_conv.py [--rounds 9] [--threads 1]      # about a minute
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor

from _timing import interleave, ratio, record
from saddle.core.state import State, member
from saddle.networks import Network, discriminator, generator

CASES = (
    # architecture, width, size, channels, fleet
    ("mlp", 32, 8, 1, 8),
    ("dcgan", 2, 8, 1, 8),
    ("dcgan", 4, 8, 1, 8),
    ("dcgan", 8, 8, 1, 8),
    ("dcgan", 16, 8, 1, 3),
    ("resnet", 4, 8, 1, 8),
    ("dcgan", 8, 32, 3, 3),
    ("dcgan", 32, 32, 3, 3),
    ("resnet", 8, 32, 3, 3),
    ("resnet", 32, 32, 3, 3),
)


def pass_of(network: Network, states: list[State], inputs: list[Tensor]) -> Callable[[], None]:
    """Forward and backward of every fleet in `states`, one after the other."""

    def run() -> None:
        for state, x in zip(states, inputs, strict=True):
            loss = network(state, x).square().sum()
            torch.autograd.grad(loss, [state[key] for key in network.parameters])

    return run


def measure(architecture: str, width: int, size: int, channels: int, fleet: int, rounds: int) -> list[dict]:
    rows = []
    for make in (generator, discriminator):
        network = make(architecture, width=width, size=size, channels=channels)
        fresh = network.init([torch.Generator().manual_seed(seed) for seed in range(fleet)])
        apart = [member(fresh, i) for i in range(fleet)]
        for state in (fresh, *apart):
            for key in network.parameters:
                state[key].requires_grad_()
        x = torch.randn(fleet, 64, *network.input_shape)
        variants = {
            "fleet": pass_of(network, [fresh], [x]),
            "serial": pass_of(network, apart, [x[i : i + 1] for i in range(fleet)]),
        }
        timings, _ = interleave(variants, rounds=rounds, warmup=2)
        gain = ratio(timings["serial"].cpu, timings["fleet"].cpu)
        print(f"{network.name:32s} size {size:3d}  fleet {fleet}  {gain}", flush=True)
        rows.append(
            {"network": network.name, "size": size, "fleet": fleet, "ratio": gain, "timings": timings}
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = [row for case in CASES for row in measure(*case, rounds=options.rounds)]
    command = f"python benchmarks/bench_fleet_conv.py --rounds {options.rounds} --threads {options.threads}"
    path = record("bench_fleet_conv", command, {"batch": 64, "threads": options.threads, "rows": rows})
    print(f"\nwritten to results/{path.name}")


if __name__ == "__main__":
    main()
