"""Series of slots in words."""

from collections.abc import Iterable
from datetime import time

from django import template
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import time_format
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def weekdays(days: Iterable[int]) -> str:
    """Days of the week, Monday first."""
    return pgettext("between names", ", ").join(str(WEEKDAYS_ABBR[day]) for day in sorted(days))


@register.filter
def times_of_day(times: Iterable[time]) -> str:
    """Times of day, the earliest first."""
    return pgettext("between names", ", ").join(
        time_format(at, "TIME_FORMAT") for at in sorted(times)
    )
