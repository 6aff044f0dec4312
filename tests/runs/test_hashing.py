"""Hashes name runs for ever, so their values are pinned here; never change one, add a format version instead."""

import json
import math
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saddle.errors import UserError
from saddle.runs import canonical_json, config_hash

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
CONFIGS = st.dictionaries(st.text(), TREES, max_size=4)


@pytest.mark.parametrize(
    ("config", "text", "digest"),
    [
        # sha256 of the text beside it (`printf %s TEXT | sha256sum`), 16 digits
        ({}, "{}", "44136fa355b3678a"),
        ({"width": 8, "seed": 0}, '{"seed":0,"width":8}', "7def721023d24428"),
        ({"lr": 2e-4, "betas": (0.5, 0.999)}, '{"betas":[0.5,0.999],"lr":0.0002}', "f2f4ecafa31acd73"),
        ({"a": 1.0, "b": -0.0, "c": 1e22, "d": True}, '{"a":1,"b":0,"c":1e+22,"d":true}', "195e0904cfa468fe"),
        (
            {"é": "😀", "n": None, "x": {"z": [], "y": {}}},
            r'{"n":null,"x":{"y":{},"z":[]},"\u00e9":"\ud83d\ude00"}',
            "687d7e841387c94d",
        ),
    ],
)
def test_the_form_and_the_hash_are_pinned(config, text, digest):
    assert canonical_json(config) == text
    assert config_hash(config) == digest


@settings(deadline=None, max_examples=40)
@given(CONFIGS, st.randoms())
def test_the_order_of_keys_does_not_matter(config, random):
    items = list(config.items())
    random.shuffle(items)
    assert canonical_json(dict(items)) == canonical_json(config)


@settings(deadline=None, max_examples=40)
@given(CONFIGS)
def test_reading_the_form_gives_an_equal_configuration_with_the_same_form(config):
    # Equal in Python's sense: 1.0 comes back as 1, and 1 == 1.0.
    again = json.loads(canonical_json(config))
    assert again == config
    assert canonical_json(again) == canonical_json(config)


@settings(deadline=None, max_examples=40)
@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_equal_numbers_have_one_hash(number):
    assert config_hash({"x": number}) == config_hash({"x": float(number)})


@settings(deadline=None, max_examples=40)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_different_floats_have_different_forms(a, b):
    assert (canonical_json({"x": a}) == canonical_json({"x": b})) == (a == b)


def test_true_is_not_one_and_text_is_not_a_number():
    assert len({config_hash({"x": value}) for value in (True, 1, "1", None, [1], {"1": 1})}) == 6


def test_text_with_a_class_of_its_own_is_text():
    kind = StrEnum("kind", {"HINGE": "hinge"})
    assert canonical_json({"loss": kind.HINGE}) == '{"loss":"hinge"}'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused_by_name(value):
    with pytest.raises(UserError, match=r"config\.adam\[1\] is -?(nan|inf), "):
        canonical_json({"adam": [0.5, value]})


@pytest.mark.parametrize(
    "config", [{"x": {1, 2}}, {"x": b"bytes"}, {"x": object()}, {1: 2}, {"x": {None: 1}}]
)
def test_what_is_no_json_is_our_own_mistake(config):
    with pytest.raises(TypeError):
        canonical_json(config)
