"""When an alert opens and closes: whole numbers, on both sides of every threshold."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.alerts import rules
from analytics.figures import Rate

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("numerator", "denominator", "breached"),
    [
        (8, 100, False),
        (9, 100, True),
        (80, 1000, False),
        (81, 1000, True),
        (8_000_000, 100_000_000, False),
        (8_000_001, 100_000_000, True),
        (2, 20, True),
        (1, 20, False),
        (19, 19, False),  # too few for anything
        (0, 0, False),
    ],
)
def test_eight_per_cent_is_not_more_than_eight_per_cent(numerator, denominator, breached):
    rate = Rate(numerator, denominator)
    assert rules.is_breached(rate, threshold=8, minimum=20) is breached


@pytest.mark.parametrize(("of", "breached"), [(29, False), (30, True)])
def test_of_fewer_than_its_minimum_a_rule_says_nothing(of, breached):
    assert rules.is_breached(Rate(of, of), threshold=8, minimum=30) is breached


def test_no_rule_speaks_of_fewer_than_twenty():
    assert not rules.is_breached(Rate(19, 19), threshold=8, minimum=1)


@pytest.mark.parametrize(
    ("numerator", "denominator", "recovered"),
    [(7, 100, False), (61, 1000, False), (60, 1000, True), (6, 100, True), (0, 19, False)],
)
def test_it_closes_only_below_the_margin(numerator, denominator, recovered):
    rate = Rate(numerator, denominator)
    assert rules.has_recovered(rate, threshold=8, margin=2) is recovered


@pytest.mark.parametrize(("of", "too_few"), [(20, False), (10, False), (9, True), (0, True)])
def test_only_half_of_the_minimum_ends_it_for_want_of_cases(of, too_few):
    assert rules.is_too_few(Rate(0, of), minimum=20) is too_few


@pytest.mark.parametrize(
    ("since", "calm"),
    [(None, False), (timedelta(minutes=59, seconds=59), False), (timedelta(hours=1), True)],
)
def test_a_rate_has_to_stay_down_for_an_hour(since, calm):
    assert rules.is_calm(since and NOW - since, NOW) is calm


def test_worse_is_told_without_rounding():
    assert rules.is_worse(Rate(1, 3), Rate(33, 100))
    assert not rules.is_worse(Rate(33, 100), Rate(1, 3))
    assert not rules.is_worse(Rate(1, 3), Rate(2, 6))
