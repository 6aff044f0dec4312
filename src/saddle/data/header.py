"""Width, height and colour of a PNG, JPEG or WebP from its first bytes, without decoding anything.

Own code rather than Pillow's: it reads a few bytes of a large file, and a bomb is refused before any decoder sees it.
"""

import struct
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Literal, final

from saddle.data.problems import BadImage

__all__ = ["MAX_FILE_BYTES", "MAX_PIXELS", "Header", "read_header"]

MAX_PIXELS = 64 * 2**20
"Largest image that is decoded: 8192 x 8192. Decoded and converted it takes about half a gigabyte."
MAX_FILE_BYTES = 256 * 2**20
"Largest encoded file."

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
# Start-of-frame markers: C0..CF without DHT (C4), JPG (C8) and DAC (CC).
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset(range(0xD0, 0xD8)) | {0x01}
MAX_SEGMENTS = 4096


@final
@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says about itself."""

    kind: Literal["PNG", "JPEG", "WebP"]
    width: int
    height: int
    grey: bool
    "Whether it has no colour: PNG types 0 and 4, one-component JPEG. A palette and every WebP count as colour."


def read_header(stream: BufferedIOBase) -> Header:
    """Read the header at the start of `stream`.

    Raises:
        BadImage: for a file of another kind, a header cut short, or more than `MAX_PIXELS` pixels.
    """
    start = stream.read(30)
    if not start:
        raise BadImage("is empty")
    if start.startswith(PNG):
        header = read_png(start)
    elif start.startswith(JPEG):
        stream.seek(2)
        header = read_jpeg(stream)
    elif start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        header = read_webp(start)
    else:
        raise BadImage("is not a PNG, JPEG or WebP image")
    if header.width < 1 or header.height < 1:
        raise BadImage(f"claims a size of {header.width}x{header.height} pixels")
    if header.width * header.height > MAX_PIXELS:
        raise BadImage(
            f"claims {header.width}x{header.height} pixels, more than the {MAX_PIXELS:,} that Saddle decodes"
        )
    return header


def read_png(start: bytes) -> Header:
    if len(start) < 26 or start[12:16] != b"IHDR":
        raise BadImage("is a PNG without a whole header")
    width, height, _, colour = struct.unpack(">IIBB", start[16:26])
    return Header(kind="PNG", width=width, height=height, grey=colour in (0, 4))


def read_jpeg(stream: BufferedIOBase) -> Header:
    for _ in range(MAX_SEGMENTS):
        marker = next_marker(stream)
        if marker in ALONE:
            continue
        (length,) = struct.unpack(">H", exactly(stream, 2))
        if marker in FRAMES:
            _, height, width, components = struct.unpack(">BHHB", exactly(stream, 6))
            return Header(kind="JPEG", width=width, height=height, grey=components == 1)
        if marker in (0xD9, 0xDA) or length < 2:
            break
        exactly(stream, length - 2)
    raise BadImage("is a JPEG without a frame header")


def next_marker(stream: BufferedIOBase) -> int:
    if exactly(stream, 1) != b"\xff":
        raise BadImage("is a JPEG with a broken header")
    marker = b"\xff"
    while marker == b"\xff":
        marker = exactly(stream, 1)
    return marker[0]


def exactly(stream: BufferedIOBase, n: int) -> bytes:
    data = stream.read(n)
    if len(data) < n:
        raise BadImage("is a JPEG cut short in its header")
    return data


def read_webp(start: bytes) -> Header:
    """RFC 9649: `VP8X` holds width-1 and height-1 in 24 bits, `VP8L` in 14 bits, `VP8 ` holds both in 14 bits."""
    chunk = start[12:16]
    if len(start) < 30:
        raise BadImage("is a WebP without a whole header")
    if chunk == b"VP8X":
        width, height = (int.from_bytes(start[i : i + 3], "little") + 1 for i in (24, 27))
    elif chunk == b"VP8L" and start[20] == 0x2F:
        bits = int.from_bytes(start[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 " and start[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(start[i : i + 2], "little") & 0x3FFF for i in (26, 28))
    else:
        raise BadImage("is a WebP with a broken header")
    return Header(kind="WebP", width=width, height=height, grey=False)
