"""Crop, scale and colour: from images of any shape to the one that is wanted."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saddle.data.memory import check_memory
from saddle.data.options import Options
from saddle.data.parallel import each
from saddle.data.problems import not_square

__all__ = ["fit_image", "fit_pixels", "planes"]

ROWS = 4096


def fit_image(image: Image.Image, *, resize: int | None, channels: int) -> Image.Image:
    """Crop an `L` or `RGB` image to its middle square, scale it to `resize`, and then make it grey or RGB.

    The square is `(w - s) // 2, (h - s) // 2` with `s = min(w, h)`. Pillow's bicubic filter widens with the scale,
    so that shrinking is antialiased over the whole area. Grey is Pillow's luma (ITU-R 601-2).
    """
    if resize is not None and image.size != (resize, resize):
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
        image = image.resize((resize, resize), Image.Resampling.BICUBIC)
    return image.convert("L" if channels == 1 else "RGB")


def planes(image: Image.Image) -> UInt8[np.ndarray, "c h w"]:
    """An `L` or `RGB` image as an array, channel first."""
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def fit_pixels(
    pixels: UInt8[np.ndarray, "n c h w"], options: Options, where: str
) -> UInt8[np.ndarray, "n c2 h2 w2"]:
    """`fit_image` for images that already lie in one array.

    Raises:
        UserError: for images that are not square, without `resize`.
    """
    n, channels, height, width = pixels.shape
    wanted = options.channels or channels
    side = options.resize or height
    if options.resize is None and height != width:
        raise not_square(where, width, height)
    if (channels, height, width) == (wanted, side, side):
        return np.ascontiguousarray(pixels)
    check_memory(n * wanted * side * side, where, f"{n:,} images of {side}x{side} pixels")
    fitted = np.empty((n, wanted, side, side), np.uint8)
    if (height, width) == (side, side):
        for at in range(0, n, ROWS):
            fitted[at : at + ROWS] = recolour(pixels[at : at + ROWS])
        return fitted

    def fit(i: int) -> None:
        image = Image.fromarray(pixels[i, 0] if channels == 1 else pixels[i].transpose(1, 2, 0).copy())
        fitted[i] = planes(fit_image(image, resize=side, channels=wanted))

    each(fit, n)
    return fitted


def recolour(pixels: UInt8[np.ndarray, "n c h w"]) -> UInt8[np.ndarray, "n c2 h w"]:
    """Grey to RGB, or RGB to grey by Pillow's integers: `(19595 R + 38470 G + 7471 B + 2^15) >> 16`."""
    if pixels.shape[1] == 1:
        return np.repeat(pixels, 3, axis=1)
    red, green, blue = (pixels[:, i].astype(np.uint32) for i in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16).astype(np.uint8)[:, None]
