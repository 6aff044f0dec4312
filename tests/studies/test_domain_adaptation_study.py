"""The study domain-adaptation from files to page: forms of domains, one tiny run, resuming, refusals."""

import io
import json
from dataclasses import replace
from shutil import copytree

import numpy as np
import pytest
import torch
from PIL import Image

from saddle.core import Verdict
from saddle.errors import UserError
from saddle.studies.carry_out import read_study
from saddle.studies.cell import CellResult
from saddle.studies.domain_adaptation.cells import cell_name
from saddle.studies.domain_adaptation.claims import accuracies, claims
from saddle.studies.domain_adaptation.config import METHODS, DomainAdaptationConfig
from saddle.studies.domain_adaptation.domains import load_others, load_pair, read_others, read_pair, store
from saddle.studies.domain_adaptation.runner import run
from saddle.studies.domain_adaptation.standins import CHANGES, stand_in
from saddle.studies.pages import build_page
from saddle.studies.study import find_study


def grey(n: int, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size), dtype=np.uint8)


def strips(images: np.ndarray, each: int) -> dict[str, np.ndarray]:
    """Lossless WebP strips, as MNIST-M is packed: stacks of `each` images, end to end, with the offsets of the cuts."""
    files = []
    for start in range(0, len(images), each):
        part, buffer = images[start : start + each], io.BytesIO()
        Image.fromarray(part.reshape(-1, part.shape[2], 3)).save(buffer, "WEBP", lossless=True)
        files.append(np.frombuffer(buffer.getvalue(), np.uint8))
    return {"webp": np.concatenate(files), "offsets": np.cumsum([0, *map(len, files)])}


@pytest.fixture
def folder(tmp_path):
    """One domain in every form: mnist.npz, usps.npz in thousandths, mnist_m_small.npz in WebP strips, photos/ in folders."""
    digits = np.arange(40, dtype=np.uint8) % 10
    np.savez(
        tmp_path / "mnist.npz",
        x_train=grey(40, 28, 0),
        y_train=digits,
        x_test=grey(20, 28, 1),
        y_test=digits[:20],
    )
    thousandths = (grey(40, 16, 2).astype(np.int32) * 2000 // 255 - 1000).astype(np.int16)
    meta = json.dumps({"values": "int16 thousandths: pixel = x/1000 in [-1,1], -1 = background"})
    np.savez(
        tmp_path / "usps.npz", x_train=thousandths, y_train=digits, x_test=thousandths[:20], y_test=digits[:20], meta=meta
    )  # fmt: skip
    coloured = np.random.default_rng(3).integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    packed: dict[str, np.ndarray] = {}
    for part, pixels in (("train", coloured[:40]), ("test", coloured[40:])):
        packed |= {f"x_{part}_{key}": value for key, value in strips(pixels, 15).items()}
        packed[f"y_{part}"] = digits[: len(pixels)]
    np.savez(tmp_path / "mnist_m_small.npz", allow_pickle=False, **packed)  # type: ignore[arg-type]
    for name in "01":
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(30):
            Image.fromarray(grey(1, 20, 10 + i)[0]).save(tmp_path / "photos" / name / f"{i}.png")
    np.save(tmp_path / "x_plain.npy", grey(50, 16, 4))
    np.save(tmp_path / "y_plain.npy", np.arange(50) % 2)
    return tmp_path


def config(folder, *pairs: str, **changes) -> DomainAdaptationConfig:
    return DomainAdaptationConfig(data=folder, pairs=pairs, batch=10, known=5, **changes)


def test_forms_of_domains_come_to_one(folder):
    pair = load_pair(config(folder, "mnist:usps", size=16), "mnist:usps")
    assert pair.source.shape == (40, 1, 16, 16) and pair.target_test.shape == (20, 1, 16, 16)
    assert pair.classes == tuple("0123456789")
    # −1000 is black and 1000 is white, whatever the order in which the images come.
    assert int(pair.target.min()) == 0 and int(pair.target.max()) == 255
    colour = load_pair(config(folder, "mnist:mnist_m", size=32), "mnist:mnist_m")
    assert colour.source.shape == (40, 3, 32, 32) and colour.target.shape == (40, 3, 32, 32)
    with np.load(folder / "mnist_m_small.npz") as packed:
        assert torch.equal(
            colour.target_labels.bincount(), torch.from_numpy(packed["y_train"]).long().bincount()
        )
    # Lossless: every image of the first seed's 40 is among those that were packed, pixel for pixel.
    wanted = (
        np.random.default_rng(3).integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)[:40].transpose(0, 3, 1, 2)
    )
    assert {image.tobytes() for image in colour.target.numpy()} == {image.tobytes() for image in wanted}


def test_folders_and_plain_arrays_are_domains(folder):
    pair = load_pair(config(folder, "photos:x_plain", contaminations=("clean",)), "photos:x_plain")
    assert pair.classes == ("0", "1") and pair.source.shape[1:] == (1, 16, 16)
    assert len(pair.source) + len(pair.source_test) == 60 and len(pair.target) + len(pair.target_test) == 50
    # A folder is sorted by class; the parts are not.
    assert 0 < int(pair.source_labels[:20].sum()) < 20


def test_classes_that_the_source_lacks_are_foreign(folder):
    pair = load_pair(config(folder, "photos:usps", contaminations=("clean",)), "photos:usps")
    assert sorted(pair.target_labels.unique().tolist()) == [-1, 0, 1]


@pytest.mark.parametrize(
    ("pair", "changes", "words"),
    [
        ("mnist:svhn", {}, "holds no svhn"),
        ("mnist:usps", {"batch": 50}, "fewer than a batch of 50"),
        ("photos:usps", {"known": 2, "contaminations": ("foreign",)}, "--known is 2"),
        # 40 images of 10 classes: 8 of the first two, and a batch is 10.
        (
            "mnist:usps",
            {"known": 2, "contaminations": ("foreign",)},
            "source, of the first 2 .* fewer than a batch",
        ),
        (
            "mnist:usps",
            {"known": 2, "contaminations": ("missing",)},
            "target, of the first 2 .* fewer than a batch",
        ),
        ("mnist:x_plain", {"contaminations": ("foreign",)}, "none is foreign"),
        ("mnist:usps", {"share": 0.001, "contaminations": ("noise",)}, "is 0 images"),
    ],
)
def test_domains_that_cannot_be_studied_are_refused(folder, pair, changes, words):
    made = replace(config(folder, pair), **changes)
    with pytest.raises(UserError, match=words):
        load_pair(made, pair)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pairs": ("mnist",)}, "SOURCE:TARGET"),
        ({"pairs": ("mnist:usps", "mnist:usps")}, "twice"),
        ({"contaminations": ()}, "names none"),
        ({"share": 0.95}, "--share is 0.95"),
        ({"size": 10}, "--size is 10"),
        ({"steps": 0}, "--steps is 0"),
        ({"others": "cifar10"}, "--others names a data set"),
    ],
)
def test_options_that_cannot_be_are_refused(changes, words):
    with pytest.raises(UserError, match=words):
        DomainAdaptationConfig(**changes)


def test_without_labels_a_domain_is_refused(folder):
    np.save(folder / "bare.npy", grey(40, 16, 0))
    with pytest.raises(UserError, match="bare has no labels"):
        load_pair(config(folder, "mnist:bare"), "mnist:bare")


def test_too_few_other_images_are_refused_before_anything_is_written(folder, tmp_path):
    np.save(folder / "x_few.npy", grey(3, 16, 0))
    made = replace(
        config(folder, "mnist:usps", others="x_few", contaminations=("images",)), out=tmp_path / "out"
    )
    # A fifth of the 40 target images are 8.
    with pytest.raises(UserError, match="x_few holds 3 images, and 8"):
        run(made)
    assert not made.out.exists()


def test_what_is_stored_is_read_back(folder, tmp_path):
    made = config(folder, "mnist:usps")
    pair, others = load_pair(made, "mnist:usps"), load_others(made, 7, 1)
    keys = [store(tmp_path / "cache", each) for each in (pair, others)]
    assert keys == [store(tmp_path / "cache", each) for each in (pair, others)]
    again = read_pair(tmp_path / "cache" / f"{keys[0]}.npz")
    assert torch.equal(again.target, pair.target) and again.classes == pair.classes
    assert torch.equal(read_others(tmp_path / "cache" / f"{keys[1]}.npz"), others) and len(others) == 7
    (tmp_path / "cache" / f"{keys[0]}.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"is damaged.*Delete it"):
        read_pair(tmp_path / "cache" / f"{keys[0]}.npz")


def test_stand_ins_share_no_image_and_every_target_is_changed():
    source = stand_in("digits", size=8)
    seen = {image.tobytes() for part in (source.train, source.test) for image in part.images.numpy()}
    for name in CHANGES:
        target = stand_in(name, size=8)
        assert len(target.train) + len(target.test) + len(source.train) + len(source.test) == 1797
        fresh = [
            image.tobytes() not in seen
            for part in (target.train, target.test)
            for image in part.images.numpy()
        ]
        assert np.mean(fresh) > 0.99
    with pytest.raises(UserError, match="no stand-in 'svhn'"):
        stand_in("svhn", size=8)


TINY = DomainAdaptationConfig(
    pairs=("digits:blurred",),
    methods=("adversarial", "robust"),
    contaminations=("clean", "foreign"),
    seeds=2,
    steps=2,
    batch=16,
    workers=1,
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A tiny study from nothing, and its configuration."""
    made = replace(TINY, out=tmp_path_factory.mktemp("tiny") / "study")
    return made, run(made).finished


def test_a_tiny_study_is_computed_and_never_twice(study):
    made, done = study
    # Two of the source alone, two targets of two methods.
    assert done is not None and len(done.results) == 6
    times = {path: path.stat().st_mtime_ns for path in made.out.glob("*/result.json")}
    fewer = run(replace(made, methods=("adversarial",))).finished
    assert fewer is not None and len(fewer.results) == 4
    again = run(made).finished
    assert again is not None and {path: path.stat().st_mtime_ns for path in times} == times
    assert [claim.to_json() for claim in again.claims] == [claim.to_json() for claim in done.claims]


def test_the_page_needs_the_folder_alone_wherever_it_lies(study, tmp_path):
    made, done = study
    copytree(made.out, tmp_path / "moved")
    again = read_study(tmp_path / "moved")
    assert [claim.to_json() for claim in again.claims] == [claim.to_json() for claim in done.claims]
    page = build_page(again).read_text()
    assert "stand-in" in page and "digits\u00a0→\u00a0blurred" in page
    for text in (page, (made.out / "study.json").read_text()):
        assert str(made.out.parent) not in text and str(tmp_path) not in text


def test_a_damaged_study_is_said_to_be(study, tmp_path):
    made, _ = study
    copytree(made.out, tmp_path / "study")
    stored = json.loads((made.out / "study.json").read_text())
    for change in ({"config": {"colour": "red"}}, {"config": None}, {"data": {}}, {"version": "0"}):
        (tmp_path / "study" / "study.json").write_text(json.dumps(stored | change))
        with pytest.raises(UserError, match=r"is damaged|another version"):
            read_study(tmp_path / "study")


def fabricated(config: DomainAdaptationConfig, level) -> dict[str, CellResult]:
    """Results whose accuracy is `level(case, method, seed)` in every class."""
    found = {}
    for case in config.contaminations:
        for method in METHODS:
            rows = [[level(case, method, seed)] * 10 for seed in range(config.seeds)]
            found[cell_name("digits:blurred", case, method)] = CellResult(
                numbers={"auroc": [0.9 + 0.01 * seed for seed in range(config.seeds)]},
                arrays={"class accuracy": np.array(rows)},
            )
    return found


def test_claims_are_of_paired_differences():
    # Seeds differ by ten points and methods by two: unpaired nothing could be said, paired everything is decided.
    gain = {"source": 0.0, "adversarial": 0.02, "robust": 0.04, "trim": 0.0}
    made = replace(TINY, seeds=5, methods=METHODS, contaminations=("clean", "cluster", "foreign"))
    results = fabricated(made, lambda case, method, seed: 0.5 + 0.1 * seed + gain[method] * (1 + 0.01 * seed))
    verdicts = {claim.statement: claim for claim in claims(made, results)}
    clean = {text.split(", ")[1].split(": ")[1]: claim for text, claim in verdicts.items() if "clean" in text}
    assert clean["adversarial − source-only"].verdict is Verdict.SUPPORTED
    assert clean["robust (chi-square) − adversarial"].measured.value == pytest.approx(2.04)
    assert clean["robust (trimming) − adversarial"].verdict is Verdict.REFUTED
    assert all(claim.measured.n == 5 for claim in verdicts.values())
    assert sum("AUROC" in text for text in verdicts) == 4
    # Where no contaminant is among the images that are looked at, there is no AUROC to claim anything of.
    for method in ("robust", "trim"):
        name = cell_name("digits:blurred", "cluster", method)
        results[name] = CellResult(numbers={"auroc": [None] * 5}, arrays=results[name].arrays)
    assert sum("AUROC" in claim.statement for claim in claims(made, results)) == 2


def test_only_the_classes_of_the_case_are_scored():
    made = replace(TINY, known=4)
    results = fabricated(made, lambda *_: 0.0)
    shares = np.array([[1.0] * 4 + [0.0] * 6] * 2)
    name = cell_name("digits:blurred", "foreign", "robust")
    results[name] = CellResult(arrays={"class accuracy": shares})
    assert accuracies(made, results, "digits:blurred", "foreign", "robust").tolist() == [1.0, 1.0]


def test_the_study_is_listed_with_its_own_options():
    study = find_study("domain-adaptation")
    assert study.own_options and study.config_type is DomainAdaptationConfig
    assert DomainAdaptationConfig.full().contaminations[0] == "clean"
