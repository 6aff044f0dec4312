"""Claim: at the default cadence probes take less than 5 % of the training time.

Every row: one step of training, the light and the heavy probes of the same fleet, interleaved, CPU time, one thread by
default, random images. The share is that of a run of 20,000 steps, `(light + classes) / every + heavy / spectrum_every`
in steps; in a run of fewer steps than `spectrum_every` the last term falls away. Classes cost a pass of the features'
classifier over 128 images a member, where there are labels (random weights here; only the time counts).

    python benchmarks/bench_probes.py [--rounds 5] [--threads 1]      # about five minutes
    python benchmarks/bench_probes.py --reuse      # other cadences, or classes, from the timings that are there
"""

import argparse
import json
import statistics
from collections.abc import Callable

import torch

from _timing import RESULTS, Timing, interleave, ratio, record
from saddle.gan import GanConfig, make_dynamics, make_gan
from saddle.gan.batches import GanBatches, member_generators
from saddle.gan.probes import ProbeBatch, ProbeCadence, probe
from saddle.gan.probes.measure import CLASSIFIED
from saddle.metrics.features.classifier_network import apply_folded, folded_shapes
from saddle.networks.config import Architecture

Case = tuple[Architecture, int, int, int, int]

CASES: tuple[Case, ...] = (
    # architecture, width, size, channels, fleet
    ("dcgan", 4, 8, 1, 1),
    ("dcgan", 4, 8, 1, 5),
    ("dcgan", 16, 8, 1, 1),
    ("dcgan", 16, 8, 1, 5),
    ("mlp", 64, 8, 1, 1),
    ("dcgan", 16, 28, 1, 1),
    ("dcgan", 16, 32, 3, 1),
    ("dcgan", 4, 32, 3, 5),
)
STEPS = 3
"Steps of training a round: one alone is too short to time."


def variants_of(
    architecture: Architecture, width: int, size: int, channels: int, fleet: int
) -> dict[str, Callable[[], object]]:
    config = GanConfig(arch=architecture)
    gan = make_gan(config, width_g=width, width_d=width, size=size, channels=channels)
    images = torch.randint(0, 256, (600, channels, size, size), dtype=torch.uint8)
    seeds = list(range(fleet))
    start = gan.init(member_generators(seeds, 0))
    dynamics = make_dynamics(config)
    carried = (start, dynamics.init(gan, start))
    batches = GanBatches(images, seeds=seeds, batch=config.batch, latent=config.latent)
    average = {key: start[key] for key in gan.generator.parameters}
    batch = ProbeBatch.choose(images[:300], images[300:], latent=config.latent)

    def steps() -> None:
        nonlocal carried
        for _ in range(STEPS):
            carried = dynamics.step(gan, carried[0], carried[1], batches)

    steps()
    state = carried[0]
    return {
        "steps": steps,
        "light": lambda: probe(gan, state, average, batch, before=start),
        "heavy": lambda: probe(gan, state, average, batch, start=start, light=False, heavy=True),
    }


def classes_of(size: int, channels: int, fleet: int, rounds: int) -> list[float]:
    """CPU seconds of the classifier for one probe of the fleet; it works in batches of 256."""
    tensors = {name: torch.randn(shape) for name, shape in folded_shapes(size, channels).items()}
    images = torch.randint(0, 256, (256, channels, size, size), dtype=torch.uint8)
    calls = -(-fleet * CLASSIFIED // 256)

    def run() -> None:
        with torch.inference_mode():
            for _ in range(calls):
                apply_folded(tensors, images)

    return interleave({"classes": run}, rounds=rounds, warmup=1)[0]["classes"].cpu


def measure(case: Case, rounds: int, stored: dict[str, Timing] | None) -> dict[str, object]:
    timings = stored or interleave(variants_of(*case), rounds=rounds, warmup=1)[0]
    step = [seconds / STEPS for seconds in timings["steps"].cpu]
    light, heavy = ratio(timings["light"].cpu, step), ratio(timings["heavy"].cpu, step)
    cadence = ProbeCadence.resolve(20_000, None, None)
    classes = statistics.median(classes_of(*case[2:], rounds=3)) / statistics.median(step)
    short = (light.median + classes) / cadence.every
    share = short + heavy.median / cadence.spectrum_every
    worst = (light.high + classes) / cadence.every + heavy.high / cadence.spectrum_every
    architecture, width, size, channels, fleet = case
    print(
        f"{architecture:5s} width {width:3d}  {channels}x{size}x{size}  fleet {fleet}  step "
        f"{1000 * statistics.median(step):7.1f} ms  light {light}  classes {classes:.2f}x  heavy {heavy}  share {100 * share:.2f} % "
        f"(at most {100 * worst:.2f} %; short runs {100 * short:.2f} %)",
        flush=True,
    )
    return {
        "case": dict(zip(("arch", "width", "size", "channels", "fleet"), case, strict=True)),
        "light_in_steps": light,
        "classes_in_steps": classes,
        "heavy_in_steps": heavy,
        "share": share,
        "share_of_worst_ratios": worst,
        "share_of_short_runs": short,
        "timings": timings,
    }


def read_timings() -> dict[tuple[object, ...], dict[str, Timing]]:
    """What an earlier run measured, case by case."""
    rows = json.loads((RESULTS / "bench_probes.json").read_text())["rows"]
    return {
        tuple(row["case"].values()): {name: Timing(**timing) for name, timing in row["timings"].items()}
        for row in rows
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--reuse", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cadence = ProbeCadence.resolve(20_000, None, None)
    stored = read_timings() if options.reuse else {}
    rows: list[dict[str, object]] = []
    command = f"python benchmarks/bench_probes.py --rounds {options.rounds} --threads {options.threads}"
    for case in CASES:
        rows.append(measure(case, options.rounds, stored.get(case)))
        # After every case: a run that is stopped keeps what it has.
        findings = {"batch": 64, "threads": options.threads, "cadence": cadence, "rows": rows}
        record("bench_probes", command, findings)
    print("\nwritten to results/bench_probes.json")


if __name__ == "__main__":
    main()
