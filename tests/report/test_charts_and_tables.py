"""Axes that hold their values, styles that differ without colour, and how numbers are written."""

import math
from itertools import pairwise

import pytest

from saddle.report.charts import ramp, scale
from saddle.report.tables import (
    Badge,
    Column,
    Table,
    format_bytes,
    format_count,
    format_list,
    format_number,
    format_seconds,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (0.0, "0"),
        (3, "3"),
        (1437, "1,437"),
        (-2, "−2"),
        (1234.5, "1,234"),
        (12.345, "12.3"),
        (9.999, "10.0"),
        (0.012345, "0.0123"),
        (-0.5, "−0.500"),
        (3.14159e-6, "3.14 × 10⁻⁶"),
        (6.02e23, "6.02 × 10²³"),
    ],
)
def test_numbers_have_three_significant_digits(value, text):
    assert format_number(value) == text


def test_quantities_have_units():
    assert [format_count(n) for n in (812, 12_345, 4.56e6, 999_999, None)] == [
        "812",
        "12.3 k",
        "4.56 M",
        "1.00 M",
        "–",
    ]
    assert [format_bytes(n) for n in (812, 12_600, 2**30)] == ["812 B", "12.3 KiB", "1.00 GiB"]
    assert [format_seconds(t) for t in (4e-5, 0.0123, 4.56, 180.0, 9000.0, None)] == [
        "40.0 µs",
        "12.3 ms",
        "4.56 s",
        "3.00 min",
        "2.50 h",
        "–",
    ]
    assert [format_list(x) for x in ([], [1], [1, 2], [1, 2, 3])] == ["none", "1", "1 and 2", "1, 2 and 3"]


def test_a_table_writes_its_cells_by_column():
    table = Table(
        columns=(Column("a", digits=2), Column("b", "left")),
        rows=((1.234, Badge("done", "good")), (None, "x")),
    )
    assert [[cell.text for _, cell in row] for row in table.cells] == [["1.2", "done"], ["–", "x"]]
    with pytest.raises(AssertionError, match="every column"):
        Table(columns=(Column("a"),), rows=((1, 2),))


@pytest.mark.parametrize(
    "values", [[3.0, 5.0], [0.002, 40.0], [7.0], [0.0], [-3.0, 4.0], [], [1e6, 3e7], [math.nan, 2.0]]
)
@pytest.mark.parametrize("zero", [False, True])
def test_an_axis_holds_every_value_with_room_to_spare(values, zero):
    channel = scale("y", values, zero=zero)
    low, high = channel["scale"]["domain"]
    assert low < high
    for value in values:
        if math.isfinite(value):
            assert low <= value <= high and (low < value or (zero and value == 0))


def test_an_axis_is_logarithmic_where_values_span_decades():
    assert scale("y", [1.0, 9.0])["scale"].get("type") == "log"
    assert "type" not in scale("y", [1.0, 7.0])["scale"]
    assert "type" not in scale("y", [0.0, 9.0])["scale"]
    assert scale("k", [2, 4, 16], ticks=[2, 4, 16], log=True)["axis"]["values"] == [2, 4, 16]


@pytest.mark.parametrize(("low", "high"), [(1.0, 9.0), (0.003, 4.0), (5.0, 300.0), (1.0, 1e9), (2.2, 5.6)])
def test_a_logarithmic_axis_has_a_few_round_ticks(low, high):
    ticks = scale("y", [low, high], log=True)["axis"]["values"]
    assert 3 <= len(ticks) <= 12
    assert all(format_number(tick).strip("0.,") for tick in ticks)


def test_neighbouring_series_differ_in_more_than_colour():
    for count in range(1, 10):
        styles = ramp(count)
        assert len({style.colour for style in styles}) == count
        for one, other in pairwise(styles):
            assert one.dash != other.dash and one.shape != other.shape
