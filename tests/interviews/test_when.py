from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.templatetags import when


@pytest.mark.parametrize("name", ["day", "clock", "moment", "short_moment", "near_day", "when"])
def test_filter_says_nothing_of_a_time_not_chosen_yet(name):
    assert when.register.filters[name](None) == ""


@pytest.mark.parametrize("days", range(-3, 5))
def test_date_is_not_said_twice(days):
    """Where a day has no word of its own, near_day is the date already."""
    moment = timezone.now() + timedelta(days=days)
    assert when.is_near(moment) != (when.near_day(moment) == when.day(moment))
