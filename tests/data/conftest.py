"""Tiny image files for the tests of `saddle.data`."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Picture = Callable[..., np.ndarray]


@pytest.fixture
def picture() -> Picture:
    """`picture(seed, size=8, channels=3)`: random pixels, (h, w, 3) or (h, w)."""

    def make(seed: int, size: int | tuple[int, int] = 8, channels: int = 3) -> np.ndarray:
        width, height = (size, size) if isinstance(size, int) else size
        shape = (height, width, 3) if channels == 3 else (height, width)
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    return make


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """`encoded(array or image, kind="PNG", **options)`: the bytes of an image file."""

    def make(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
        image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        return stream.getvalue()

    return make


@pytest.fixture
def photos(tmp_path: Path, picture: Picture, encoded: Callable[..., bytes], monkeypatch) -> Path:
    """A folder `photos` with a.png … d.png of 8x8 RGB; the test runs in the folder that holds it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, name in enumerate("abcd"):
        (folder / f"{name}.png").write_bytes(encoded(picture(seed)))
    return Path("photos")
