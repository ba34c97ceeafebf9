"""Figures in words: percentages only where there are enough, differences with their sign."""

import pytest

from analytics.dashboards.telling import (
    Linked,
    Table,
    difference,
    numbers,
    percent,
    rate,
    rate_difference,
    rates,
    sample,
    texts,
)
from analytics.figures import Rate


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.45, "45 %"), (0.084, "8.4 %"), (0, "0 %"), (1, "100 %"), (1 / 3, "33.3 %")],
)
def test_percentages_have_one_decimal_place_at_most(share, said):
    assert percent(share) == said


def test_below_twenty_counts_are_shown_and_no_percentage():
    assert rate(Rate(9, 19)) == "9 of 19"
    assert rate(Rate(9, 20)) == "45 %"
    assert rate(Rate(0, 0)) == "–"
    assert sample(Rate(9, 20)) == "9 of 20"
    assert sample(Rate(9, 19)) == ""


def test_a_rate_is_compared_in_points_and_only_where_both_are_large_enough():
    assert rate_difference(Rate(30, 100), Rate(20, 100)) == "+10 points on the period before"
    assert rate_difference(Rate(10, 100), Rate(25, 200)) == "−2.5 points on the period before"
    assert rate_difference(Rate(10, 100), Rate(20, 200)) == "as before"
    assert rate_difference(Rate(10, 100), Rate(1, 3)) == "1 of 3 before; too few to compare"
    assert rate_difference(Rate(10, 100), Rate(0, 0)) == "none before to compare"
    assert rate_difference(Rate(0, 0), Rate(10, 100)) == ""


def test_counts_are_compared_with_their_sign():
    assert difference(120, 100) == "+20 (20 %) on the period before"
    assert difference(3, 5) == "−2 on the period before"
    assert difference(5, 5) == "as before"
    assert difference(1, 0) == "+1 on the period before"


TABLE = Table(
    [*texts("Reason"), *numbers("Number"), *rates("Share")],
    [["时间冲突", Linked(45, "/desk/interviews/"), Rate(45, 100)], ["其他", 1, Rate(1, 4)]],
)


def test_a_page_shows_samples_below_percentages_and_leads_to_rows():
    first, second = TABLE.shown
    assert [each.text for each in first] == ["时间冲突", "45", "45 %"]
    assert first[1].url == "/desk/interviews/"
    assert first[2].under == "45 of 100"
    assert [each.text for each in second] == ["其他", "1", "1 of 4"]


def test_a_file_holds_the_parts_of_a_rate_and_no_percentage_of_few():
    titles = [column.title for column in TABLE.titles]
    assert titles == ["Reason", "Number", "Share: number", "Share: of", "Share: per cent"]
    assert list(TABLE.values()) == [["时间冲突", 45, 45, 100, 45.0], ["其他", 1, 1, 4, ""]]
