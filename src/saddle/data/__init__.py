"""Images from folders, zips, arrays and named sets, as one uint8 tensor; every bad file is named before training."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.data.config import DataConfig as DataConfig
    from saddle.data.contamination import contaminate as contaminate
    from saddle.data.imageset import ImageSet as ImageSet
    from saddle.data.imageset import Split as Split
    from saddle.data.read import read_images as read_images
    from saddle.data.split import check_batch as check_batch
    from saddle.data.split import load_split as load_split

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DataConfig": "config",
        "ImageSet": "imageset",
        "Split": "imageset",
        "check_batch": "split",
        "contaminate": "contamination",
        "load_split": "split",
        "read_images": "read",
    },
)
