"""Inviting, booking, moving, declining. Each function is one use case, in one transaction."""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from accounts.models import User
from accounts.permissions import MANAGE_SLOTS
from interviews import history
from interviews.booking import notices, queries
from interviews.booking.models import (
    DETAIL_MAX,
    DETAIL_MIN,
    NEEDS_DETAIL,
    Decline,
)
from interviews.gates import services as gates
from interviews.models import Application, Interview, InterviewKind, Slot, Stage
from interviews.queries import free_slots, visible_to
from interviews.services import (
    SlotFull,
    end_application,
    give_time,
    lock_application,
    move_interview,
    withdraw_interview,
)
from interviews.services import invite as invite_interview
from interviews.signals import move_asked
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from notifications.services import notify

# What an application that reaches a stage is invited to.
INVITES = {Stage.AI_INTERVIEW: InterviewKind.AI}


class InvitationExpired(Exception):
    """The deadline has passed: HR can still arrange a time."""


class AlreadyBooked(Exception):
    """It has a time already; another one is a move."""


class AnotherTime(Exception):
    """It was moved meanwhile: it is not at the time they were shown."""


class MoveRefused(Exception):
    """The rule does not allow it any more; `code` says why: too_late or used_up."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --- inviting -------------------------------------------------------------------------------------


@transaction.atomic
def reach_stage(
    application: Application, stage: str, *, by: User | None, at: datetime | None = None
) -> Interview | None:
    """An application reaches a stage; where that is one of an interview, the candidate is invited
    by itself, once. Returns the new invitation, if there is one.

    Reaching it again invites nobody who was invited before. Where it ends, what is still to come is
    called off. Raises GateShut where a gate stands before it.
    """
    at = at or timezone.now()
    if stage == Stage.ENDED:
        end_application(application, by=by, at=at)
        return None
    application = lock_application(application.pk)
    gates.require_open(application, stage, at=at)
    if application.screened_at is None and stage != Stage.APPLIED:
        application.screened_at = at
    application.stage = stage
    application.save(update_fields=["stage", "screened_at"])
    kind = INVITES.get(Stage(stage))
    if kind is None or application.interviews.filter(kind=kind).exists():
        return None
    return _invite(application, kind=kind, by=by, at=at)


def _invite(application: Application, *, kind: str, by: User | None, at: datetime) -> Interview:
    days = application.position.invitation_days
    deadline = at + timedelta(days=days)
    interview = invite_interview(application, kind=kind, deadline=deadline, by=by, at=at)
    notify(*notices.invited(interview))
    return interview


@transaction.atomic
def open_invitation(token: str) -> Interview:
    """Somebody followed the link and wants to go on: kept once, with its time.

    Raises Interview.DoesNotExist for a link that is not ours.
    """
    found = queries.invitation(token)
    if found is None:
        raise Interview.DoesNotExist
    interview = Interview.objects.lock(found.reference)
    if interview.opened_at is None and interview.status == InterviewStatus.INVITED:
        interview.opened_at = timezone.now()
        interview.save(update_fields=["opened_at"])
        history.record(interview, "opened", by=None, at=interview.opened_at)
    return interview


# --- booking, moving, declining -------------------------------------------------------------------


@transaction.atomic
def book(reference: str, slot_id: int, *, by: User, at: datetime | None = None) -> Interview:
    """A candidate, or HR for them, takes one of the times offered for their invitation. Taking the
    same one again changes nothing.

    Raises Interview.DoesNotExist where it is not theirs, PermissionDenied, InvitationExpired (HR is
    not held to the deadline), AlreadyBooked, TransitionNotAllowed where it is over, SlotFull where
    the time is full or not offered.
    """
    at = at or timezone.now()
    interview = _lock(reference, by)
    if interview.status in HOLDS_A_SLOT:
        if interview.slot_id == slot_id:
            return interview
        raise AlreadyBooked
    if queries.is_expired(interview, at) and not by.works_at_desk:
        raise InvitationExpired
    give_time(interview, _offered(interview, slot_id, at), by=by, at=at)
    notify(*notices.booked(interview))
    return interview


@transaction.atomic
def move(
    reference: str,
    slot_id: int,
    *,
    by: User,
    shown: datetime | None = None,
    at: datetime | None = None,
) -> Interview:
    """A candidate, or HR for them, takes another of the times offered: it stays booked, and one
    message says so. Moving to where it is changes nothing. `shown` is the time that the page they
    chose on had it at: one may move a few times only, and none of them is used up by an old page.

    Raises Interview.DoesNotExist where it is not theirs, PermissionDenied, AnotherTime, MoveRefused
    (HR is not held to that rule), TransitionNotAllowed where it is not booked, SlotFull where the
    time is full or not offered.
    """
    at = at or timezone.now()
    interview = _lock(reference, by)
    if interview.status == InterviewStatus.BOOKED and interview.slot_id == slot_id:
        return interview
    if interview.status != InterviewStatus.BOOKED:
        raise TransitionNotAllowed
    if shown is not None and shown != interview.starts_at:
        raise AnotherTime
    if not by.works_at_desk:
        move_asked.send(sender=Interview, interview=interview, at=at)
    before = interview.starts_at
    move_interview(interview, _offered(interview, slot_id, at), by=by, at=at)
    notify(*notices.moved(interview, before=before))
    return interview


@transaction.atomic
def decline(
    reference: str, *, by: User, reason: str, detail: str = "", at: datetime | None = None
) -> tuple[Decline, bool]:
    """A candidate does not want the interview they were invited to: they leave the application.

    Returns the decline and whether it is new. Raises Interview.DoesNotExist where it is not theirs,
    TransitionNotAllowed where it is not an invitation any more, ValidationError for a missing
    detail.
    """
    at = at or timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    if existing := Decline.objects.filter(interview=interview).first():
        return existing, False
    if interview.status != InterviewStatus.INVITED:
        raise TransitionNotAllowed
    detail = clean_detail(reason, detail)
    withdraw_interview(interview, at=at)
    declined = Decline.objects.create(interview=interview, reason=reason, detail=detail, at=at)
    history.record(interview, ("declined", {"reason": str(reason)}), by=by, at=at)
    notify(*notices.declined(declined))
    return declined, True


def clean_detail(reason: str, detail: str) -> str:
    """Raises ValidationError where a sentence is needed and missing, or too long."""
    detail = detail.replace("\x00", "").strip()
    if reason in NEEDS_DETAIL and len(detail) < DETAIL_MIN:
        raise ValidationError(
            _("Please describe it in a sentence (at least %(count)d characters)."),
            code="detail",
            params={"count": DETAIL_MIN},
        )
    if len(detail) > DETAIL_MAX:
        raise ValidationError(
            _("Please keep it under %(count)d characters."),
            code="detail",
            params={"count": DETAIL_MAX},
        )
    return detail


def _lock(reference: str, by: User) -> Interview:
    """One's own interview, or, for HR, one of their departments."""
    if not by.works_at_desk:
        return Interview.objects.lock_own(reference, by)
    if not by.has_perm(MANAGE_SLOTS):
        raise PermissionDenied
    if not visible_to(by).filter(reference=reference).exists():
        raise Interview.DoesNotExist
    return Interview.objects.lock(reference)


def _offered(interview: Interview, slot_id: int, now: datetime) -> Slot:
    """Raises SlotFull."""
    slot = free_slots(interview, now=now).filter(pk=slot_id).first()
    if slot is None:
        raise SlotFull
    return slot
