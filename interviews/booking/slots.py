"""Making slots and taking them back: one by one, by series, around closures. Each function is one
use case, in one transaction. What somebody has booked is never changed here."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import ManyToOneRel, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.permissions import MANAGE_SLOTS
from interviews.booking import queries
from interviews.booking.models import Closure, SlotSeries
from interviews.booking.rules import DAY, occurrences
from interviews.models import Slot
from interviews.queries import company_day, departments_of, sees_everything
from interviews.refill.services import offer_new, withdraw_offers

AHEAD = timedelta(days=42)  # for which series have their slots


class SlotTaken(Exception):
    """There is a slot of this position and kind at this time already."""


class StillBooked(Exception):
    """Somebody has booked it: their interviews have to be called off first."""


@transaction.atomic
def add_slot(slot: Slot, *, by: User) -> Slot:
    """One more time to book. One that was closed is opened again.

    Raises PermissionDenied, SlotTaken.
    """
    _require(by, slot.position.department_id)
    same = (
        Slot.objects.select_for_update()
        .filter(position=slot.position, kind=slot.kind, starts_at=slot.starts_at)
        .first()
    )
    if same is None:
        same = _store(slot)
        offer_new([same])
        return same
    if same.closed_at is None:
        raise SlotTaken
    same.closed_at = same.closed_by = None
    same.ends_at, same.capacity = slot.ends_at, max(slot.capacity, same.booked)
    same.save(update_fields=["closed_at", "closed_by", "ends_at", "capacity"])
    offer_new([same])
    return same


def _store(slot: Slot) -> Slot:
    try:
        with transaction.atomic():
            slot.save()
    except IntegrityError:  # somebody added it this moment
        raise SlotTaken from None
    return slot


@transaction.atomic
def close_slot(slot_id: int, *, by: User, at: datetime | None = None) -> Slot:
    """Nobody can book it any more. Closing again changes nothing.

    Raises PermissionDenied, Slot.DoesNotExist, StillBooked.
    """
    withdraw_offers([slot_id])
    slot = _lock(slot_id)
    _require(by, slot.position.department_id)
    if slot.booked:
        raise StillBooked
    if slot.closed_at is None or slot.closed_by_id is None:
        slot.closed_at, slot.closed_by = at or timezone.now(), by
        slot.save(update_fields=["closed_at", "closed_by"])
    return slot


@transaction.atomic
def open_slot(slot_id: int, *, by: User) -> Slot:
    """It can be booked again, first by who waits. Raises PermissionDenied, Slot.DoesNotExist."""
    slot = _lock(slot_id)
    _require(by, slot.position.department_id)
    slot.closed_at = slot.closed_by = None
    slot.save(update_fields=["closed_at", "closed_by"])
    offer_new([slot])
    return slot


@transaction.atomic
def resize_slot(slot_id: int, *, capacity: int, by: User) -> Slot:
    """More places, first for who waits, or fewer, never fewer than are booked.

    Raises PermissionDenied, Slot.DoesNotExist, StillBooked.
    """
    slot = _lock(slot_id)
    _require(by, slot.position.department_id)
    if capacity < slot.booked:
        raise StillBooked
    has_more = capacity > slot.capacity
    slot.capacity = capacity
    slot.save(update_fields=["capacity"])
    if has_more:
        offer_new([slot])
    return slot


def _lock(slot_id: int) -> Slot:
    facts = Slot.objects.select_related("position__department")
    return facts.select_for_update(of=("self",)).get(pk=slot_id)


@transaction.atomic
def save_series(series: SlotSeries, *, by: User, now: datetime | None = None) -> SlotSeries:
    """A series, new or changed, and its slots at once. Raises PermissionDenied."""
    _require(by, series.position.department_id)
    if series.pk:
        before = _series().get(pk=series.pk)
        _require(by, before.position.department_id)
    series.save()
    _fit(series, now=now or timezone.now())
    return series


@transaction.atomic
def end_series(series_id: int, *, by: User, now: datetime | None = None) -> SlotSeries:
    """No more of it from today on; its slots that nobody has booked go. Raises PermissionDenied,
    SlotSeries.DoesNotExist."""
    now = now or timezone.now()
    series = _series().get(pk=series_id)
    _require(by, series.position.department_id)
    yesterday = now.astimezone(series.pattern.zone).date() - DAY
    series.until, series.since = yesterday, min(series.since, yesterday)
    series.save(update_fields=["until", "since"])
    _take_back(_free_ahead(series, now))
    return series


@transaction.atomic
def make_slots(series_id: int, *, now: datetime | None = None) -> int:
    """The slots that a series is to have by now; how many were made. Beat calls it every night."""
    series = _series().filter(pk=series_id).first()
    return _fit(series, now=now or timezone.now()) if series else 0


@transaction.atomic
def save_closure(closure: Closure, *, by: User) -> Closure:
    """Days on which nothing is offered, from now on; what is kept for somebody then is taken back.
    Raises PermissionDenied."""
    _require(by, closure.department_id)
    if closure.pk:
        _require(by, Closure.objects.get(pk=closure.pk).department_id)
    closure.save()
    withdraw_offers(queries.kept_during(closure))
    return closure


@transaction.atomic
def remove_closure(closure_id: int, *, by: User, now: datetime | None = None) -> None:
    """Its days are days like others again: series get the slots they went without.

    Raises PermissionDenied, Closure.DoesNotExist.
    """
    closure = Closure.objects.get(pk=closure_id)
    _require(by, closure.department_id)
    closure.delete()
    now = now or timezone.now()
    ahead = _series().filter(pk__in=queries.series_ahead(now))
    if closure.department_id is not None:
        ahead = ahead.filter(position__department=closure.department_id)
    for series in ahead.order_by("pk"):
        _fit(series, now=now)


def _require(by: User, department_id: int | None) -> None:
    """Raises PermissionDenied. What is the whole company's (None) is for those who see it all."""
    if not by.has_perm(MANAGE_SLOTS):
        raise PermissionDenied
    if sees_everything(by):
        return
    if department_id is None or not departments_of(by).filter(pk=department_id).exists():
        raise PermissionDenied


def _series() -> QuerySet[SlotSeries]:
    """Locked before their slots are: who ends a series is not met by who makes its slots."""
    return SlotSeries.objects.select_related("position").select_for_update(of=("self",))


def _fit(series: SlotSeries, *, now: datetime) -> int:
    """Make the free slots ahead of a series what it says; how many were added.

    What is booked stays as it is, and so does what somebody closed by hand.
    """
    wanted = _wanted(series, now)
    free = list(_free_ahead(series, now))
    _take_back([each for each in free if each.starts_at not in wanted])
    changed, to_offer = [], []
    for slot in free:
        is_wanted = slot.starts_at in wanted
        says = (wanted.get(slot.starts_at), series.capacity, None)
        if is_wanted and (slot.ends_at, slot.capacity, slot.closed_at) != says:
            if slot.closed_at is not None or slot.capacity < series.capacity:
                to_offer.append(slot.starts_at)
            slot.ends_at, slot.capacity = wanted[slot.starts_at], series.capacity
            slot.closed_at = None
            changed.append(slot)
    Slot.objects.bulk_update(changed, ["ends_at", "capacity", "closed_at"], batch_size=500)
    ours = Slot.objects.filter(position=series.position, kind=series.kind, starts_at__in=wanted)
    known = set(ours.values_list("starts_at", flat=True))
    new = [
        Slot(
            position=series.position,
            kind=series.kind,
            starts_at=starts_at,
            ends_at=ends_at,
            capacity=series.capacity,
            series=series,
        )
        for starts_at, ends_at in wanted.items()
        if starts_at not in known
    ]
    Slot.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    to_offer += [slot.starts_at for slot in new]
    offer_new(ours.filter(starts_at__in=to_offer).select_related("position__department"))
    return len(new)


def _wanted(series: SlotSeries, now: datetime) -> dict[datetime, datetime]:
    """The times from now on, and when each ends."""
    today = now.astimezone(series.pattern.zone).date()
    last = today + AHEAD
    closures = queries.closures_between(today - DAY, last + DAY)  # days of the company
    names = queries.closed_dates(closures, series.position.department_id)
    return {
        starts_at: ends_at
        for starts_at, ends_at in occurrences(series.pattern, today, last)
        if starts_at > now and not names(company_day(starts_at))
    }


def _free_ahead(series: SlotSeries, now: datetime) -> QuerySet[Slot]:
    """The slots that it made and nobody has booked, locked; not what somebody closed by hand."""
    ahead = series.slots.filter(starts_at__gt=now, booked=0, closed_by=None)
    return ahead.order_by("pk").select_for_update(of=("self",))


def _take_back(slots: Iterable[Slot]) -> None:
    """Nobody has booked these, and their locks are held. What something still tells of stays, and
    is closed."""
    numbers = [slot.pk for slot in slots]
    told_of = _told_of(numbers)
    Slot.objects.filter(pk__in=told_of, closed_at=None).update(closed_at=timezone.now())
    Slot.objects.filter(pk__in=set(numbers) - told_of).delete()


def _told_of(numbers: list[int]) -> set[int]:
    """Those of these slots that a row of any other table names."""
    found: set[int] = set()
    for relation in Slot._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel):
            column = relation.field.attname
            rows = relation.related_model._base_manager.filter(**{f"{column}__in": numbers})
            found.update(rows.values_list(column, flat=True))
    return found
