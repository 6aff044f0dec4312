"""Images from a generator's weights."""

import io
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from saddle._files import write_bytes
from saddle.core.state import State
from saddle.gan.batches import member_generators
from saddle.networks import Network

__all__ = ["fixed_latents", "grid_name", "grid_png", "sample", "standing_statistics", "write_images"]

STATISTICS_LATENTS = 512
"Latents whose pass gives the batch-norm statistics that sampling uses."


def fixed_latents(seed: int, count: int, latent: int, purpose: int) -> Float[Tensor, "1 count latent"]:
    """The same `count` latents for the same seed and purpose, always (drawn on the CPU for every device)."""
    (generator,) = member_generators([seed], purpose)
    return torch.randn(1, count, latent, generator=generator)


def standing_statistics(generator: Network, state: State) -> State:
    """Mean and variance at every batch norm of `generator` over `STATISTICS_LATENTS` fixed latents.

    Source: "standing statistics", Brock et al. 2019, arXiv 1809.11096, appendix C.
    """
    (latent,) = generator.input_shape
    device = next(iter(state.values())).device
    return generator.statistics(state, fixed_latents(0, STATISTICS_LATENTS, latent, purpose=5).to(device))


@torch.inference_mode()
def sample(
    generator: Network, state: State, latents: Float[Tensor, "1 n latent"], *, batch: int = 64
) -> UInt8[Tensor, "n channels height width"]:
    """Images `G(z)` of a fleet of one, as bytes on the CPU.

    Batch norm uses `standing_statistics`, so an image depends on its own latent and the weights only.
    """
    device = next(iter(state.values())).device
    frozen = state | standing_statistics(generator, state)
    images = []
    for part in latents.split(batch, dim=1):
        # Kernels may round differently for another batch size; with every part padded to a whole batch, an
        # image is the same however many are asked for.
        padded = torch.nn.functional.pad(part, (0, 0, 0, batch - part.shape[1])).to(device)
        out = generator(frozen, padded)[0, : part.shape[1]].float()
        images.append(out.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu())
    return torch.cat(images)


def grid_png(images: UInt8[Tensor, "n channels height width"], *, columns: int = 8) -> bytes:
    """A PNG of the images in rows of `columns`, a pixel apart; images below 32 px are enlarged by whole pixels."""
    count, channels, height, width = images.shape
    scale = max(1, -(-32 // height))
    columns = min(columns, count)
    rows = -(-count // columns)
    cell_h, cell_w = height * scale + 1, width * scale + 1
    sheet = np.full((rows * cell_h + 1, columns * cell_w + 1, channels), 255, np.uint8)
    enlarged = images.repeat_interleave(scale, 2).repeat_interleave(scale, 3).permute(0, 2, 3, 1).numpy()
    for index, image in enumerate(enlarged):
        top, left = index // columns * cell_h + 1, index % columns * cell_w + 1
        sheet[top : top + cell_h - 1, left : left + cell_w - 1] = image
    buffer = io.BytesIO()
    Image.fromarray(sheet.squeeze(2) if channels == 1 else sheet).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def grid_name(step: int) -> str:
    """File name of the grid at `step`; sorts by step."""
    return f"samples/step-{step:08d}.png"


def write_images(images: UInt8[Tensor, "n channels height width"], out: Path, *, columns: int = 8) -> None:
    """Write a grid (`.png`), an array (`.npz`, key `x`, NHWC) or, for any other name, a folder of PNG files."""
    pixels = images.permute(0, 2, 3, 1).numpy()
    if out.suffix == ".png":
        write_bytes(out, grid_png(images, columns=columns))
    elif out.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, x=pixels)
        write_bytes(out, buffer.getvalue())
    else:
        out.mkdir(exist_ok=True)
        for index, image in enumerate(pixels):
            file = io.BytesIO()
            Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(file, "PNG")
            write_bytes(out / f"{index:06d}.png", file.getvalue())
