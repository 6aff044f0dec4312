"""Pictures inside the page, as data URIs, within a budget of bytes."""

import base64
import io
from dataclasses import dataclass, field
from typing import ClassVar, final

from saddle.errors import UserError
from saddle.report.blocks import Block

__all__ = ["Picture", "Pictures"]

PNG = b"\x89PNG\r\n\x1a\n"
PIXELATED_BELOW = 400
"Pictures narrower than this many pixels are shown enlarged, every pixel a square."


@final
@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG, its caption and the words that stand for it where it is not seen.

    Raises:
        UserError: the bytes are no PNG.
    """

    png: bytes = field(repr=False)
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if not self.png.startswith(PNG):
            raise UserError(f"The picture of {self.caption!r} is not a PNG; a report shows PNG files only.")

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, read from the header."""
        return int.from_bytes(self.png[16:20]), int.from_bytes(self.png[20:24])

    @property
    def pixelated(self) -> bool:
        """Whether the picture is small enough to be enlarged."""
        return self.size[0] < PIXELATED_BELOW


@final
@dataclass(frozen=True, kw_only=True)
class Pictures(Block):
    """Pictures side by side. Within `budget` bytes they are the PNG files themselves.

    Beyond it each is encoded again as WebP of quality 88, and the page says so: a report is to be mailed.
    """

    kind: ClassVar[str] = "pictures"
    pictures: tuple[Picture, ...]
    budget: int = 1_500_000
    dense: bool = False
    "Many small pictures: as wide as a thumbnail each."

    @property
    def compressed(self) -> bool:
        """Whether the pictures are shown with loss."""
        return sum(len(picture.png) for picture in self.pictures) > self.budget

    def source(self, picture: Picture) -> str:
        """Return the data URI of a picture."""
        if not self.compressed:
            return "data:image/png;base64," + base64.b64encode(picture.png).decode()
        from PIL import Image

        buffer = io.BytesIO()
        with Image.open(io.BytesIO(picture.png), formats=["PNG"]) as image:
            image.convert("RGB").save(buffer, "WEBP", quality=88, method=4)
        return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
