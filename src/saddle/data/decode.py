"""One image file's bytes to pixels, safely: upright, without transparency, grey or RGB, 8 bits."""

import io
import zlib

import numpy as np
from jaxtyping import UInt8
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from saddle.data.header import Header, read_header
from saddle.data.problems import BadImage
from saddle.data.resample import fit_image, planes

__all__ = ["decode", "decode_image"]

# The plug-ins themselves, not Image.open: no other format is tried, and no bomb check of Pillow's that warns.
OPEN = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, resize: int | None, channels: int) -> UInt8[np.ndarray, "c h w"]:
    """Decode a PNG, JPEG or WebP to `(channels, height, width)`.

    EXIF orientation is applied, transparency is laid on white, 16-bit samples keep their high byte (an 8-bit value
    that was widened by 257 comes back exactly), the first frame of an animation is taken. See `fit_image` for
    `resize` and `channels`.

    Raises:
        BadImage: for anything that does not decode to its end.
    """
    return planes(fit_image(decode_image(data), resize=resize, channels=channels))


def decode_image(data: bytes) -> Image.Image:
    """Decode to an upright opaque Pillow image of mode `L` or `RGB`."""
    header = read_header(io.BytesIO(data))
    check_whole(data, header)
    try:
        with OPEN[header.kind](io.BytesIO(data)) as image:
            if image.size != (header.width, header.height):
                raise BadImage("has two headers that disagree about its size")
            image.load()
            return upright(opaque(image), orientation(image))
    except BadImage:
        raise
    # Pillow's decoders answer hostile bytes with many types (OSError, SyntaxError, struct.error, IndexError, …).
    except Exception as error:
        raise BadImage(f"is corrupt or cut short: {error}") from error


def check_whole(data: bytes, header: Header) -> None:
    """Find damage that the decoders pass over: Pillow does not check a PNG's checksums nor WebP's length."""
    if header.kind == "PNG":
        check_png(data)
    elif header.kind == "WebP" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise BadImage("is a WebP cut short")


def check_png(data: bytes) -> None:
    """Walk the chunks (length, type, data, CRC-32 of type and data) to the last one."""
    at, kind = 8, b""
    view = memoryview(data)
    while kind != b"IEND":
        length = int.from_bytes(view[at : at + 4], "big")
        kind = bytes(view[at + 4 : at + 8])
        end = at + 8 + length
        if end + 4 > len(data):
            raise BadImage("is a PNG cut short")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise BadImage("is a corrupt PNG: a checksum does not agree")
        at = end + 4


def orientation(image: Image.Image) -> int:
    """The EXIF orientation 1..8; 1 where there is none or it cannot be read (as every viewer does)."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:
        return 1


def upright(image: Image.Image, turned: int) -> Image.Image:
    return image.transpose(UPRIGHT[turned]) if turned in UPRIGHT else image


def opaque(image: Image.Image) -> Image.Image:
    """Bring any mode to `L` or `RGB`, with what is transparent laid on white."""
    if image.mode.startswith("I"):
        return high_bytes(image)
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return image.convert("L")
    if image.mode == "LA":
        return on_white(image, "L")
    if image.mode in ("P", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        grey = image.mode in ("1", "L", "La")
        flat = on_white(image.convert("RGBA"), "RGB")
        return flat.convert("L") if grey else flat
    return image.convert("RGB")


def on_white(image: Image.Image, mode: str) -> Image.Image:
    white = Image.new(mode, image.size, "white")
    white.paste(image.convert(mode), mask=image.getchannel("A"))
    return white


def high_bytes(image: Image.Image) -> Image.Image:
    """16-bit grey to 8 bits: the high byte, as Pillow itself does for 16-bit RGB; a transparent value is white."""
    values = np.asarray(image)
    grey = (np.clip(values, 0, 65535) >> 8).astype(np.uint8)
    clear = image.info.get("transparency")
    return Image.fromarray(np.where(values == clear, np.uint8(255), grey) if isinstance(clear, int) else grey)
