"""Reads: what is known of an absence, and whom it is put before."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.models import User
from cancellations.absences.models import Absence, Decision
from cancellations.absences.rules import Known
from cancellations.models import Cancellation, Party
from candidates.models import Appeal, Mark
from candidates.queries import STANDING
from interviews.models import PEOPLE, PRIVATE_FIELDS, HistoryEntry, Interview
from interviews.queries import visible_to
from interviews.reminders.queries import has_failed, trouble_of, was_told
from interviews.room.models import Ending, RoomEvent, RoomEventKind
from interviews.room.queries import closes_at
from interviews.states import InterviewStatus
from notifications.models import Channel, Notification, State

OF_THEIRS = (RoomEventKind.DEVICE_ERROR, RoomEventKind.OFFLINE, RoomEventKind.SCRIPT_ERROR)
CAME = frozenset(
    {
        InterviewStatus.IN_PROGRESS,
        InterviewStatus.EXITING,
        InterviewStatus.COMPLETED,
        InterviewStatus.INCOMPLETE,
    }
)


def visible_absences(user: User) -> QuerySet[Absence]:
    """Those of the interviews `user` may see, with their facts."""
    people = [f"interview__{person}" for person in PEOPLE]
    return (
        Absence.objects.filter(interview__in=visible_to(user))
        .select_related("decided_by", "interview__application__position__department", *people)
        .defer(
            *(
                f"{person}__{field}"
                for person in (*people, "decided_by")
                for field in PRIVATE_FIELDS
            )
        )
    )


def visible_mark(user: User, reference: str) -> tuple[Mark, Interview] | None:
    """The mark and its interview, where `user` may see that; without the file of an appeal."""
    marks = Mark.objects.select_related("appealed_by__decided_by", "set_by", "candidate__user")
    mark = marks.defer("appealed_by__file").filter(reference=reference).first()
    if mark is None:
        return None
    interview = visible_to(user).with_facts().filter(reference=mark.interview).first()
    return (mark, interview) if interview is not None else None


@dataclass(frozen=True)
class Outcome:
    """What became of an absence: HR's decision or, where that was a mark, how the mark stands."""

    code: str
    until: datetime | None = None  # the mark stands


def outcome_of(interview: Interview) -> Outcome | None:
    """Of the appointment that was missed; None while HR has not decided."""
    if interview.status != InterviewStatus.NO_SHOW or interview.starts_at is None:
        return None
    decided = interview.absences.filter(starts_at=interview.starts_at).exclude(decision="")
    decision = decided.values_list("decision", flat=True).first()
    if decision is None:
        return None
    if decision != Decision.MARKED:
        return Outcome(decision)
    marks = Mark.objects.filter(interview=interview.reference, starts_at=interview.starts_at)
    mark = marks.first()
    return Outcome(mark.state, mark.expires_at) if mark else None


def file_of(mark: Mark) -> Appeal | None:
    """The appeal with its file, where one came with it."""
    return Appeal.objects.filter(mark=mark, file__isnull=False).exclude(content_type="").first()


def known_of(interview: Interview, now: datetime) -> Known:
    """Everything that is known of the appointment as it is booked, or was before it was missed."""
    assert interview.starts_at is not None  # noqa: S101 - nobody is absent from what has no time
    since = Q()
    if interview.booked_at is not None:
        since = Q(at__gte=interview.booked_at)
    over = closes_at(interview)
    report = trouble_of(interview)
    opened = HistoryEntry.objects.filter(interview=interview, event="opened").order_by("sequence")
    return Known(
        starts_at=interview.starts_at,
        booked_at=interview.booked_at,
        is_over=over is not None and over <= now,
        came=_came(interview),
        was_told=was_told(interview),
        request_pending=_was_pending(interview),
        platform_fault=has_failed(interview),
        opened_at=opened.values_list("at", flat=True).first(),
        confirmed_at=interview.confirmed_at if interview.is_confirmed else None,
        trouble=report.kind if report else "",
        troubles=_troubles(interview, since),
        messages=tuple(_messages(interview)),
    )


def shaken_marks() -> list[str]:
    """The marks that stand although a message about their interview is known to have failed: what
    they rest on may have been reported late."""
    failed = Notification.objects.filter(
        subject=Concat(Value("interview:"), OuterRef("interview")),
        channel__in=[Channel.SMS, Channel.EMAIL],
        state__in=[State.FAILED, State.BOUNCED],
    )
    standing = Mark.objects.filter(Exists(failed), state__in=STANDING)
    return list(standing.order_by("pk").values_list("reference", flat=True))


def _came(interview: Interview) -> bool:
    """In the room, or on the platform: a false start is none."""
    if interview.status in CAME:
        return True
    stays = interview.sittings.exclude(ending=Ending.MISSTART)
    if interview.booked_at is not None:
        stays = stays.filter(entered_at__gte=interview.booked_at)
    return stays.exists()


def _was_pending(interview: Interview) -> bool:
    """Whether a request of theirs waited for HR when it should have begun, or still does."""
    asked = Cancellation.objects.filter(interview=interview, party=Party.CANDIDATE, is_exit=False)
    undecided = Q(decided_at=None) | Q(decided_at__gt=interview.starts_at)
    return asked.filter(undecided, starts_at=interview.starts_at).exists()


def _troubles(interview: Interview, since: Q) -> tuple[tuple[str, int], ...]:
    events = RoomEvent.objects.filter(since, sitting__interview=interview, kind__in=OF_THEIRS)
    counted = Counter(events.order_by().values_list("kind", flat=True))
    return tuple(sorted(counted.items()))


def _messages(interview: Interview) -> list[tuple[str, str, str, datetime]]:
    """What we wrote to them about it, and how far it got."""
    theirs = Notification.objects.filter(
        subject=interview.subject,
        recipient=f"user:{interview.candidate.user_id}",
        channel__in=["sms", "email"],
    ).exclude(state=State.SUPERSEDED)
    if interview.booked_at is not None:
        theirs = theirs.filter(created_at__gte=interview.booked_at)
    rows = theirs.order_by("created_at", "pk").values_list(
        "event", "channel", "state", "sent_at", "created_at"
    )
    return [(event, channel, state, sent or made) for event, channel, state, sent, made in rows]
