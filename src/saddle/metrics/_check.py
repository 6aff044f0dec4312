"""Checks that every metric makes of the features it is given."""

from torch import Tensor

from saddle.errors import UserError

__all__ = ["check_pair", "check_side"]


def check_side(features: Tensor, side: str, *, least: int = 2) -> None:
    """Raise UserError unless `features` is a finite real (n, d) matrix with n ≥ `least`."""
    if features.ndim != 2 or features.shape[1] == 0 or not features.is_floating_point():
        raise UserError(
            f"The {side} features are a {features.dtype} tensor of shape {tuple(features.shape)}, but a metric "
            "compares one row of numbers per image. Pass a floating point tensor of shape (images, features)."
        )
    count = features.shape[0]
    if count < least:
        raise UserError(
            f"The {side} side has {count} image{'' if count == 1 else 's'}, but this metric needs at least {least}. "
            "Pass more images."
        )
    # One flag first: the masks below are made only for the message.
    if not features.isfinite().all():
        bad = (~features.isfinite()).any(dim=1).nonzero().flatten()
        kind = "NaN" if features.isnan().any() else "infinite values"
        raise UserError(
            f"The {side} features hold {kind} in {len(bad)} of {count} images (the first is image {int(bad[0])}), "
            "so no distance exists. Check the images or the feature extractor."
        )


def check_pair(real: Tensor, fake: Tensor, *, least: int = 2) -> None:
    """Check both sides, and that they have the same features."""
    check_side(real, "real", least=least)
    check_side(fake, "fake", least=least)
    if real.shape[1] != fake.shape[1]:
        raise UserError(
            f"The real side has {real.shape[1]} features an image and the fake side {fake.shape[1]}, so they were "
            "made by different extractors. Use one extractor for both."
        )
