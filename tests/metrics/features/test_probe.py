"""That EfficientNet-Lite0 is loaded right: how well a linear model on 450 labelled CIFAR-10 images reads it.

Measured on 1,000 test images: EfficientNet-Lite0 86 %, pixels 30 %, `random` 40 %, inception-768 83 %; a network
with one wrong layer falls far below. 300 test images have a standard error of 2 points, hence the tolerance.
"""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from saddle.data import DataConfig, load_split
from saddle.metrics.features import EfficientNetFeatures, FeatureExtractor, RandomConvFeatures


def test_a_linear_probe_reads_the_networks_as_well_as_it_should(shared_data):
    split = load_split(DataConfig(data=str(shared_data / "cifar10.npz")))
    train, test = split.train.subset(range(450)), split.test.subset(range(300))

    def accuracy(extractor: FeatureExtractor) -> float:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=200))
        return float(
            model.fit(extractor(train.images), train.labels).score(extractor(test.images), test.labels)
        )

    folded = EfficientNetFeatures(shared_data / "efficientnet_lite0_fp16.safetensors")
    assert accuracy(folded) > 0.80
    assert 0.30 < accuracy(RandomConvFeatures(size=32)) < 0.50
