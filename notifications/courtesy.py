"""What is asked once more at the moment of sending: is it of use, wanted, and the time for it?"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from notifications import preferences
from notifications.events import EVENTS, kind_of
from notifications.models import Channel, Notification, State

OUTWARD = (Channel.SMS, Channel.EMAIL, Channel.PUSH)  # what reaches people wherever they are
CAPPED_EVENTS = [name for name, event in EVENTS.items() if event.is_capped]


@dataclass(frozen=True)
class Hold:
    """Not now, but then."""

    until: datetime


@dataclass(frozen=True)
class Drop:
    """Never; `code` says why."""

    code: str


def judge(notification: Notification, now: datetime) -> Hold | Drop | None:
    """None: it goes. Only what people may do without costs a query."""
    if notification.deadline is not None and now >= notification.deadline:
        return Drop("too_late")
    kind = kind_of(notification.event)
    if notification.channel not in OUTWARD:
        return None
    if notification.channel in preferences.refused(notification.recipient, notification.event):
        return Drop("not_wanted")
    zone = notification.zone or timezone.get_default_timezone()
    if kind.can_wait and (until := quiet_until(now, zone)):
        return _later(notification, until)
    if kind.is_capped and _had_enough(notification, now, zone):
        return _later(notification, _next_morning(now, zone)) or Drop("too_many")
    return None


def quiet_until(now: datetime, zone: tzinfo) -> datetime | None:
    """When the quiet hours end that are now, where the reader is; None outside them."""
    begins, ends = settings.QUIET_HOURS
    if begins == ends:
        return None
    local = now.astimezone(zone)
    at = local.time()
    if begins < ends:
        is_quiet, day = begins <= at < ends, local.date()
    else:  # past midnight
        is_quiet = at >= begins or at < ends
        day = local.date() + timedelta(days=at >= begins)
    if not is_quiet:
        return None
    until = _moment(day, ends, zone)
    # Where the clock is put back or forward meanwhile the hour named may be behind us already.
    return until if until > now else None


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _later(notification: Notification, until: datetime) -> Hold | None:
    """Unless it would be of no more use by then."""
    deadline = notification.deadline
    return Hold(until) if deadline is None or until < deadline else None


def _had_enough(notification: Notification, now: datetime, zone: tzinfo) -> bool:
    """Whether as many offers and news went to them today as may, on this channel. Of two that are
    being sent at once the older counts for the younger, so that both never go where one may."""
    today = _moment(now.astimezone(zone).date(), time.min, zone)
    went = Q(state__in=[State.SENT, State.DELIVERED], sent_at__gte=today)
    going = Q(state=State.SENDING, pk__lt=notification.pk)
    others = Notification.objects.filter(
        went | going,
        recipient=notification.recipient,
        channel=notification.channel,
        event__in=CAPPED_EVENTS,
    )
    return others.exclude(pk=notification.pk).count() >= settings.OPTIONAL_MESSAGES_A_DAY


def _next_morning(now: datetime, zone: tzinfo) -> datetime:
    begins, ends = settings.QUIET_HOURS
    morning = ends if begins > ends else time.min
    return _moment(now.astimezone(zone).date() + timedelta(days=1), morning, zone)
