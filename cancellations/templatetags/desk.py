"""Spans of time short enough for a dense list, and what was observed."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import pgettext

from cancellations.models import PlausibilityRule

register = template.Library()


@register.simple_tag
def span_words() -> dict[str, str]:
    """How each unit is said, for the filter below and for the script that keeps clocks going."""
    return {
        "days": pgettext("short span", "%(count)d d"),
        "hours": pgettext("short span", "%(count)d h"),
        "minutes": pgettext("short span", "%(count)d min"),
    }


@register.filter
def brief(span: timedelta) -> str:
    """The two largest units, rounded down, without what is nought: 1 d 4 h, 3 h 20 min, 12 h."""
    return in_brief(span, span_words())


def in_brief(span: timedelta, words: dict[str, str]) -> str:
    """The same, for who has asked for the words already."""
    minutes = int(abs(span).total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    counts = {"days": days, "hours": hours, "minutes": minutes % 60}
    said = [words[unit] % {"count": count} for unit, count in counts.items() if count]
    return " ".join(said[:2]) or words["minutes"] % {"count": 0}


@register.filter
def left_until(moment: datetime) -> timedelta:
    """Negative once it has passed."""
    return moment - timezone.now()


@register.filter
def is_past(moment: datetime) -> bool:
    return moment < timezone.now()


@register.filter
def fact(evidence: dict[str, Any], rule: PlausibilityRule) -> int | str:
    """What was observed of that which a rule looks at."""
    facts: dict[str, int] = evidence.get("facts", {})
    return facts.get(rule.fact, "—")
