"""Options that cannot work are refused in a sentence before anything is written."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

DATA = ("--data", "digits", "--limit", 60)
TINY = ("--batch", 16, "--seeds", 1, "--steps", 2, "--features", "random", "--widths", 1, "--workers", 1)

REFUSED = [
    # options, what the message says, and what it tells to do
    (("--widths", 0), "--widths has 0", "at least 1"),
    (("--widths", 4, -8), "--widths has -8", "at least 1"),
    (("--widths", 4, 4), "--widths 4 4 names a width twice", "name each once"),
    (("--widths",), "--widths is empty", "--widths 8 16 32"),
    (("--widths", 1, 2, "--width-g", 0), "--width-g is 0", "at least 1"),
    (("--widths", 1, 2, "--width-g", 1, "--width-d", 1), "nothing for --widths to sweep", "one of them"),
    (("--seeds", 0), "--seeds is 0", "at least 1"),
    (("--steps", 0), "--steps is 0", "at least 1"),
    (("--steps", -5), "--steps is -5", "at least 1"),
    (("--fleet", 0), "--fleet is 0", "at least 1"),
    (("--workers", 0), "--workers is 0", "at least 1"),
    (("--checkpoint-every", 0), "--checkpoint-every is 0", "at least 1"),
    (("--evaluate-every", 0), "--evaluate-every is 0", "at least 1"),
    (("--batch", 0), "--batch is 0", "at least 1"),
    (("--latent", 0), "--latent is 0", "at least 1"),
    (("--lr-g", 0.0), "--lr-g is 0.0", "positive"),
    (("--lr-d", "nan"), "--lr-d is nan", "positive"),
    (("--lr-d", "inf"), "--lr-d is inf", "positive"),
    (("--beta1", 1), "--beta1 is 1.0", "below 1"),
    (("--ema", -0.1), "--ema is -0.1", "at least 0"),
    (("--r1", "nan"), "--r1 is nan", "positive"),
    (("--gradient-penalty", -1), "--gradient-penalty is -1.0", "positive"),
    (("--r1", 1, "--norm-d", "batch"), "--norm-d batch", "--norm-d auto"),
    (("--critic-steps", 5, "--scheme", "extragradient"), "--critic-steps 5", "--scheme alternating"),
    (("--resize", 0), "--resize is 0", "--resize 64"),
    (("--resize", 20), "20x20", "--resize 32"),
    (("--limit", 0), "--limit is 0", "positive"),
    (("--limit", 10), "fewer than a batch of 16", "--batch"),
    (("--test-fraction", 1.0), "--test-fraction is 1", "0.2"),
    (("--test-fraction", "nan"), "--test-fraction is nan", "0.2"),
    (("--split-seed", -1), "--split-seed is -1", "0 to"),
    (("--precision", "bfloat16", "--device", "cpu"), "--precision bfloat16", "--precision float32"),
    (("--precision", "tf32", "--device", "cpu"), "--precision tf32", "--precision float32"),
    (("--features", "ranom"), "'ranom'", "Did you mean 'random'?"),
    (("--features", "xyz"), "'xyz'", "Known are pixels"),
    (("--features", "nomodule:f"), "nomodule", ""),
    (("--features", "os:nothing"), "nothing", ""),
    (("--features", "os:getcwd"), "os:getcwd", ""),
    (("--features", "inception-2048"), "--weights", "--weights"),
    (("--samples", 2), "--samples is 2", "3 to 12"),
    (("--samples", 13), "--samples is 13", "3 to 12"),
    (("--samples", 5), "--neighbours is 5", "1 to 4"),
    (("--neighbours", 0), "--neighbours is 0", "1 to 11"),
    (("--neighbours", 12), "--neighbours is 12", "1 to 11"),
    (("--limit", 22), "--neighbours is 5, and with 4 images a side", "--test-fraction"),
    (("--limit", 20, "--test-fraction", 0.1), "2 images a side are too few", "--test-fraction"),
]


@pytest.mark.parametrize(
    ("options", "what", "remedy"), REFUSED, ids=[" ".join(map(str, r[0])) for r in REFUSED]
)
def test_a_sweep_refuses_what_cannot_work(options, what, remedy, refused):
    text = refused("sweep", *DATA, *TINY, *options, "--out", "out")
    assert what in text and remedy in text


MISSPELT = [
    (("--arch", "vgg"), "'vgg'", "resnet"),
    (("--wdths", 3), "--wdths", "Did you mean --widths?"),
    (("--channels", 2), "'2'", "'3'"),
    (("--seeds", "three"), "cannot read --seeds", "three"),
    (("--seeds", 1.5), "cannot read --seeds", "1.5"),
    (("--lr-g", "abc"), "cannot read --lr-g", "abc"),
    (("--widths", "8,16"), "cannot read --widths", "8,16"),
    (("--seeds",), "--seeds", "Missing value"),
    (("--seeds", 1, 2), "nrecognized", "2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "what", "said"), MISSPELT, ids=[" ".join(map(str, r[0])) for r in MISSPELT]
)
def test_a_word_that_is_no_option_or_value(options, what, said, refused):
    text = refused("sweep", *DATA, *options)
    assert what.lower() in text.lower() and said in text
    assert text.endswith("`saddle sweep --help` explains the options.") and len(text) < 250


def test_options_that_must_be_given(refused):
    assert refused("sweep").startswith("--data must be given.")
    assert refused("evaluate").startswith("--real and --fake must be given.")
    assert refused("report").startswith("PATH must be given.")


def test_without_a_gpu_cuda_is_refused(refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for words in (("sweep", *DATA, *TINY), ("evaluate", "--real", "digits", "--fake", "digits")):
        text = refused(*words, "--device", "cuda")
        assert "torch sees no CUDA device" in text and "--device cpu" in text


def test_the_classifier_needs_labels(refused):
    np.save("a.npy", np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8))
    text = refused("sweep", "--data", "a.npy", *TINY, "--features", "classifier")
    assert "labels" in text and "--features random" in text


class Runs:
    """What a hostile weights file would do when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def weights_garbage() -> None:
    Path("w.pt").write_bytes(b"\x00garbage" * 100)


def weights_that_run_code() -> None:
    torch.save({"a": Runs()}, "w.pt")


def weights_plain_pickle() -> None:
    Path("w.pt").write_bytes(pickle.dumps(Runs()))


def weights_of_another_network() -> None:
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(1, 1, 3, 3)}, "w.pt")


def weights_truncated_safetensors() -> None:
    Path("w.pt").write_bytes((1000).to_bytes(8, "little") + b'{"a":')


def weights_missing() -> None:
    pass


def weights_are_a_folder() -> None:
    Path("w.pt").mkdir()


@pytest.mark.parametrize(
    "make",
    [
        weights_garbage,
        weights_that_run_code,
        weights_plain_pickle,
        weights_of_another_network,
        weights_truncated_safetensors,
        weights_missing,
        weights_are_a_folder,
    ],
)
def test_weights_that_cannot_be_used(make, refused):
    make()
    text = refused("sweep", *DATA, *TINY, "--features", "inception-64", "--weights", "w.pt")
    assert "w.pt" in text
    assert not Path("ran").exists()


def test_out_must_be_a_folder_of_saddle_or_new(refused):
    words = ("sweep", *DATA, *TINY, "--out")
    Path("file").write_text("mine")
    assert refused(*words, "file") == "--out file is no folder; name a folder, new or of an earlier sweep."
    assert "lies below" in refused(*words, "file/deeper")
    Path("link").symlink_to("nowhere")
    assert "link is no folder" in refused(*words, "link")
    Path("papers").mkdir()
    Path("papers/thesis.tex").write_text("mine")
    assert "papers holds other things" in refused(*words, "papers")
    Path("papers/cache").mkdir()
    assert "papers holds other things" in refused(*words, "papers")
    assert "holds other things" in refused(
        "train", *DATA, "--features", "random", "--batch", 16, "--out", "papers"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_must_be_writable(refused):
    Path("locked").mkdir(mode=0o500)
    assert "may not be written" in refused("sweep", *DATA, *TINY, "--out", "locked/out")


def test_train_refuses_its_own_options(refused):
    for options, what in [
        (("--width", 0), "--width is 0"),
        (("--width-d", -1), "--width-d is -1"),
        (("--seed", -1), "--seed is -1"),
    ]:
        assert what in refused("train", *DATA, "--features", "random", *options)
    # An option of the sweep is none of `train`.
    assert "nrecognized" in refused("train", *DATA, "--widths", 1)
