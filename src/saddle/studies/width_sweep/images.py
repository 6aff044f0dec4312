"""The decoded images of a sweep, kept beside its runs for worker processes and for resuming."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from saddle._files import replacing
from saddle.data import ImageSet, Split
from saddle.errors import UserError

__all__ = ["load_images", "store_images"]


def store_images(cache: Path, split: Split) -> None:
    """Write the pixels, labels and known outliers of `split` to `cache`, once for the same content."""
    for images in (split.train, split.test):
        path = _path(cache, images.digest)
        if _holds(path, images.digest):
            continue
        tensors = {"images": images.images.cpu().contiguous()}
        if images.labels is not None:
            tensors["labels"] = images.labels.cpu().contiguous()
        if images.outliers is not None:
            tensors["outliers"] = images.outliers.cpu().contiguous()
        with replacing(path) as temporary:
            save_file(tensors, temporary, {"name": images.name})


def _holds(path: Path, digest: str) -> bool:
    """Whether the file is there and whole; a damaged one is written again."""
    try:
        return path.exists() and _load(path.parent, digest).digest == digest
    except UserError:
        return False


def load_images(cache: Path, train: str, test: str) -> Split:
    """Read back what `store_images` wrote for these digests."""
    return Split(train=_load(cache, train), test=_load(cache, test))


def _load(cache: Path, digest: str) -> ImageSet:
    path = _path(cache, digest)
    try:
        tensors = load_file(path)
        images, labels, outliers = tensors["images"], tensors.get("labels"), tensors.get("outliers")
    except Exception as error:
        raise UserError(
            f"{path} cannot be read ({error}); delete it and run the same command again."
        ) from None
    classes = () if labels is None else tuple(str(i) for i in range(int(labels.max()) + 1))
    return ImageSet(name=digest[:12], images=images, labels=labels, classes=classes, outliers=outliers)


def _path(cache: Path, digest: str) -> Path:
    return cache / f"images-{digest[:16]}.safetensors"
