"""Times in words, in the reader's own time zone and language."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import wraps
from typing import TypeVar

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

register = template.Library()
NEAR = {
    -1: gettext_noop("Yesterday"),
    0: gettext_noop("Today"),
    1: gettext_noop("Tomorrow"),
    2: gettext_noop("The day after tomorrow"),
}
Time = TypeVar("Time", bound=date)


def in_words(words: Callable[[Time], str]) -> Callable[[Time | None], str]:
    """A filter that says nothing of a time not chosen yet."""

    @wraps(words)
    def filter(value: Time | None) -> str:
        return words(value) if value else ""

    return register.filter(filter)


@in_words
def day(value: date | datetime) -> str:
    """The date with its weekday; the year only where it is another one."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    same_year = value.year == timezone.localdate().year
    return pgettext("date and weekday", "%(weekday)s %(date)s") % {
        "weekday": date_format(value, "l"),
        "date": date_format(value, "MONTH_DAY_FORMAT" if same_year else "DATE_FORMAT"),
    }


@in_words
def clock(value: datetime) -> str:
    """The time of day, to the minute."""
    return date_format(timezone.localtime(value), "TIME_FORMAT")


@in_words
def moment(value: datetime) -> str:
    """Day and time: Sunday 22 November 14:00."""
    return f"{day(value)} {clock(value)}"


@in_words
def short_moment(value: datetime) -> str:
    """Day and time without the weekday, for a line with little room."""
    return f"{date_format(timezone.localtime(value), 'MONTH_DAY_FORMAT')} {clock(value)}"


@in_words
def precisely(value: datetime) -> str:
    """Day and time in columns of equal width: 2026-11-22 14:00:31."""
    return date_format(timezone.localtime(value), "Y-m-d H:i:s")


@in_words
def near_day(value: datetime) -> str:
    """Yesterday, today, tomorrow or the day after; else the date."""
    word = NEAR.get(_days_ahead(value))
    return _(word) if word else day(value)


@register.filter
def is_near(value: datetime) -> bool:
    """Whether `near_day` says a word for it."""
    return _days_ahead(value) in NEAR


@in_words
def when(value: datetime) -> str:
    """Tomorrow 14:00 · Sunday 22 November; farther away, the date alone."""
    if abs(_days_ahead(value)) > 2 or _days_ahead(value) == -2:
        return moment(value)
    return f"{near_day(value)} {clock(value)} · {day(value)}"


@in_words
def iso(value: datetime) -> str:
    """For machines: ISO 8601 with the reader's offset."""
    return timezone.localtime(value).isoformat(timespec="seconds")


@in_words
def countdown(value: datetime) -> str:
    """How long until then, or since, in at most two units: in 1 day and 3 hours."""
    ahead = value - timezone.now()
    if abs(ahead) < timedelta(minutes=1):
        return _("now")
    words = _length(abs(ahead))
    return (_("in %(time)s") if ahead > timedelta(0) else _("%(time)s ago")) % {"time": words}


def _days_ahead(value: datetime) -> int:
    return (timezone.localtime(value).date() - timezone.localdate()).days


def _length(span: timedelta) -> str:
    days, hours, minutes = span.days, span.seconds // 3600, span.seconds % 3600 // 60
    units = [
        (days, ngettext("%(count)d day", "%(count)d days", days)),
        (hours if days < 7 else 0, ngettext("%(count)d hour", "%(count)d hours", hours)),
        (0 if days else minutes, ngettext("%(count)d minute", "%(count)d minutes", minutes)),
    ]
    said = [words % {"count": count} for count, words in units if count]
    return _(" and ").join(said[:2])
