"""Samples beside the training images that are nearest to them."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saddle.report import Block, Columns, Paragraph, Picture, Pictures
from saddle.studies.gan_width.figures import measure_chart
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.width_sweep.extra_files import extra_path
from saddle.studies.width_sweep.reading import Run

__all__ = ["neighbour_blocks"]

LIMIT = 2**26  # bytes, in the file and out of it
MOST = 64
"Samples, and neighbours of each, that a file may hold."
EXPLAINED = (
    "A generator that copies would have its samples nearer to training images than other real images are. The score C_T "
    "(Meehan et al. 2020) is 0 where samples are as far from the training images as held-out images are; below −3 the "
    "generator copies, and well above 0 its samples are farther than real images, which is underfitting. The second "
    "number is the probability that a sample is nearer than a held-out image."
)


def neighbour_blocks(main: Evidence) -> tuple[Block, ...]:
    """Scores against width and, a width, samples with their neighbours; nothing where they were not measured."""
    charts = [
        measure_chart("Memorisation score C_T", "C_T (below −3: copies)", main.tables.get("memorisation", {}), zero_line=True),
        measure_chart(
            "P(a sample is nearer than a held-out image)", "Probability (½: no copying)", main.tables.get("closer", {})
        ),
    ]  # fmt: skip
    shown = tuple(chart for chart in charts if chart is not None)
    if not shown:
        return ()
    measured = main.tables.get("memorisation", {})
    runs = [run for run in _one_a_width(main) if (run.width, run.seed) in measured]
    pictures = tuple(picture for run in runs if (picture := _picture(run)) is not None)
    words = (
        "Left in each row a sample, not selected; then the three training images that are nearest in the features of the "
        "distance; then, after the second gap, the three that are nearest in pixels."
    )
    blocks: tuple[Block, ...] = (Paragraph(EXPLAINED), Columns(shown))
    return (*blocks, Paragraph(words), Pictures(pictures=pictures)) if pictures else blocks


def _one_a_width(main: Evidence) -> list[Run]:
    first: dict[int, Run] = {}
    for run in main.sweep.runs:
        if run.status == "done" and run.width is not None and _file(run).is_file():
            first.setdefault(run.width, run)
    return [first[width] for width in sorted(first)]


def _file(run: Run) -> Path:
    return extra_path(run.folder, "memorisation").with_suffix(".npz")


def _picture(run: Run) -> Picture | None:
    try:
        png = _sheet(*_arrays(_file(run)))
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        RuntimeError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        return None
    words = f"Width {run.width}, seed {run.seed}"
    return Picture(png=png, caption=words, alt=f"Samples and their nearest training images. {words}")


def _arrays(path: Path) -> list[np.ndarray]:
    """Samples, and their nearest by features and by pixels; ValueError where the file, which is anybody's, has others."""
    if path.stat().st_size > LIMIT:
        raise ValueError("the file is too large")
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LIMIT:
            raise ValueError("the arrays are too large")
    with path.open("rb") as stream:
        found = np.load(stream, allow_pickle=False)
        arrays = [found[name] for name in ("samples", "by_features", "by_pixels")]
    image = arrays[0].shape[1:]
    drawable = len(image) == 3 and image[0] in (1, 3) and image[1] == image[2] > 0
    counts = [array.shape[:-3] for array in arrays]
    if not drawable or counts[0] == (0,) or any(array.shape[-3:] != image for array in arrays):
        raise ValueError("these are no images")
    if [len(count) for count in counts] != [1, 2, 2] or any(
        not 1 <= n <= MOST for count in counts for n in count
    ):
        raise ValueError("samples and neighbours do not belong together")
    if any(array.dtype != np.uint8 for array in arrays):
        raise ValueError("these are no bytes")
    return arrays


def _sheet(
    samples: UInt8[np.ndarray, "n c h w"],
    by_features: UInt8[np.ndarray, "n k c h w"],
    by_pixels: UInt8[np.ndarray, "n k c h w"],
) -> bytes:
    """Rows of sample | nearest by features | nearest by pixels, small images enlarged by whole pixels."""
    size = samples.shape[-1]
    scale, gap = max(1, -(-32 // size)), max(6, size // 6)
    rows = []
    for sample, *others in zip(samples, by_features, by_pixels, strict=True):
        groups = [
            np.concatenate([_framed(image, scale) for image in each], axis=1)
            for each in (sample[None], *others)
        ]
        blank = np.full((groups[0].shape[0], gap, groups[0].shape[2]), 255, np.uint8)
        rows.append(np.concatenate([groups[0], blank, groups[1], blank, groups[2]], axis=1))
    pixels = np.concatenate(rows)
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _framed(image: UInt8[np.ndarray, "c h w"], scale: int) -> UInt8[np.ndarray, "s s c"]:
    large = image.repeat(scale, 1).repeat(scale, 2).transpose(1, 2, 0)
    return np.pad(large, ((1, 1), (1, 1), (0, 0)), constant_values=255)
