"""scikit-learn's digits: 1,797 real handwritten digits, 8 x 8, which need no file."""

from typing import cast

import numpy as np

from saddle.data.options import Options
from saddle.data.source import Raw, Source

__all__ = ["ALIAS", "NAME", "read_digits"]

NAME = "digits"
ALIAS = "sklearn:digits"
"The same where a file or folder called `digits` lies in the way."


def read_digits() -> Source:
    """The test part of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998).

    Its grey levels 0..16 become `round(255 x / 16)`; the only tie, x = 8, goes to 128.
    """

    def load(options: Options) -> Raw:
        from sklearn.datasets import load_digits  # A second of import that other sources need not pay.
        from sklearn.utils import Bunch

        digits = cast(Bunch, load_digits())
        rows = options.draw(len(digits.images))
        pixels = np.rint(digits.images * 255 / 16).astype(np.uint8)[:, None]
        return Raw(
            pixels=pixels[rows],
            labels=digits.target[rows].astype(np.int64),
            names=tuple(f"[{row}]" for row in rows),
        )

    return Source(name=NAME, where=NAME, classes=tuple("0123456789"), train=load)
