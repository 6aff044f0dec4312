import pytest

from saddle.errors import UserError
from saddle.metrics.config import EXTRACTORS
from saddle.metrics.features import make_extractor
from saddle.metrics.features.inception_layers import DIMS


@pytest.mark.parametrize(("name", "hint"), [("pixel", "Did you mean 'pixels'"), ("inception", "Did you mean 'inc"),
                                            ("efficientnet", "'efficientnet-lite0'"), ("zzz", "Known are pixels, ran")])  # fmt: skip
def test_an_unknown_name_is_told_the_nearest(name, hint):
    with pytest.raises(UserError, match=hint):
        make_extractor(name, size=8, channels=1)


def test_every_listed_name_is_known(digits):
    assert [int(n.removeprefix("inception-")) for n in EXTRACTORS if n.startswith("inception-")] == list(DIMS)
    for name in ("pixels", "random", "classifier"):
        extractor = make_extractor(name, size=8, channels=1, train=digits.subset(range(200)))
        assert extractor.name == name
        assert extractor(digits.images[:3]).shape == (3, extractor.dim)
    for name in EXTRACTORS[4:]:
        with pytest.raises(UserError, match=f"{name} needs a file with the network's weights.*--weights"):
            make_extractor(name, size=8, channels=1)
