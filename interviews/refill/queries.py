"""Reads of waiting lists and offers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat

from accounts.models import User
from candidates.models import Candidate
from config.prepared import Later, Prepared
from interviews.matching import fit
from interviews.models import (
    PRIVATE_FIELDS,
    Application,
    Interview,
    Position,
    Slot,
    Stage,
)
from interviews.queries import departments_of
from interviews.refill.models import (
    EntryState,
    FreedPlace,
    Offer,
    OfferState,
    Origin,
    WaitingEntry,
    Why,
)
from interviews.signals import candidates_considered
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from notifications.courtesy import quiet_until
from notifications.events import Group
from notifications.models import Channel, Notification, OutOfReach, Preference, State

POOL_LOOKED_AT = 500  # people of the talent pool, those who joined last first
POOL_REST = timedelta(days=7)  # in which nobody of the pool is asked a second time
COUNTED = timedelta(days=90)  # what a recovery rate is of


def _private(*people: str) -> list[str]:
    """What of these people only sign-in needs."""
    return [f"{person}__{field}" for person in people for field in PRIVATE_FIELDS]


def offers_with_facts() -> QuerySet[Offer]:
    """Everything a page, a message or a service asks of an offer, in one query."""
    recruiter, user = "slot__position__recruiter", "entry__candidate__user"
    return Offer.objects.select_related(
        "place", "slot__position__department", recruiter, user, "interview"
    ).defer(*_private(recruiter, user))


_open_of = Prepared(
    lambda: Offer.objects.filter(
        state=OfferState.OPEN, entry__candidate__user=Later("user")
    ).select_related("slot__position__department")
)


def open_offers_of(user: User) -> list[Offer]:
    """What is kept for them at the moment."""
    return _open_of(user=user.pk)


def asked_at(user: User, at: datetime) -> datetime:
    """When they hear of a place offered to them: not in their quiet hours."""
    return quiet_until(at, ZoneInfo(user.time_zone or settings.TIME_ZONE)) or at


def waiting_entry(interview: Interview) -> WaitingEntry | None:
    """Whether its candidate waits for another time for its position."""
    entries = WaitingEntry.objects.filter(
        candidate=interview.candidate,
        position=interview.position,
        kind=interview.kind,
        state=EntryState.WAITING,
    )
    return entries.first()


def _at_the_time_of(slot: Slot, candidate: OuterRef | int) -> QuerySet[Interview]:
    """Their appointments, of whatever position, that take any of it."""
    return Interview.objects.filter(
        application__candidate=candidate,
        status__in=HOLDS_A_SLOT,
        starts_at__lt=slot.ends_at,
        ends_at__gt=slot.starts_at,
    )


def is_busy(candidate_id: int, slot: Slot) -> bool:
    """Whether they have to be elsewhere then."""
    return _at_the_time_of(slot, candidate_id).exists()


def _can_be_told(user: str) -> Q:
    """Of whom a text message or a mail about a place can reach: there is an address, they have not
    switched such messages off there, and what we have leads to them."""
    recipient = Concat(Value("user:"), Cast(OuterRef(f"{user}_id"), CharField()))
    refused = Preference.objects.filter(recipient=recipient, group=Group.OFFERS, is_wanted=False)
    lost = OutOfReach.objects.filter(recipient=recipient, solved_at=None)
    by_text = Q(~Exists(refused.filter(channel=Channel.SMS)), **{f"{user}__mobile__gt": ""})
    by_mail = Q(~Exists(refused.filter(channel=Channel.EMAIL)), **{f"{user}__email__gt": ""})
    return (by_text | by_mail) & ~Q(Exists(lost))


def was_told(offer: Offer) -> bool:
    """Whether a message about it has gone out, as far as we know."""
    told = Notification.objects.filter(
        subject=offer.subject,
        channel__in=[Channel.SMS, Channel.EMAIL],
        state__in=[State.SENT, State.DELIVERED],
    )
    return told.exists()


def in_turn(slot: Slot, *, in_front_of_it: bool = False) -> QuerySet[WaitingEntry]:
    """Who waits for a place of such a slot and can be asked, the first at the top: nobody who was
    asked about this very slot, or is being asked about another; nobody who could not come then, nor
    whom no message reaches, unless they are just reading (`in_front_of_it`)."""
    asked = Offer.objects.filter(entry=OuterRef("pk"))
    not_then = Q(interview__starts_at__lt=slot.ends_at, interview__ends_at__gt=slot.starts_at)
    entries = WaitingEntry.objects.filter(
        ~Exists(asked.filter(Q(slot=slot) | Q(state=OfferState.OPEN))),
        ~Exists(_at_the_time_of(slot, OuterRef("candidate"))),
        ~_has_appointment(),
        position=slot.position_id,
        kind=slot.kind,
        state=EntryState.WAITING,
    )
    entries = entries.exclude(not_then).exclude(application__stage=Stage.ENDED)
    if not in_front_of_it:
        entries = entries.filter(_can_be_told("candidate__user"))
    in_order = entries.order_by("why", "since", "pk").select_related("candidate__user")
    return in_order.defer(*_private("candidate__user"))


def _has_appointment() -> Exists:
    """Of an entry: whether they have a time for this position already."""
    return Exists(
        Interview.objects.filter(
            application__candidate=OuterRef("candidate"),
            application__position=OuterRef("position"),
            kind=OuterRef("kind"),
            status__in=[*HOLDS_A_SLOT, InterviewStatus.COMPLETED],
            application__stage__in=[each for each in Stage if each != Stage.ENDED],
        )
    )


def served_elsewhere() -> QuerySet[WaitingEntry]:
    """Who waits still, and has found a time meanwhile."""
    return WaitingEntry.objects.filter(_has_appointment(), state=EntryState.WAITING)


def from_the_pool(slot: Slot, *, now: datetime, without: Iterable[int] = ()) -> Candidate | None:
    """Whom of the talent pool a place of this slot suits best: somebody the position asks nothing
    of that they will not do, and who has something it asks for; never who has applied for it, was
    told of it before, or asked about another one lately."""
    position = slot.position
    mine = Application.objects.filter(candidate=OuterRef("pk"), position=position)
    asked_before = WaitingEntry.objects.filter(
        candidate=OuterRef("pk"), position=position, why=Why.TALENT_POOL
    ).exclude(state=EntryState.EXPIRED, unanswered=0)
    lately = Offer.objects.filter(
        entry__candidate=OuterRef("pk"),
        entry__why=Why.TALENT_POOL,
        made_at__gt=now - POOL_REST,
    )
    being_asked = Offer.objects.filter(entry__candidate=OuterRef("pk"), state=OfferState.OPEN)
    people = (
        Candidate.objects.filter(
            _can_be_told("user"),
            ~Exists(mine),
            ~Exists(asked_before),
            ~Exists(lately),
            ~Exists(being_asked),
            ~Exists(_at_the_time_of(slot, OuterRef("pk"))),
            talent_pool_at__isnull=False,
        )
        .exclude(pk__in=list(without))
        .select_related("user")
        .defer(*_private("user"))
        .order_by("-talent_pool_at")[:POOL_LOOKED_AT]
    )
    ranked = []
    for person in people:
        points = fit(
            position.requirements,
            position.city,
            attributes=person.attributes,
            lives_in=person.city,
        )
        if points:
            ranked.append((-points, person.talent_pool_at, person.pk, person))
    ranked.sort(key=lambda each: each[:3])
    allowed = {person.pk for *_rank, person in ranked}
    candidates_considered.send(sender=Candidate, candidates=allowed, position=position)
    return next((person for *_rank, person in ranked if person.pk in allowed), None)


def list_of(position: Position) -> QuerySet[WaitingEntry]:
    """Its waiting list as HR reads it, in the order in which people are asked."""
    entries = WaitingEntry.objects.filter(position=position, state=EntryState.WAITING)
    return (
        entries.select_related("candidate__user", "interview")
        .defer(*_private("candidate__user"))
        .annotate(
            asked=Count("offers"),
            last_asked=Max("offers__made_at"),
            can_be_told=Case(When(_can_be_told("candidate__user"), then=True), default=False),
        )
        .order_by("why", "since", "pk")
    )


@dataclass(frozen=True)
class Refilling:
    """How refilling goes for one position: who waits now, and of the places given up lately how
    many went to somebody else."""

    position: Position
    waiting: int = 0
    being_asked: int = 0
    freed: int = 0
    offered: int = 0
    accepted: int = 0
    refilled: int = 0

    @property
    def rate(self) -> int | None:
        """In percent; None where nothing was given up."""
        return round(100 * self.refilled / self.freed) if self.freed else None


def refilling(positions: QuerySet[Position], *, now: datetime) -> list[Refilling]:
    """Of each of the positions where somebody waits, or a place was given up lately; four queries,
    and the positions."""
    since = now - COUNTED
    counts: dict[int, dict[str, int]] = defaultdict(dict)

    def count(rows: QuerySet, position: str, **what: Count) -> None:
        mine = rows.filter(**{f"{position}__in": positions}).order_by()
        for row in mine.values(key=F(position)).annotate(**what):
            counts[row.pop("key")] |= row

    waiting = WaitingEntry.objects.filter(state=EntryState.WAITING)
    count(waiting, "position", waiting=Count("pk"))
    open_offers = Offer.objects.filter(state=OfferState.OPEN)
    count(open_offers, "slot__position", being_asked=Count("pk"))
    freed = FreedPlace.objects.filter(origin=Origin.GIVEN_UP, at__gt=since)
    count(freed, "slot__position", freed=Count("pk"), refilled=Count("refilled_at"))
    made = Offer.objects.filter(made_at__gt=since, place__origin=Origin.GIVEN_UP)
    accepted = Count("pk", filter=Q(state=OfferState.ACCEPTED))
    count(made, "slot__position", offered=Count("pk"), accepted=accepted)
    found = Position.objects.filter(pk__in=counts).select_related("department").order_by("title")
    return [Refilling(position, **counts[position.pk]) for position in found]


def positions_seen_by(user: User) -> QuerySet[Position]:
    """The positions of the departments they work for."""
    return Position.objects.filter(department__in=departments_of(user)).select_related("department")


def offers_of(position: Position) -> QuerySet[Offer]:
    """The offers of its places, the newest first."""
    offers = Offer.objects.filter(slot__position=position)
    facts = offers.select_related("slot", "place", "entry__candidate__user", "interview")
    return facts.defer(*_private("entry__candidate__user")).order_by("-pk")
