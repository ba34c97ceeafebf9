"""Intervals, against what their authors published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.figures import Rate
from analytics.findings.intervals import needed, newcombe, quantile, wilson


@pytest.mark.parametrize(
    ("of", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        (Rate(81, 263), 0.2553, 0.3662),
        (Rate(15, 148), 0.0624, 0.1605),
        (Rate(0, 20), 0.0, 0.1611),
        (Rate(1, 29), 0.0061, 0.1718),
    ],
)
def test_a_share_lies_where_newcombe_says(of, low, high):
    assert wilson(of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
        (Rate(56, 70), Rate(48, 80), 0.0524, 0.3339),
        (Rate(9, 10), Rate(3, 10), 0.1705, 0.8090),
        (Rate(6, 7), Rate(2, 7), 0.0582, 0.8062),
        (Rate(5, 56), Rate(0, 29), -0.0381, 0.1926),
        (Rate(0, 10), Rate(0, 20), -0.1611, 0.2775),
        (Rate(0, 10), Rate(0, 10), -0.2775, 0.2775),
        (Rate(10, 10), Rate(0, 20), 0.6791, 1.0),
        (Rate(10, 10), Rate(0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_lies_where_newcombe_says(one, other, low, high):
    assert newcombe(one, other) == pytest.approx((low, high), abs=5e-5)


def test_several_at_once_take_a_wider_interval():
    assert quantile() == pytest.approx(1.959964, abs=1e-6)
    assert quantile(10) == pytest.approx(2.807034, abs=1e-6)
    one, other = Rate(30, 100), Rate(20, 100)
    assert newcombe(one, other, quantile(10)).low < newcombe(one, other).low


def test_so_many_are_needed_to_tell_two_shares_apart():
    # 60 per cent against 80: 82 on either side, as every table of sample sizes has it.
    assert needed(Rate(12, 20), Rate(16, 20)) == 82
    assert needed(Rate(5, 20), Rate(10, 40)) is None
    assert needed(Rate(0, 0), Rate(10, 40)) is None


rates = st.integers(0, 400).flatmap(
    lambda n: st.integers(0, n).map(lambda k: Rate(k, n)) if n else st.just(Rate(0, 0))
)


@given(rates, rates)
def test_an_interval_holds_what_was_counted(one, other):
    for of in (one, other):
        low, high = wilson(of)
        assert 0 <= low <= high <= 1
        assert of.share is None or low - 1e-12 <= of.share <= high + 1e-12
    low, high = newcombe(one, other)
    assert -1 - 1e-12 <= low <= high <= 1 + 1e-12
    if one.denominator and other.denominator:
        assert low - 1e-12 <= one.share - other.share <= high + 1e-12
        back = newcombe(other, one)
        assert (low, high) == pytest.approx((-back.high, -back.low))
