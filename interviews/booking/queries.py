"""What there is to book, as candidates and as HR see it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from config.references import Named
from interviews.booking.models import Closure, SlotSeries
from interviews.models import Department, Interview, Position, Slot
from interviews.queries import COMPANY_ZONE, departments_of, offered_slots, sees_everything
from interviews.queries import company_day as company_day
from interviews.refill.models import Offer, OfferState
from interviews.refill.queries import offers_with_facts
from interviews.states import InterviewStatus

TIMES = 60  # on one page of what a candidate can choose from
_signer = Signer(salt="interviews.invitation", sep=".")


# --- invitations ----------------------------------------------------------------------------------


def invitation_token(interview: Named) -> str:
    """What the link to an invitation carries. It opens nothing: who follows it signs in."""
    return _signer.sign(interview.reference)


def invitation(token: str) -> Interview | None:
    """The interview a link leads to; None for one we did not hand out."""
    try:
        reference = _signer.unsign(token)
    except BadSignature:
        return None
    return Interview.objects.with_facts().filter(reference=reference).first()


def is_expired(interview: Interview, now: datetime) -> bool:
    """Whether an invitation can no longer be booked by the candidate alone."""
    return interview.deadline is not None and interview.deadline <= now


def can_be_booked(interview: Interview, now: datetime) -> bool:
    return interview.status == InterviewStatus.INVITED and not is_expired(interview, now)


# --- times to choose from -------------------------------------------------------------------------


@dataclass(frozen=True)
class Time:
    """One time a candidate can read: to choose, or full."""

    slot: Slot
    is_free: bool


@dataclass(frozen=True)
class Day:
    """The times of one day, where the reader is."""

    date: date
    times: list[Time]

    @property
    def has_free(self) -> bool:
        return any(each.is_free for each in self.times)


@dataclass(frozen=True)
class Choice:
    """What can be chosen from on one page, and where it goes on (None: nowhere)."""

    days: list[Day]
    later: date | None

    @property
    def has_free(self) -> bool:
        return any(day.has_free for day in self.days)


def choice(interview: Interview, *, now: datetime, since: date | None = None) -> Choice:
    """The times offered, in the reader's days, whole days at a time, from `since` on. The one the
    interview has already is left out. One query, two for a day of many times."""
    offered = offered_slots(interview, now=now)
    if interview.slot_id is not None:
        offered = offered.exclude(pk=interview.slot_id)
    if since is not None:
        offered = offered.filter(starts_at__gte=_midnight(since))
    slots = list(offered[: TIMES + 1])
    days = _days(slots)
    if len(slots) <= TIMES:
        return Choice(days, None)
    if len(days) == 1:
        following = days[0].date + timedelta(days=1)
        return Choice(_days(offered.filter(starts_at__lt=_midnight(following))), following)
    return Choice(days[:-1], days[-1].date)


def _days(slots: Iterable[Slot]) -> list[Day]:
    return [
        Day(day, [Time(slot, not slot.is_full) for slot in group])
        for day, group in groupby(slots, key=lambda slot: timezone.localdate(slot.starts_at))
    ]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


# --- the calendar ---------------------------------------------------------------------------------


def calendar(
    user: User,
    *,
    first: date,
    department: Department | None,
    position: Position | None,
    most: int,
) -> list[Slot]:
    """The slots of one week, from Monday, that this member of staff may see, in order."""
    slots = Slot.objects.filter(
        starts_at__gte=_midnight(first), starts_at__lt=_midnight(first + timedelta(days=7))
    )
    if position is not None:
        slots = slots.filter(position=position)
    elif department is not None:
        slots = slots.filter(position__department=department)
    elif not sees_everything(user):
        slots = slots.filter(position__department__in=departments_of(user).values("pk"))
    facts = with_taken(slots.select_related("position__department"))
    return list(facts.order_by("starts_at", "pk")[:most])


def with_taken(slots: models.QuerySet[Slot]) -> models.QuerySet[Slot]:
    """Of the places counted as booked, `kept` are kept for who was offered one; `taken` are those
    that somebody has."""
    offers = Offer.objects.filter(slot=OuterRef("pk"), state=OfferState.OPEN).order_by()
    counted = offers.values("slot").annotate(count=Count("pk")).values("count")
    return slots.annotate(kept=Coalesce(Subquery(counted), 0), taken=F("booked") - F("kept"))


def kept_in(slot: Slot) -> list[Offer]:
    """The offers for which places of this slot are kept, the first to end at the top."""
    offers = offers_with_facts().filter(slot=slot, state=OfferState.OPEN)
    return list(offers.order_by("held_until", "pk"))


def visible_slots(user: User) -> models.QuerySet[Slot]:
    """The slots of the departments this member of staff works with."""
    slots = Slot.objects.select_related("position__department")
    if sees_everything(user):
        return slots
    return slots.filter(position__department__in=departments_of(user).values("pk"))


def visible_positions(user: User) -> models.QuerySet[Position]:
    """The positions of the departments this member of staff works with, the open ones first."""
    positions = Position.objects.select_related("department").order_by("-is_open", "title", "pk")
    if sees_everything(user):
        return positions
    return positions.filter(department__in=departments_of(user).values("pk"))


def visible_series(user: User) -> models.QuerySet[SlotSeries]:
    series = SlotSeries.objects.select_related("position__department")
    return series.filter(position__in=visible_positions(user).values("pk"))


def visible_closures(user: User) -> models.QuerySet[Closure]:
    """Those of the whole company, and those of one's departments."""
    closures = Closure.objects.select_related("department")
    if sees_everything(user):
        return closures
    return closures.filter(Q(department=None) | Q(department__in=departments_of(user).values("pk")))


def closures_between(first: date, last: date) -> list[Closure]:
    return list(Closure.objects.filter(first_day__lte=last, last_day__gte=first))


def booked_in(closure: Closure, user: User) -> models.QuerySet[Slot]:
    """The slots ahead that somebody has booked on days of this closure: HR settles what becomes of
    them."""
    slots = visible_slots(user).filter(_ahead_in(closure), booked__gt=0)
    return slots.order_by("starts_at", "pk")


def with_booked(closures: Sequence[Closure], user: User) -> list[tuple[Closure, int]]:
    """Each with how many slots those are, in one query."""
    counts = {f"in{each.pk}": Count("pk", filter=_ahead_in(each)) for each in closures}
    if not counts:
        return []
    ahead = visible_slots(user).filter(booked__gt=0, starts_at__gte=timezone.now())
    found = ahead.aggregate(**counts)
    return [(each, found[f"in{each.pk}"]) for each in closures]


def kept_during(closure: Closure) -> list[int]:
    """The slots ahead on its days of which a place is kept for somebody."""
    slots = Slot.objects.filter(_ahead_in(closure), offers__state=OfferState.OPEN)
    return list(slots.order_by("pk").values_list("pk", flat=True).distinct())


def _ahead_in(closure: Closure) -> Q:
    first = datetime.combine(closure.first_day, time.min, COMPANY_ZONE)
    last = datetime.combine(closure.last_day + timedelta(days=1), time.min, COMPANY_ZONE)
    found = Q(starts_at__gte=max(first, timezone.now()), starts_at__lt=last)
    if closure.department_id is not None:
        found &= Q(position__department=closure.department_id)
    return found


def closed_dates(closures: Sequence[Closure], department_id: int | None) -> Callable[[date], str]:
    """What the closure is called that a day falls into, of the company or of this department;
    empty where it is open."""

    def name(day: date) -> str:
        return next((each.name for each in ours if each.first_day <= day <= each.last_day), "")

    ours = [each for each in closures if each.department_id in (None, department_id)]
    return name


def series_ahead(now: datetime) -> list[int]:
    """The series that can still make slots."""
    today = now.astimezone(UTC).date() - timedelta(days=1)  # where it is still yesterday
    series = SlotSeries.objects.filter(Q(until=None) | Q(until__gte=today))
    return list(series.order_by("pk").values_list("pk", flat=True))
