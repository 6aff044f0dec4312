import pytest
import torch

from saddle.errors import UserError
from saddle.metrics.features import PixelFeatures, RandomConvFeatures


@pytest.mark.parametrize("bad", [
    torch.zeros(2, 3, 8, 8),
    torch.zeros(2, 4, 8, 8, dtype=torch.uint8),
    torch.zeros(3, 8, 8, dtype=torch.uint8),
    torch.zeros(0, 3, 8, 8, dtype=torch.uint8),
], ids=["float", "four channels", "three dimensions", "none"])  # fmt: skip
def test_what_is_no_image_batch_is_refused(bad):
    extractor = RandomConvFeatures(size=8)
    # The shape annotations would stop it before us: __wrapped__ is what users run.
    call = getattr(type(extractor).__call__, "__wrapped__", type(extractor).__call__)
    with pytest.raises(UserError, match=r"uint8 images of shape \(n, 1 or 3, height, width\)"):
        call(extractor, bad)


def test_features_do_not_depend_on_how_images_are_grouped(digits):
    extractor = RandomConvFeatures(size=8)
    images = digits.images[:150]  # two whole batches of 64, and a part
    parts = torch.cat([extractor(images[:3]), extractor(images[3:80]), extractor(images[80:])])
    assert torch.equal(extractor(images), parts)


def test_features_are_ordinary_tensors_on_the_cpu(digits):
    features = PixelFeatures(size=8, channels=1)(digits.images[:4])
    assert features.dtype == torch.float32 and features.device.type == "cpu"
    assert not features.is_inference()


def test_pixels_are_the_values_over_255(digits):
    extractor = PixelFeatures(size=8, channels=1)
    assert extractor.dim == 64
    assert torch.equal(extractor(digits.images[:9]), digits.images[:9].flatten(1).float() / 255)


def test_pixels_of_large_pictures_are_averaged_over_squares():
    extractor = PixelFeatures(size=128, channels=3)
    extractor.batch = 1
    image = torch.randint(0, 256, (1, 3, 128, 128), dtype=torch.uint8)
    assert extractor.dim == 12_288 and "2x2" in extractor.identity
    expected = (image.float() / 255).unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2)).flatten(1)
    assert torch.allclose(extractor(image), expected, atol=1e-6)


def test_pixels_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"\(1, 8, 8\), not \(3, 8, 8\)"):
        PixelFeatures(size=8, channels=1)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
