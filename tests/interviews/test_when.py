import pytest

from interviews.templatetags import when


@pytest.mark.parametrize("name", ["day", "clock", "moment", "short_moment", "near_day", "when"])
def test_filter_says_nothing_of_a_time_not_chosen_yet(name):
    assert when.register.filters[name](None) == ""
