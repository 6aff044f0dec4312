"""A trained generator from its run folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, final

import torch
from jaxtyping import UInt8
from torch import Tensor

from saddle.core.state import State
from saddle.errors import UserError
from saddle.gan.checkpoint import CHECKPOINT, read_checkpoint
from saddle.gan.config import GanConfig
from saddle.gan.problem import make_gan
from saddle.gan.sampling import fixed_latents, sample, standing_statistics
from saddle.networks import Network, as_module

__all__ = ["SavedGenerator", "draw", "open_run"]

CONFIG_LIMIT = 2**20
DRAWN = 6  # purpose number of the latents that `draw` uses


@final
@dataclass(frozen=True, kw_only=True)
class SavedGenerator:
    """A generator's network and its averaged weights (a fleet of one)."""

    network: Network
    state: State
    step: int
    config: GanConfig

    def module(self) -> torch.nn.Module:
        """A plain `torch.nn.Module`: latents (n, latent) to images (n, C, S, S) in [−1, 1]."""
        return as_module(self.network, self.state | standing_statistics(self.network, self.state))


def open_run(folder: Path) -> SavedGenerator:
    """Read the run in `folder`, or the only run in the folders below it."""
    folder = _only_run(folder)
    config = _read_config(folder / "config.json")
    try:
        known = {field.name for field in fields(GanConfig)}
        gan = GanConfig(**{key: value for key, value in config["gan"].items() if key in known})
        numbers = [config["width_g"], config["width_d"], config["data"]["size"], config["data"]["channels"]]
        if any(type(number) is not int for number in numbers):
            raise TypeError(f"widths, size and channels are {numbers}, and should be whole numbers")
        width_g, width_d, size, channels = numbers
        problem = make_gan(gan, width_g=width_g, width_d=width_d, size=size, channels=channels)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder / 'config.json'} is no configuration of a GAN ({error!r}).") from None
    payload = read_checkpoint(folder / CHECKPOINT)
    network = problem.generator
    try:
        state = payload["average"] | {key: payload["state"][key] for key in network.buffers}
        step = int(payload["step"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / CHECKPOINT} does not hold a generator ({error!r}); train this run again."
        ) from None
    _check_state(network, state, folder)
    return SavedGenerator(network=network, state=state, step=step, config=gan)


def draw(
    saved: SavedGenerator, n: int, *, seed: int = 0, device: Literal["auto", "cpu", "cuda"] = "auto"
) -> UInt8[Tensor, "n channels height width"]:
    """`n` images; image `i` depends on `seed` and `i` only."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "--device cuda was asked for, but torch sees no CUDA device; use --device cpu or auto."
        )
    where = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    state = {key: tensor.to(where) for key, tensor in saved.state.items()}
    return sample(saved.network, state, fixed_latents(seed, n, saved.config.latent, purpose=DRAWN))


def _only_run(folder: Path) -> Path:
    if (folder / CHECKPOINT).is_file():
        return folder
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist; name a run's folder.")
    runs = sorted(path.parent for path in folder.glob(f"*/{CHECKPOINT}"))
    if len(runs) == 1:
        return runs[0]
    if not runs:
        raise UserError(f"{folder} holds no run with a checkpoint; train first, or name another folder.")
    listed = ", ".join(str(run) for run in runs[:3]) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")
    raise UserError(f"{folder} holds {len(runs)} runs; name one of them: {listed}.")


def _read_config(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > CONFIG_LIMIT:
            raise ValueError(f"it is larger than {CONFIG_LIMIT} bytes")
        config = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); it says what the checkpoint's networks are."
        ) from None
    if not isinstance(config, dict):
        raise UserError(f"{path} is no JSON object; it should say what the checkpoint's networks are.")
    return config


def _check_state(network: Network, state: State, folder: Path) -> None:
    for key, shape in network.shapes.items():
        found = state.get(key)
        if not isinstance(found, torch.Tensor) or found.shape != (1, *shape) or found.dtype != torch.float32:
            raise UserError(
                f"{folder / CHECKPOINT} does not belong to its config.json: {key} is missing or of another form "
                f"(it should be float32 of shape {(1, *shape)}); train this run again."
            )
        if not torch.isfinite(found).all():
            raise UserError(
                f"{folder / CHECKPOINT} holds weights that are not finite ({key}): this run has diverged; sample another."
            )
