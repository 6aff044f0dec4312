"""Two processes that train together, with torchrun's environment variables; started by test_distributed.py."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from saddle.errors import UserError
from saddle.gan import Cadence, GanConfig, Hooks, Member, make_dynamics, make_gan, train_fleet
from saddle.gan.batches import member_generators
from saddle.gan.distributed import ALONE, World, joined
from saddle.gan.distributed.reduction import mean_value, same_everywhere
from saddle.gan.distributed.shared import Distributed

SMALL: dict[str, Any] = {"latent": 8, "batch": 16}
CONFIGS = {
    "mlp": GanConfig(arch="mlp", **SMALL),
    "batch-norm": GanConfig(**SMALL),
    "wgan-gp": GanConfig(loss="wasserstein", gradient_penalty=10.0, critic_steps=2, **SMALL),
    "lazy-r1-spectral": GanConfig(
        arch="resnet", loss="relativistic", spectral_norm="discriminator", r1=0.1, penalty_every=2, **SMALL
    ),
    "robust": GanConfig(loss="wasserstein", gradient_penalty=10.0, robust=0.1, **SMALL),
}
STEPS = 3


def images() -> torch.Tensor:
    return torch.randint(0, 256, (64, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def train(folder: Path, config: GanConfig, steps: int, world: World = ALONE, **hooks: Any) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    quiet = Hooks(record=lambda index, rows: None, resume=lambda index, step: None, **hooks)
    (ending,) = train_fleet(
        make_gan(config, width_g=2, width_d=2, size=8, channels=1),
        make_dynamics(config),
        images(),
        [Member(seed=3, folder=folder)],
        steps=steps,
        cadence=Cadence(log=100, sample=100, checkpoint=2),
        hooks=quiet,
        world=world,
    )
    return f"{ending.status} at {ending.step}"


def derivatives(world: World) -> list[torch.Tensor]:
    """First derivatives of a generator's mean square in float64, and the second ones in their squared length."""
    problem = make_gan(CONFIGS["batch-norm"], width_g=2, width_d=2, size=8, channels=1)
    state = {key: value.double() for key, value in problem.init(member_generators([3], 0)).items()}
    live = {key: state[key].requires_grad_() for key in problem.generator.parameters}
    z = torch.randn(1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    if world.size == 1:
        value = problem.generator(live, z).square().mean()
    else:
        network = Distributed(problem, world)._problem.generator
        part = z[:, world.rank * 4 : world.rank * 4 + 4]
        value = network(same_everywhere(live, 2), part).square().mean()
        value = mean_value(value, 2)
    first = torch.autograd.grad(value, list(live.values()), create_graph=True)
    second = torch.autograd.grad(
        torch.stack([slope.square().sum() for slope in first]).sum(), list(live.values())
    )
    return [value, *first, *second]


def main(root: Path, other: int) -> None:
    """`other` is the process number of the second one, or 0 in itself."""
    torch.set_num_threads(1)
    said: dict[str, Any] = {}
    with joined(torch.device("cpu")) as world:
        said["derivatives"] = [tensor.detach() for tensor in derivatives(world)]
        for name, config in CONFIGS.items():
            said[name] = train(root / "two" / name, config, STEPS, world)
        # What one process began (see the test), these two go on with.
        said["resumed"] = train(root / "mixed", CONFIGS["batch-norm"], 4, world)
        asked = iter(range(100))
        said["stopped"] = train(
            root / "stopped",
            CONFIGS["mlp"],
            50,
            world,
            stopping=lambda: world.rank == 1 and next(asked) >= 3,
        )
        try:
            train(root / "uneven", replace(CONFIGS["mlp"], batch=15), 2, world)
        except UserError as error:
            said["uneven"] = str(error)

        def die(step: int, text: str) -> None:
            if world.rank == 1 and step == 3:
                os._exit(9)

        try:
            train(root / "died", CONFIGS["batch-norm"], 50, world, progress=die)
        except UserError as error:
            said["died"] = str(error)
        said["exit"] = os.waitstatus_to_exitcode(os.waitpid(other, 0)[1])
        torch.save(said, root / "said.pt")
        os._exit(0)  # nobody is left to leave the group with


if __name__ == "__main__":
    # The second is a copy of the first from before either computed anything: torch is loaded once.
    second = os.fork()
    rank = "0" if second else "1"
    os.environ |= {"RANK": rank, "LOCAL_RANK": rank}
    main(Path(sys.argv[1]), second)
