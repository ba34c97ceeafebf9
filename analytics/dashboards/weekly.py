"""The week in figures, by mail: for HR leads and administrators who have not said no."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from accounts.permissions import Role
from analytics import figures
from analytics.dashboards import words
from analytics.dashboards.asking import in_words
from analytics.dashboards.telling import count, difference, rate, rate_difference, sample
from analytics.figures import Period, Rate
from interviews.notices import addresses
from notifications import preferences
from notifications.events import Group
from notifications.models import Channel, Notification
from notifications.services import Notice, notify

EVENT = "weekly_summary"
READERS = (Role.HR_LEAD, Role.ADMINISTRATOR)
FROM_HOUR = 8  # of Monday, where the company is
UNTIL_HOUR = 24 + 20  # of Tuesday evening, where nobody could send it before
MOST_REASONS = 5
MAPS = ("saved", "refill", "requests", "reasons")


def is_offered_to(user: User) -> bool:
    return user.is_active and user.role in READERS and bool(user.email)


def is_wanted_by(user: User) -> bool:
    return preferences.of(f"user:{user.pk}")[Group.FIGURES.value, Channel.EMAIL.value]


def choose(user: User, *, is_wanted: bool) -> None:
    preferences.choose(f"user:{user.pk}", Group.FIGURES, Channel.EMAIL, is_wanted=is_wanted)


def send_due(now: datetime) -> int:
    """On Monday morning, or as soon after it as it can be, the week before to everybody who reads
    it, once; how many are told."""
    local = now.astimezone(timezone.get_default_timezone())
    if not FROM_HOUR <= local.weekday() * 24 + local.hour < UNTIL_HOUR:
        return 0
    week = week_before(local.date())
    told = 0
    for user in _not_told(week):
        notices = [*summary(user, week)]
        notify(*notices)
        told += len(notices)
    return told


def week_before(day: date) -> Period:
    """The last whole week, Monday to Sunday."""
    monday = day - timedelta(days=day.weekday() + 7)
    return Period(monday, monday + timedelta(days=6))


def _readers() -> QuerySet[User]:
    people = User.objects.filter(role__in=READERS, is_active=True).exclude(email=None)
    return people.order_by("pk")


def _key(user: User, week: Period) -> str:
    return f"{EVENT}:{week.since}:user:{user.pk}"


def _not_told(week: Period) -> list[User]:
    """Figures are read for nobody twice, and for nobody who does not want them."""
    people = [user for user in _readers() if user.email]
    keys = {_key(user, week): user for user in people}
    told = Notification.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True)
    for key in told:
        keys.pop(key, None)
    return [user for user in keys.values() if is_wanted_by(user)]


def summary(user: User, week: Period) -> Iterator[Notice]:
    """In the language of its reader, and of what they may see. Nothing where there was nothing."""
    with translation.override(user.language or settings.LANGUAGE_CODE):
        params = told(user, week)
    if params is None:
        return
    for address in addresses(user, ("email",)):
        yield Notice(
            event=EVENT,
            subject=f"insights:{week.since}",
            dedupe_key=_key(user, week),
            params=params,
            **address,
        )


def told(user: User, week: Period) -> dict[str, Any] | None:
    """Figures and words only: no names, nothing anybody wrote."""
    chosen = figures.filter_for(user)
    counts, before = (figures.totals(chosen, each) for each in (week, week.before))
    if not counts.invited and not before.invited:
        return None
    maps, past = (figures.splits(chosen, each, *MAPS) for each in (week, week.before))
    now, then = figures.overview_of(counts, maps), figures.overview_of(before, past)
    shown = [
        {
            "label": pgettext("figures", "Booked"),
            "value": count(counts.booked),
            "change": difference(counts.booked, before.booked),
        },
        _rate(pgettext("figures", "Cancelled"), counts.cancel_rate, before.cancel_rate),
        _rate(pgettext("figures", "Did not come"), counts.no_show_rate, before.no_show_rate),
        _rate(pgettext("figures", "Left midway"), counts.exit_rate, before.exit_rate),
        _rate(pgettext("figures", "Not finished"), counts.incomplete_rate, before.incomplete_rate),
        _rate(_("Within the promise"), now.cancel.in_time, then.cancel.in_time),
        _rate(_("Saved from cancelling"), now.saved.rate, then.saved.rate),
        _rate(_("Places taken again"), now.refilled.rate, then.refilled.rate),
    ]
    return {
        "period": in_words(week),
        "figures": [each for each in shown if each["value"] != "–"],
        "steps": _bars([(str(words.STEPS[name]), number) for name, number in counts.funnel]),
        "reasons": _bars(_reasons(figures.reasons_of(maps["reasons"])["candidate"])),
        "path": f"{reverse('analytics:overview')}?since={week.since}&until={week.until}",
    }


def _rate(label: str, now: Rate, before: Rate) -> dict[str, str]:
    of = f" ({sample(now)})" if sample(now) else ""
    change = rate_difference(now, before)
    return {"label": label, "value": f"{rate(now)}{of}", "change": change}


def _reasons(found: dict[str, int]) -> list[tuple[str, int]]:
    labels = words.reason_labels() if found else {}
    leading = list(found.items())[:MOST_REASONS]
    return [(labels.get(("candidate", code), code), number) for code, number in leading]


def _bars(rows: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """`width` is in per cent of the longest: mail programs draw it as a cell of a table."""
    most = max((number for _label, number in rows), default=0)
    return [
        {"label": label, "count": count(number), "width": f"{round(number / most * 100)}%"}
        for label, number in rows
        if most
    ]
