"""Numbers are called by their right names."""

import subprocess
import sys

import pytest

from saddle.errors import UserError
from saddle.metrics import EXTRACTORS, METRICS, MetricsConfig, metric_info, metric_label


def test_fid_and_kid_are_names_of_the_standard_features_only():
    labels = {e: (metric_label("frechet", e), metric_label("kernel", e)) for e in EXTRACTORS}
    assert labels["inception-2048"] == ("FID", "KID")
    assert labels["random"] == ("FD(random)", "KD(random)")
    assert [e for e, pair in labels.items() if pair == ("FID", "KID")] == ["inception-2048"]
    assert metric_label("precision", "inception-2048") == "precision(inception-2048)"
    assert metric_label("coverage", "my network") == "coverage(my network)"


def test_every_metric_has_a_direction_and_a_sentence():
    assert [info.key for info in METRICS if info.better == "lower"] == ["frechet", "kernel"]
    assert all(info.sentence.endswith(".") and metric_info(info.key) is info for info in METRICS)


def test_an_unknown_metric_is_named():
    with pytest.raises(UserError, match="There is no metric 'fid'"):
        metric_label("fid", "random")


def test_options_and_names_need_no_torch():
    code = "import sys; from saddle.metrics import MetricsConfig, EXTRACTORS, metric_label; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
    assert MetricsConfig().features in ("auto", *EXTRACTORS)
