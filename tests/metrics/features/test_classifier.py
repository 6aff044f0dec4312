import pytest
import torch

from saddle.data import ImageSet
from saddle.errors import UserError
from saddle.metrics.features import ClassifierFeatures, classifier
from saddle.metrics.features.classifier_network import folded_shapes


@pytest.fixture(scope="module")
def small() -> ImageSet:
    """Sixty noisy 12x12 colour pictures, dark on the left or on the right."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(128, 256, (60, 3, 12, 12), dtype=torch.uint8, generator=generator)
    labels = torch.arange(60) % 2
    for image, label in zip(images, labels, strict=True):
        image[:, :, 6 * int(label) : 6 * int(label) + 6] //= 4
    return ImageSet(name="small", images=images, labels=labels, classes=("left", "right"))


def test_it_learns_the_digits(digits):
    train, test = digits.subset(range(1437)), digits.subset(range(1437, 1797))
    said = []
    extractor = ClassifierFeatures(train, status=said.append)
    # Nearest class mean on the features: no second learner helps.
    features, unseen = extractor(train.images), extractor(test.images)
    centres = torch.stack([features[train.labels == c].mean(0) for c in range(10)])
    nearest = torch.cdist(unseen, centres).argmin(1)
    assert float((nearest == test.labels).float().mean()) > 0.95
    assert extractor.held_out == 143 and extractor.accuracy > 0.95
    assert unseen.shape == (360, 128)
    assert said[0] == "training the classifier for features: epoch 1 of 16"


def test_training_is_bit_equal_and_leaves_the_global_generator(small):
    before = torch.get_rng_state()
    first = ClassifierFeatures(small)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    second = ClassifierFeatures(small)
    assert first.identity == second.identity
    assert torch.equal(first(small.images), second(small.images))


def test_it_is_trained_once(small, tmp_path, monkeypatch):
    trained = ClassifierFeatures(small, cache=tmp_path / "cache")
    monkeypatch.setattr(classifier, "train_classifier", None)  # a second training would fail
    read = ClassifierFeatures(small, cache=tmp_path / "cache")
    assert read.identity == trained.identity
    assert (read.accuracy, read.held_out) == (trained.accuracy, trained.held_out)
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_cache_file_is_trained_anew(small, tmp_path, damage):
    identity = ClassifierFeatures(small, cache=tmp_path).identity
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    flipped = whole[:-100] + bytes([whole[-100] ^ 64]) + whole[-99:]
    file.write_bytes({"cut": whole[:-7], "flipped": flipped, "empty": b"", "text": b"not a tensor"}[damage])
    assert ClassifierFeatures(small, cache=tmp_path).identity == identity
    assert file.read_bytes() == whole


def test_it_needs_labels_of_two_classes(small):
    with pytest.raises(UserError, match=r"no labels.*`random` or `efficientnet-lite0`"):
        ClassifierFeatures(ImageSet(name="bare", images=small.images))
    with pytest.raises(UserError, match="no labels"):
        ClassifierFeatures(None)
    one = ImageSet(
        name="one", images=small.images, labels=torch.zeros(60, dtype=torch.int64), classes=("a", "b")
    )
    with pytest.raises(UserError, match="at least two classes"):
        ClassifierFeatures(one)


def test_images_of_another_size_are_refused(small):
    extractor = ClassifierFeatures(small)
    with pytest.raises(UserError, match=r"\(3, 12, 12\), not \(3, 16, 16\)"):
        extractor(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))


@pytest.mark.parametrize("size", [8, 14, 28, 32, 64, 128])
def test_every_supported_size_trains(size):
    images = torch.randint(0, 256, (12, 1, size, size), dtype=torch.uint8)
    data = ImageSet(name="noise", images=images, labels=torch.arange(12) % 3, classes=("a", "b", "c"))
    extractor = ClassifierFeatures(data)
    extractor.batch = 12
    assert bool(extractor(images).isfinite().all())
    assert folded_shapes(size, 1)["conv0.weight"][-1] >= 3
