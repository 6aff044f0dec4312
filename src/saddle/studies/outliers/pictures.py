"""Images of a ranking as pictures of the page."""

import io

import numpy as np
from jaxtyping import Int64
from PIL import Image

from saddle.data.problems import printable
from saddle.report import Picture, Pictures
from saddle.studies.outliers.ranking import Ranking

__all__ = ["grid"]

LONGEST = 112
"Pixels a side of a picture on the page."
NAME = 60
BUDGET = 8_000_000


def grid(ranking: Ranking, chosen: Int64[np.ndarray, " k"]) -> Pictures:
    """The images `chosen`, each with its place in the ranking, its weight and the end of its name."""
    place = np.empty(len(ranking.score), np.int64)
    place[ranking.order] = np.arange(1, len(place) + 1)
    names = ranking.photos.images.names or ranking.photos.files
    return Pictures(
        pictures=tuple(
            Picture(
                png=_png(ranking, i),
                caption=f"{place[i]}. {_short(names[i])}, weight {ranking.weight[i]:.2f}"
                + (", flagged" if ranking.flagged[i] else ""),
                alt=f"Image {_short(names[i])}, rank {place[i]}",
            )
            for i in chosen.tolist()
        ),
        budget=BUDGET,
        dense=True,
    )


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= NAME else "…" + name[-NAME + 1 :]


def _png(ranking: Ranking, i: int) -> bytes:
    pixels = ranking.photos.images.images[i].permute(1, 2, 0).numpy()
    image = Image.fromarray(np.ascontiguousarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels))
    if image.width > LONGEST:
        image = image.resize((LONGEST, LONGEST), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
