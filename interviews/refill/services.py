"""Offering places that came free, in turn. Each function is one use case, in one transaction, but
for those that say that the caller has one.

Lock order: candidate, interview, application, offer, place, entry, slot. Who is asked next is taken
only as far as nobody else has them in hand (SKIP LOCKED): a place that finds nobody for that reason
waits for the next sweep.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from accounts.models import User
from candidates.models import Candidate
from interviews import history
from interviews.booking import notices as booking_notices
from interviews.gates.queries import has_gate
from interviews.models import Application, Interview, InterviewKind, Slot, Stage
from interviews.queries import free_slots, without_closures
from interviews.refill import notices, queries, rules
from interviews.refill.models import (
    EntryState,
    FreedPlace,
    Offer,
    OfferState,
    Origin,
    WaitingEntry,
    Why,
)
from interviews.services import (
    SlotFull,
    give_time,
    invite,
    lock_application,
    release_place,
    take_place,
)
from interviews.states import InterviewStatus
from notifications.services import notify, supersede

logger = structlog.get_logger(__name__)

PASSED_OVER = 50  # people who cannot be asked at this hour, before a place waits for nobody
NEW_LOOKED_AT = 50  # slots made at once, the next ones first
TIMES = 20  # free times looked at for somebody who has just asked for one
BATCH = 5000  # of a sweep
SWEEPS_FOR = 45.0  # seconds, of the minute until the next one
SOURCE = "talent_pool"  # of an application that began with an offer


class NotOpen(Exception):
    """The offer is no longer there to be answered."""

    def __init__(self, offer: Offer) -> None:
        super().__init__(offer.reference)
        self.offer = offer


class Busy(NotOpen):
    """They have another interview at that time."""


class NothingToWaitFor(Exception):
    """The interview was not called off, or nothing follows it any more."""


# --- places ---------------------------------------------------------------------------------------


def keep_for_the_first(place_id: int) -> None:
    """A place has come free that others wait for: keep it for the first of them, before anybody
    else sees it. In the caller's transaction, which never fails for it: what cannot be offered now
    the sweep offers."""
    try:
        with transaction.atomic():
            places = FreedPlace.objects.select_related("slot__position__department")
            _offer(places.get(pk=place_id), at=timezone.now())
    except DatabaseError as trouble:
        logger.warning("offer_postponed", place=place_id, error=type(trouble).__name__)


@transaction.atomic
def pass_on(place_id: int) -> Offer | None:
    """Offer a place to whoever is next: of the waiting list, else of the talent pool. Where nobody
    is left to ask, anybody may book it."""
    now = timezone.now()
    place = (
        FreedPlace.objects.select_related("slot__position")
        .select_for_update(of=("self",), skip_locked=True)
        .filter(pk=place_id, refilled_at=None, closed_at=None)
        .first()
    )
    if place is None or place.offers.filter(state=OfferState.OPEN).exists():
        return None
    offer = _offer(place, at=now) or _offer_to_pool(place, at=now)
    if offer is None and not _waits_for_somebody(place, at=now):
        _close(place, at=now)
    return offer


def _offer(place: FreedPlace, *, at: datetime) -> Offer | None:
    """To the first on the waiting list who can be asked."""
    slot = place.slot
    passed_over: list[int] = []
    if not _takes_people(slot):
        return None
    while len(passed_over) < PASSED_OVER:
        waiting = queries.in_turn(slot).exclude(pk__in=passed_over)
        entry = waiting.select_for_update(of=("self",), skip_locked=True).first()
        if entry is None:
            return None
        # The lock may have come a moment after somebody else made an offer and let go of it.
        is_asked = entry.offers.filter(Q(slot=slot) | Q(state=OfferState.OPEN)).exists()
        hold = None if is_asked else _hold(slot, entry.candidate.user, at=at)
        if hold is not None:
            return _make(place, entry, hold, at=at)
        passed_over.append(entry.pk)
    return None


def _offer_to_pool(place: FreedPlace, *, at: datetime) -> Offer | None:
    """To somebody who agreed to be asked, for a first interview only: the later ones come after
    it."""
    slot = place.slot
    position = slot.position
    if not position.refill_from_pool or slot.kind != InterviewKind.AI or not _takes_people(slot):
        return None
    if has_gate(position, Stage.AI_INTERVIEW):  # they could not just come
        return None
    passed_over: list[int] = []
    while len(passed_over) < PASSED_OVER:
        person = queries.from_the_pool(slot, now=at, without=passed_over)
        if person is None:
            return None
        if hold := _hold(slot, person.user, at=at):
            entry = WaitingEntry.objects.create(
                candidate=person,
                position=position,
                kind=slot.kind,
                why=Why.TALENT_POOL,
                since=at,
            )
            offer = _make(place, entry, hold, at=at)
            if offer is None:
                entry.delete()  # they wait for this place and no other
            return offer
        passed_over.append(person.pk)
    return None


def _takes_people(slot: Slot) -> bool:
    """Whether anybody is still to come then: the position is open, the slot was not closed, and
    that day the department is there."""
    return slot.position.is_open and not _is_closed_for(slot)


def _is_closed_for(slot: Slot) -> bool:
    """Whether it was closed, or its day is one of a closure."""
    return not without_closures(Slot.objects.filter(pk=slot.pk, closed_at=None)).exists()


def _hold(slot: Slot, user: User, *, at: datetime) -> rules.Hold | None:
    """Who would be asked in their quiet hours is asked after them, and has their time from then."""
    position = slot.position
    return rules.hold(
        asked_at=queries.asked_at(user, at),
        starts_at=slot.starts_at,
        lasts=timedelta(minutes=position.refill_hold_minutes),
        near=timedelta(minutes=position.refill_near_minutes),
    )


def _make(
    place: FreedPlace, entry: WaitingEntry, hold: rules.Hold, *, at: datetime
) -> Offer | None:
    """Keep the place, and say so; None where somebody else has it by now. The caller holds the
    entry's lock."""
    try:
        take_place(place.slot)
    except SlotFull:
        return None
    offer = Offer.objects.create(
        place=place, slot=place.slot, entry=entry, made_at=at, held_until=hold.until
    )
    notify(*notices.offered(offer, asked_at=hold.asked_at))
    return offer


def _close(place: FreedPlace, *, at: datetime) -> None:
    place.closed_at = at
    place.save(update_fields=["closed_at"])


def _waits_for_somebody(place: FreedPlace, *, at: datetime) -> bool:
    """Whether there is somebody to ask after all, whom another transaction has in hand."""
    slot = place.slot
    free = Slot.objects.filter(pk=slot.pk, booked__lt=F("capacity"))
    if not _takes_people(slot) or not free.exists():
        return False
    waiting = queries.in_turn(slot)[:PASSED_OVER]
    return any(_hold(slot, entry.candidate.user, at=at) for entry in waiting)


# --- waiting --------------------------------------------------------------------------------------


def wait_after_conflict(interview: Interview, *, at: datetime) -> None:
    """Somebody has cancelled only because of the time: they are first to be asked, where anything
    can follow. In the caller's transaction, which holds the interview's lock."""
    if may_wait(interview):
        _put_on_list(_entry_after(interview, why=Why.TIME_CONFLICT, at=at))


@transaction.atomic
def wait_for_time(reference: str, *, by: User) -> Offer | None:
    """Who had their interview called off would still come: ask them when a place comes free, and
    now, where one is.

    Raises Interview.DoesNotExist where it is not theirs, NothingToWaitFor.
    """
    now = timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    if not may_wait(interview):
        raise NothingToWaitFor
    _put_on_list(_entry_after(interview, why=Why.ASKED, at=now))
    entry = queries.waiting_entry(interview)
    return _offer_free_time(entry, interview, at=now) if entry else None


def may_wait(interview: Interview) -> bool:
    """Whether another time can follow: it was called off, and the application goes on."""
    return (
        interview.status == InterviewStatus.CANCELLED
        and interview.application.stage not in {Stage.HIRED, Stage.ENDED}
        and interview.position.is_open
    )


@transaction.atomic
def stop_waiting(reference: str, *, by: User) -> None:
    """They are asked no more; what is kept for them goes to the next. Raises Interview.DoesNotExist
    where it is not theirs."""
    interview = Interview.objects.lock_own(reference, by)
    entry = queries.waiting_entry(interview)
    if entry is not None:
        with suppress(TransitionNotAllowed):  # they have just taken a time after all
            _take_off(entry, at=timezone.now())


@transaction.atomic
def take_off_list(reference: str, *, among: Iterable[int]) -> None:
    """HR asks somebody no more, at one of the positions `among`. Raises WaitingEntry.DoesNotExist,
    TransitionNotAllowed."""
    entry = WaitingEntry.objects.get(reference=reference, position__in=among)
    _take_off(entry, at=timezone.now())


def ask_no_more(application: Application, *, at: datetime) -> None:
    """Nothing follows it any more: nobody waits for a time under it. In the caller's transaction,
    which holds it."""
    waiting = WaitingEntry.objects.filter(application=application, state=EntryState.WAITING)
    for entry in waiting.order_by("pk"):
        with suppress(TransitionNotAllowed):  # they have just been given up
            _take_off(entry, at=at)


def _take_off(entry: WaitingEntry, *, at: datetime) -> None:
    offer = _lock(entry=entry, state=OfferState.OPEN)
    entry = WaitingEntry.objects.select_for_update().get(pk=entry.pk)
    entry.leave(at=at)
    entry.save(update_fields=["state", "ended_at"])
    if offer is not None:
        offer.withdraw(at=at)
        _end(offer)
        _next(offer, at=at)


def _entry_after(interview: Interview, *, why: Why, at: datetime) -> WaitingEntry:
    """Not stored yet."""
    return WaitingEntry(
        candidate=interview.candidate,
        position=interview.position,
        kind=interview.kind,
        why=why,
        since=at,
        application=interview.application,
        interview=interview,
    )


def _put_on_list(entry: WaitingEntry) -> None:
    """Who waits already keeps their turn."""
    WaitingEntry.objects.bulk_create([entry], ignore_conflicts=True)


def _offer_free_time(entry: WaitingEntry, interview: Interview, *, at: datetime) -> Offer | None:
    """The next time that is free anyhow, if they can be asked about one."""
    for slot in free_slots(interview, now=at)[:TIMES]:
        mine = queries.in_turn(slot, in_front_of_it=True).filter(pk=entry.pk)
        if mine.select_for_update(of=("self",)).first() is None:
            continue
        if hold := _hold(slot, interview.candidate.user, at=at):
            place = FreedPlace.objects.create(slot=slot, origin=Origin.FREE, at=at)
            offer = _make(place, entry, hold, at=at)
            if offer is not None:
                return offer
            _close(place, at=at)
    return None


# --- answers --------------------------------------------------------------------------------------


@transaction.atomic
def accept(reference: str, *, by_link: bool = False) -> Interview:
    """The place is theirs: their invitation is booked, or a new interview made. Accepting once more
    gives the same interview. A link proves nobody's identity: history says that it was one.

    Raises Offer.DoesNotExist, NotOpen, Busy.
    """
    now = timezone.now()
    found = queries.offers_with_facts().get(reference=reference)
    # Two offers taken at once must not bring them two appointments at the same time.
    people = Candidate.objects.select_for_update(no_key=True)
    people.values_list("pk").get(pk=found.entry.candidate_id)
    invitation = _invitation(found.entry)
    if invitation is not None:
        Interview.objects.lock(invitation)
    if found.entry.application_id is not None:
        lock_application(found.entry.application_id)
    offer = _lock(pk=found.pk)
    assert offer is not None  # noqa: S101 - offers are never removed
    if offer.state == OfferState.ACCEPTED and offer.interview_id is not None:
        # Read anew: what came with the offer is of before its lock was waited for.
        return Interview.objects.with_facts().get(pk=offer.interview_id)
    if offer.state != OfferState.OPEN or offer.slot.starts_at <= now:
        raise NotOpen(offer)
    entry = WaitingEntry.objects.select_for_update(of=("self",)).get(pk=offer.entry_id)
    if entry.state != EntryState.WAITING or _is_beside_the_point(entry):
        raise NotOpen(offer)
    if _is_closed_for(offer.slot):
        raise NotOpen(offer)
    if queries.is_busy(entry.candidate_id, offer.slot):
        raise Busy(offer)
    try:
        with transaction.atomic():
            interview = _book(offer, entry, invitation, by_link=by_link, at=now)
    # Its slot was closed, they withdrew, or were invited, meanwhile.
    except (SlotFull, TransitionNotAllowed, IntegrityError):
        raise NotOpen(offer) from None
    offer.interview = interview
    offer.accept(at=now)
    _end(offer)
    entry.serve(at=now)
    entry.save(update_fields=["state", "ended_at"])
    FreedPlace.objects.filter(pk=offer.place_id).update(refilled_at=now)
    return interview


@transaction.atomic
def decline(reference: str) -> Offer:
    """Not this time; the place goes to the next, and they wait on. Who was asked out of the talent
    pool is not asked about this position again. Raises Offer.DoesNotExist, NotOpen."""
    now = timezone.now()
    offer = _lock(reference=reference)
    if offer is None:
        raise Offer.DoesNotExist
    if offer.state == OfferState.DECLINED:
        return offer
    if offer.state != OfferState.OPEN:
        raise NotOpen(offer)
    offer.decline(at=now)
    _end(offer)
    entry = WaitingEntry.objects.select_for_update().get(pk=offer.entry_id)
    entry.unanswered = 0
    if entry.why == Why.TALENT_POOL and entry.state == EntryState.WAITING:
        entry.leave(at=now)
    entry.save(update_fields=["unanswered", "state", "ended_at"])
    _next(offer, at=now)
    return offer


@transaction.atomic
def lapse(offer_id: int) -> None:
    """Nobody has answered in time: the place goes to the next. Nothing where somebody has, or is
    just about to. The silence of whom no message reached is not counted."""
    now = timezone.now()
    offer = _lock(pk=offer_id, skip_locked=True)
    if offer is None or offer.state != OfferState.OPEN or offer.held_until > now:
        return
    was_told = queries.was_told(offer)
    offer.lapse(at=now)
    _end(offer)
    entry = WaitingEntry.objects.select_for_update().get(pk=offer.entry_id)
    entry.unanswered += was_told
    gave_up = entry.why == Why.TALENT_POOL or entry.unanswered >= rules.UNANSWERED
    if gave_up and entry.state == EntryState.WAITING:
        entry.expire(at=now)
    entry.save(update_fields=["unanswered", "state", "ended_at"])
    _next(offer, at=now)


@transaction.atomic
def withdraw(offer_id: int) -> None:
    """Take back what is kept for somebody who has found a time; the place goes to the next."""
    offer = _lock(pk=offer_id, state=OfferState.OPEN, skip_locked=True)
    if offer is not None:
        now = timezone.now()
        offer.withdraw(at=now)
        _end(offer)
        _next(offer, at=now)


@transaction.atomic
def withdraw_offers(slots: Iterable[int]) -> int:
    """Nobody can come then any more: take back every place that is kept in these slots; how many.
    To be called before anything locks the slots."""
    now = timezone.now()
    closing = list(slots)
    offers = list(
        queries.offers_with_facts()
        .filter(slot__in=closing, state=OfferState.OPEN)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    places = FreedPlace.objects.filter(slot__in=closing, refilled_at=None, closed_at=None)
    places.update(closed_at=now)
    for offer in offers:
        offer.withdraw(at=now)
        _end(offer)
        release_place(offer.slot_id)
    return len(offers)


def offer_new(slots: Iterable[Slot]) -> int:
    """New times are offered to who waits before anybody else sees them, one to each; how many. In
    the transaction that makes them."""
    now = timezone.now()
    made = 0
    for slot in sorted(slots, key=lambda each: each.starts_at)[:NEW_LOOKED_AT]:
        for _place_of_it in range(slot.capacity - slot.booked):
            if not queries.in_turn(slot).exists():
                break
            place = FreedPlace.objects.create(slot=slot, origin=Origin.FREE, at=now)
            if _offer(place, at=now) is None:
                _close(place, at=now)
                break
            made += 1
    return made


@transaction.atomic
def offer_now(slot_id: int, *, among: Iterable[int]) -> Offer | None:
    """HR has a free place of a slot, at one of the positions `among`, offered to who waits first;
    None where nobody can be asked. Raises Slot.DoesNotExist, SlotFull."""
    now = timezone.now()
    slot = Slot.objects.select_related("position__department").get(pk=slot_id, position__in=among)
    if slot.booked >= slot.capacity:
        raise SlotFull
    place = FreedPlace.objects.create(slot=slot, origin=Origin.FREE, at=now)
    offer = _offer(place, at=now)
    if offer is None:
        _close(place, at=now)
    return offer


def _lock(*, skip_locked: bool = False, **which: Any) -> Offer | None:
    """With its facts, as it stands once nobody else has it in hand."""
    locked = queries.offers_with_facts().filter(**which)
    return locked.select_for_update(of=("self",), skip_locked=skip_locked).first()


def _end(offer: Offer) -> None:
    """It has been answered, or nobody needs to any more."""
    offer.save(update_fields=["state", "ended_at", "interview"])
    supersede(offer.subject, notices.WHILE_OPEN)


def _next(offer: Offer, *, at: datetime) -> None:
    """The place was kept for nothing: who is next has it, else anybody. The talent pool is asked by
    the next sweep, which also says when nobody is left."""
    release_place(offer.slot_id)
    _offer(offer.place, at=at)


def _invitation(entry: WaitingEntry) -> str | None:
    """What they were invited to and have not booked, if anything."""
    open_still = Interview.objects.filter(
        application__candidate=entry.candidate_id,
        application__position=entry.position_id,
        kind=entry.kind,
        status=InterviewStatus.INVITED,
    )
    return open_still.order_by("-pk").values_list("reference", flat=True).first()


def _is_beside_the_point(entry: WaitingEntry) -> bool:
    """Whether they have a time by now, or their application has ended."""
    if entry.application is not None and entry.application.stage == Stage.ENDED:
        return True
    return queries.served_elsewhere().filter(pk=entry.pk).exists()


def _book(
    offer: Offer, entry: WaitingEntry, invitation: str | None, *, by_link: bool, at: datetime
) -> Interview:
    """The place kept is given back and taken within one transaction: nobody can come between. They
    are not held to the deadline of an invitation: it is we who ask."""
    user = offer.entry.candidate.user
    if invitation is None:
        application = entry.application or _apply(offer, at=at)
        kept = _kept_of(entry.interview)
        invitation = invite(application, by=user, kind=entry.kind, at=at, **kept).reference
    interview = Interview.objects.lock(invitation)
    release_place(offer.slot_id)
    give_time(interview, offer.slot, by=user, at=at)
    told = {"offer": offer.reference, "by_link": by_link}
    history.record(interview, ("place_taken", told), by=user, at=at)
    notify(*booking_notices.booked(interview), *notices.refilled(offer, interview))
    return interview


def _kept_of(before: Interview | None) -> dict[str, Any]:
    """What of the appointment they had holds for the next one."""
    if before is None:
        return {}
    return {
        "link": before.link,
        "location": before.location,
        "interviewer": before.interviewer,
    }


def _apply(offer: Offer, *, at: datetime) -> Application:
    """Somebody of the talent pool applies by taking the place; where they have applied meanwhile,
    that counts."""
    mine = Application.objects.filter(
        candidate=offer.entry.candidate_id, position=offer.slot.position_id
    ).exclude(stage=Stage.ENDED)
    return mine.first() or Application.objects.create(
        candidate=offer.entry.candidate,
        position=offer.slot.position,
        stage=Stage.AI_INTERVIEW,
        applied_at=at,
        screened_at=at,
        source=SOURCE,
    )


# --- the sweep ------------------------------------------------------------------------------------


def sweep(now: datetime) -> None:
    """Everything that has come due: offers nobody answered, people who found a time elsewhere,
    places on their way to nobody. Safe with several workers; what it does not come to in time the
    next one does."""
    until = monotonic() + SWEEPS_FOR
    overdue = Offer.objects.filter(state=OfferState.OPEN, held_until__lte=now)
    _each(lapse, overdue.order_by("held_until"), until)
    served = queries.served_elsewhere()
    waits_no_more = Q(entry__in=served) | ~Q(entry__state=EntryState.WAITING)
    needless = Offer.objects.filter(waits_no_more, state=OfferState.OPEN)
    _each(withdraw, needless.order_by("pk"), until)
    served.filter(
        ~Exists(Offer.objects.filter(entry=OuterRef("pk"), state=OfferState.OPEN))
    ).update(state=EntryState.SERVED, ended_at=now)
    held = Offer.objects.filter(place=OuterRef("pk"), state=OfferState.OPEN)
    idle = FreedPlace.objects.filter(~Exists(held), refilled_at=None, closed_at=None)
    _each(pass_on, idle.order_by("at"), until)


def _each(act: Callable[[int], object], rows: QuerySet, until: float) -> None:
    """One after the other, each in its own transaction."""
    for pk in rows.values_list("pk", flat=True)[:BATCH]:
        if monotonic() > until:
            return
        try:
            act(pk)
        except Exception:  # one bad row must not keep the others waiting
            logger.exception("refill_failed", row=pk, step=act.__name__)
