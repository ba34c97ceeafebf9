"""What happens in the room. Each function is one use case, in one transaction, but for those that
say that the caller holds the interview's lock. Saving an answer and a heartbeat, which come all
the time, are single statements (interviews/room/saving.py)."""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import User
from candidates.models import FileEntry
from interviews import history
from interviews.models import Interview
from interviews.room import queries
from interviews.room.models import (
    LARGEST_RECORDING,
    Answer,
    Ending,
    Recording,
    RoomEvent,
    RoomEventKind,
    Sitting,
)
from interviews.room.questions import questions_for
from interviews.signals import interview_entered
from interviews.states import InterviewStatus

BATCH = 500
LEAST_TO_COME_BACK = timedelta(hours=1)  # once HR has asked somebody to go on
MOST_EVENTS = 2000  # of one sitting; what comes later is not kept
LARGEST_DETAIL = 1024  # characters of JSON
MOST_DETAILS = 10
_NAME = re.compile(r"[a-z][a-z_]{0,29}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_.:-]{0,60}", re.ASCII)
# What a browser may tell us. The others we see for ourselves, or hear from a platform.
FROM_THE_BROWSER = frozenset(
    {
        RoomEventKind.CHECKED,
        RoomEventKind.HIDDEN,
        RoomEventKind.SHOWN,
        RoomEventKind.OFFLINE,
        RoomEventKind.ONLINE,
        RoomEventKind.CLOSED,
        RoomEventKind.SCRIPT_ERROR,
        RoomEventKind.DEVICE_ERROR,
        RoomEventKind.OTHER_TAB,
        RoomEventKind.EXIT_OPENED,
        RoomEventKind.TIME_UP,
    }
)
# How a file begins, and what that makes it. RIFF also holds films; and what begins as MP4 does is a
# picture where its brand is another one.
_SOUNDS = [
    (re.compile(rb"\x1a\x45\xdf\xa3"), "audio/webm"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb".{4}ftyp(iso|mp4|M4A|M4B|dash|3gp)", re.DOTALL), "audio/mp4"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
]


class NotOpen(Exception):
    """Too early, too late, or over: the room's page says which."""


class Over(Exception):
    """The interview is not going on: not begun, ended, or HR is asked to end it."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class TimeUp(Exception):
    """The limit of this question has run out."""


class NoWay(Exception):
    """Neither the next question nor an earlier one."""


class NotAccepted(Exception):
    """A recording that is not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --- coming in ------------------------------------------------------------------------------------


@transaction.atomic
def enter(
    reference: str, *, by: User, may_record: bool = False, check: dict[str, Any] | None = None
) -> Sitting:
    """A candidate comes in, or comes back to what they had begun: their questions, their answers,
    and their consent as they now give it.

    `check` is what the check of their device found, as `clean_detail` returns it. A request to
    cancel that is pending is taken back. Raises Interview.DoesNotExist where it is not theirs or
    takes place elsewhere, NotOpen.
    """
    now = timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    if not queries.takes_place_here(interview):
        raise Interview.DoesNotExist
    sitting = queries.latest_sitting(interview)
    state = queries.state_of(interview, sitting, now=now, comes_in=True)
    match state:
        case queries.State.CHECK:
            sitting = _begin(interview, by=by, may_record=may_record, at=now)
        case queries.State.RESUME | queries.State.QUESTION if sitting is not None:
            sitting = _come_back(sitting, may_record=may_record, at=now)
        case _:
            raise NotOpen
    if check:
        record_event(sitting, RoomEventKind.CHECKED, check, at=now)
    return sitting


def _begin(interview: Interview, *, by: User, may_record: bool, at: datetime) -> Sitting:
    sitting = Sitting(
        interview=interview,
        questions=questions_for(interview),
        entered_at=at,
        last_seen_at=at,
        resume_until=at + queries.RESUME_WITHIN,
        may_record=may_record,
    )
    interview_entered.send(sender=Sitting, sitting=sitting, by=by)
    if interview.status != InterviewStatus.IN_PROGRESS:
        interview.start()
        interview.save(update_fields=["status"])
        history.record(interview, "started", by=by, at=at)
    sitting.save()
    Answer.objects.bulk_create(
        Answer(sitting=sitting, number=question["number"]) for question in sitting.questions
    )
    record_event(sitting, RoomEventKind.ENTERED, at=at)
    return sitting


def _come_back(sitting: Sitting, *, may_record: bool, at: datetime) -> Sitting:
    """The key stays, so that a tab that is still open goes on as well."""
    sitting = Sitting.objects.select_for_update().get(pk=sitting.pk)
    if queries.presence(sitting, at) == queries.Presence.AWAY:
        record_event(sitting, RoomEventKind.AWAY, at=sitting.last_seen_at)
    record_event(sitting, RoomEventKind.RESUMED, at=at)
    sitting.current_seconds = queries.current_seconds(sitting, at)
    sitting.last_seen_at, sitting.may_record = at, may_record
    sitting.save(update_fields=["current_seconds", "last_seen_at", "may_record"])
    return sitting


# --- going through the questions ------------------------------------------------------------------


@transaction.atomic
def go(reference: str, *, by: User, to: int) -> tuple[Sitting, list[Answer]]:
    """On to the next question that can be answered, or back to any of the earlier ones. Asking for
    the one in view changes nothing: a reply may have been lost.

    Raises Interview.DoesNotExist, Over, NoWay, TimeUp.
    """
    now = timezone.now()
    sitting = _lock_own_sitting(reference, by)
    answers = queries.answers_of(sitting)
    if to == sitting.current:
        return sitting, answers
    if to != queries.next_number(sitting, answers, now):
        if not 0 < to < sitting.current:
            raise NoWay
        if not queries.is_open(sitting, answers[to - 1], now):
            raise TimeUp
    _put_time_away(sitting, answers, now)
    sitting.current, sitting.last_seen_at = to, now
    sitting.current_seconds = answers[to - 1].seconds if to <= len(answers) else 0
    sitting.save(update_fields=["current", "current_seconds", "last_seen_at"])
    return sitting, answers


def _put_time_away(sitting: Sitting, answers: Sequence[Answer], now: datetime) -> None:
    """The time with the question in view goes to its answer."""
    if 0 < sitting.current <= len(answers):
        answer = answers[sitting.current - 1]
        answer.seconds = queries.current_seconds(sitting, now)
        answer.save(update_fields=["seconds"])


@transaction.atomic
def finish(reference: str, *, by: User) -> Interview:
    """The candidate is done; a second time changes nothing.

    Raises Interview.DoesNotExist, Over.
    """
    now = timezone.now()
    interview = Interview.objects.lock_own(reference, by)
    if interview.status == InterviewStatus.COMPLETED:
        return interview
    sitting = queries.open_sitting(interview)
    is_going_on = interview.status == InterviewStatus.IN_PROGRESS
    if not is_going_on or sitting is None or sitting.resume_until <= now:
        raise Over(interview.status)
    interview.complete(at=now)
    interview.save(update_fields=["status", "ended_at"])
    sitting = end_sitting(sitting, ending=Ending.COMPLETED, at=now)
    history.record(interview, ("completed", _for_history(sitting)), by=by, at=now)
    return interview


# --- the end --------------------------------------------------------------------------------------


def end_sitting(sitting: Sitting, *, ending: Ending, at: datetime, reason: str = "") -> Sitting:
    """Close the sitting with its evidence, and put what stays of it into the candidate's file; of
    one begun by mistake nothing stays. `reason` is a code.

    The caller holds the interview's lock, moves the interview and records history. What is being
    saved at this moment is waited for; nothing is saved afterwards.
    """
    sitting = (
        Sitting.objects.select_related("interview__application")
        .select_for_update(of=("self",))
        .get(pk=sitting.pk)
    )
    if queries.presence(sitting, at) == queries.Presence.AWAY:
        record_event(sitting, RoomEventKind.AWAY, at=sitting.last_seen_at)
    evidence = queries.evidence(sitting, at)
    _put_time_away(sitting, queries.answers_of(sitting), at)
    sitting.current_seconds = queries.current_seconds(sitting, at)
    sitting.ended_at, sitting.ending, sitting.evidence = at, ending, evidence
    sitting.save(update_fields=["current_seconds", "ended_at", "ending", "evidence"])
    if ending != Ending.MISSTART:
        FileEntry.objects.create(
            candidate_id=sitting.interview.application.candidate_id,
            interview=sitting.interview.reference,
            entered_at=sitting.entered_at,
            ended_at=at,
            ending=ending,
            reason=reason,
            answered=evidence["answered"],
            questions=evidence["questions"],
            seconds=evidence["seconds"],
        )
    return sitting


def _for_history(sitting: Sitting) -> dict[str, Any]:
    told = ("answered", "questions", "seconds")
    return {"ending": sitting.ending, **{name: sitting.evidence[name] for name in told}}


def give_back_time(interview: Interview, *, waited: timedelta, at: datetime) -> None:
    """Waiting for HR does not use up the time in which one may come back, and who is then to go on
    has at least LEAST_TO_COME_BACK for it. The caller holds the interview's lock."""
    interview.sittings.filter(ended_at=None).update(
        resume_until=Greatest(F("resume_until") + waited, at + LEAST_TO_COME_BACK)
    )


def overdue(now: datetime) -> list[int]:
    """The sittings nobody has come back to in time, the oldest first; BATCH at most."""
    over = Sitting.objects.filter(
        ended_at=None, resume_until__lte=now, interview__status=InterviewStatus.IN_PROGRESS
    )
    return list(over.order_by("resume_until").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def lapse(sitting_id: int) -> bool:
    """Nobody came back in time: the interview is incomplete, and the evidence says why. False where
    somebody else has it in hand, or it came to another end."""
    now = timezone.now()
    overdue = Sitting.objects.filter(pk=sitting_id, ended_at=None, resume_until__lte=now)
    interview = (
        Interview.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk__in=overdue.values("interview"), status=InterviewStatus.IN_PROGRESS)
        .first()
    )
    sitting = overdue.first() if interview else None
    if interview is None or sitting is None:
        return False
    ending = queries.ending_by_evidence(sitting, list(sitting.events.order_by("at", "pk")))
    interview.lapse(at=now)
    interview.save(update_fields=["status", "ended_at"])
    sitting = end_sitting(sitting, ending=ending, at=now)
    history.record(interview, ("lapsed", _for_history(sitting)), by=None, at=now)
    return True


def close_by_hand(interview: Interview, *, at: datetime) -> None:
    """Staff have set the interview's status right: nobody is in its room any more. The caller holds
    its lock and has moved it."""
    sitting = queries.open_sitting(interview)
    if sitting is None:
        return
    if interview.status == InterviewStatus.COMPLETED:
        ending = Ending.COMPLETED
    else:
        ending = queries.ending_by_evidence(sitting, list(sitting.events.order_by("at", "pk")))
    end_sitting(sitting, ending=ending, at=at)


# --- what is observed -----------------------------------------------------------------------------


def clean_detail(kind: RoomEventKind | str, detail: object) -> dict[str, Any]:
    """The detail of an event a browser reports: codes and numbers, nothing else. Raises ValueError
    also for a kind that is not a browser's to report."""
    if kind not in FROM_THE_BROWSER:
        raise ValueError(kind)
    if not isinstance(detail, dict) or len(detail) > MOST_DETAILS:
        raise ValueError("detail")
    for name, value in detail.items():
        is_code = isinstance(value, str) and _CODE.fullmatch(value)
        is_number = isinstance(value, int | float) and abs(value) < 1e15  # so neither NaN nor ∞
        if not _NAME.fullmatch(name) or not (is_code or is_number or value is None):
            raise ValueError(name)
    if len(json.dumps(detail)) > LARGEST_DETAIL:
        raise ValueError("detail")
    return detail


def report_event(reference: str, *, by: User, kind: RoomEventKind, detail: dict[str, Any]) -> None:
    """What the candidate's browser noticed. Raises Interview.DoesNotExist, Over."""
    sitting = own_sitting(reference, by)
    record_event(sitting, kind, detail)


def record_fault(reference: str, *, by: User, where: str) -> None:
    """Something failed on our side while they were in the room."""
    record_event(own_sitting(reference, by), RoomEventKind.SERVER_ERROR, {"where": where})


def record_event(
    sitting: Sitting,
    kind: RoomEventKind,
    detail: dict[str, Any] | None = None,
    *,
    at: datetime | None = None,
) -> None:
    """One observation; of a sitting that has MOST_EVENTS of them, no more."""
    if sitting.events.order_by().count() < MOST_EVENTS:
        RoomEvent.objects.create(
            sitting=sitting, kind=kind, detail=detail or {}, at=at or timezone.now()
        )


# --- recordings -----------------------------------------------------------------------------------


def sound_of(content: bytes) -> str:
    """Which format of sound this is, by its first bytes; empty where it is none."""
    found = (content_type for mark, content_type in _SOUNDS if mark.match(content))
    return next(found, "")


@transaction.atomic
def store_recording(reference: str, *, by: User, number: int, content: bytes) -> Recording:
    """Keep what they said to a question, in place of an earlier take; never after the end.

    Raises Interview.DoesNotExist, Answer.DoesNotExist, Over, TimeUp, NotAccepted.
    """
    sitting = _lock_own_sitting(reference, by)
    answer = sitting.answers.get(number=number)
    if not sitting.may_record:
        raise NotAccepted("no_consent")
    if not (sitting.question(number) or {}).get("may_speak"):
        raise NotAccepted("not_spoken")
    if not content:
        raise NotAccepted("empty")
    if len(content) > LARGEST_RECORDING:
        raise NotAccepted("too_large")
    content_type = sound_of(content)
    if not content_type:
        raise NotAccepted("not_audio")
    if queries.is_time_up(sitting, answer, timezone.now()):
        raise TimeUp
    recording, _ = Recording.objects.update_or_create(
        answer=answer,
        defaults={
            "content_type": content_type,
            "data": content,
            "size": len(content),
            "recorded_at": timezone.now(),
        },
    )
    return recording


# --- whose it is ----------------------------------------------------------------------------------


def own_sitting(reference: str, by: User) -> Sitting:
    """The sitting of theirs that goes on. Raises Interview.DoesNotExist where the interview is not
    theirs, Over where nothing goes on."""
    going_on = Sitting.objects.filter(
        interview__reference=reference,
        interview__application__candidate__user=by,
        interview__status=InterviewStatus.IN_PROGRESS,
        ended_at=None,
        resume_until__gt=timezone.now(),
    )
    sitting = going_on.first()
    if sitting is None:
        raise Over(own_status(reference, by))
    return sitting


def own_status(reference: str, by: User) -> str:
    """Raises Interview.DoesNotExist where the interview is not theirs."""
    own = Interview.objects.filter(application__candidate__user=by)
    return str(own.values_list("status", flat=True).get(reference=reference))


def _lock_own_sitting(reference: str, by: User) -> Sitting:
    """As `own_sitting`, locked until the transaction ends."""
    sitting = own_sitting(reference, by)
    locked = Sitting.objects.select_for_update().filter(pk=sitting.pk, ended_at=None).first()
    if locked is None:
        raise Over(own_status(reference, by))
    return locked
