"""What follows here from what a platform says, in the caller's transaction: the interview moves
with its history, or HR gets something to look at. The caller holds the locks of the interview and
then of its link."""

from datetime import datetime, timedelta

from django.utils import timezone

from candidates.models import FileEntry
from interviews import history
from interviews.gates.services import weigh
from interviews.models import Interview
from interviews.platforms.agreement import Verdict, verdict
from interviews.platforms.base import EventKind, Held, Standing
from interviews.platforms.models import Difference, PlatformEvent, PlatformLink, Wish
from interviews.room import queries as room_queries
from interviews.room import services as room
from interviews.room.models import Ending, RoomEventKind, Sitting
from interviews.signals import interview_entered, left_on_platform
from interviews.states import InterviewStatus
from notifications import work
from notifications.models import WorkItem, WorkItemQuerySet, WorkKind

PATIENCE = timedelta(hours=8)  # until HR should have looked at a difference
CODES = list(Difference.values)
ACTED_ON = ["difference", "wanted", "wanted_at", "not_before", "attempts"]  # of a link


def lock(interview_id: int) -> tuple[Interview, PlatformLink]:
    """Both rows, until the transaction ends. Raises their DoesNotExist."""
    facts = Interview.objects.with_facts().select_for_update(of=("self",))
    interview = facts.get(pk=interview_id)
    links = PlatformLink.objects.select_related("platform").select_for_update(of=("self",))
    return interview, links.get(interview=interview)


def decided(interview: Interview, link: PlatformLink, held: Held) -> Verdict:
    """The verdict, with what has been heard before: nobody has missed what failed over there, nor
    what has been moved to another time meanwhile."""
    found = verdict(interview.status, interview.starts_at, held)
    if found.follow != Standing.MISSED:
        return found
    if _has_failed(link):
        return Verdict(difference=Difference.FAILED)
    lies_ahead = interview.starts_at is not None and interview.starts_at > timezone.now()
    return Verdict(tell=Wish.BOOK) if lies_ahead else found


def _has_failed(link: PlatformLink) -> bool:
    events = PlatformEvent.objects.filter(platform=link.platform_id, body__kind=EventKind.ERROR)
    return bool(link.external_id) and events.filter(external_id=link.external_id).exists()


def act_on(
    verdict: Verdict,
    interview: Interview,
    link: PlatformLink,
    *,
    at: datetime | None,
    cause: str = "",
) -> None:
    """Do what the verdict says; the caller saves what of the link is ACTED_ON. `at` is when it was
    so over there, None where that was not told; `cause` why it ended, where they say so."""
    if verdict.follow:
        follow(interview, link, verdict.follow, at=at, cause=cause)
    if verdict.tell:
        wish(link, verdict.tell)
    note(interview, link, verdict.difference)


def wish(link: PlatformLink, wanted: Wish) -> None:
    """Have the platform told; the outbox sees to it."""
    now = timezone.now()
    link.wanted, link.wanted_at, link.not_before, link.attempts = wanted, now, now, 0


# --- Moving along -------------------------------------------------------------------------------


def follow(
    interview: Interview,
    link: PlatformLink,
    standing: Standing,
    *,
    at: datetime | None,
    cause: str = "",
) -> None:
    """The interview has got so far over there; here it takes every step up to that one."""
    now = timezone.now()
    is_dated = at is not None
    at = min(at or now, now)
    told = {"platform": link.platform.slug}
    if standing == Standing.MISSED:
        interview.miss(at=at)
        interview.save(update_fields=["status", "ended_at"])
        history.record(interview, ("missed", told), by=None, at=at)
        return
    if interview.status in {InterviewStatus.BOOKED, InterviewStatus.CANCELLING}:
        begun = at
        if standing != Standing.STARTED and interview.starts_at:
            begun = min(at, interview.starts_at)
        _start(interview, told, at=begun)
    match standing:
        case Standing.COMPLETED:
            interview.complete(at=at)
            interview.save(update_fields=["status", "ended_at"])
            _end(interview, link, Ending.COMPLETED, ("completed", told), at=at)
        case Standing.INCOMPLETE:
            ending = _why_ended(interview, cause)
            interview.lapse(at=at)
            interview.save(update_fields=["status", "ended_at"])
            _end(interview, link, ending, ("lapsed", told), at=at)
        case Standing.EXITED:
            _leave(interview, link, at=at, is_dated=is_dated)


def _leave(interview: Interview, link: PlatformLink, *, at: datetime, is_dated: bool) -> None:
    """What leaving means is for the rules above to say. After a false start the appointment stands:
    what is over there takes no second beginning, so that a new one is made."""
    sitting = _seen_until(interview, at)
    left_on_platform.send(
        sender=Sitting,
        sitting=sitting,
        at=sitting.last_seen_at,
        platform=link.platform.slug,
        is_dated=is_dated,
        has_results=bool(link.scores),
    )
    if interview.status == InterviewStatus.BOOKED:
        wish(link, Wish.BOOK)
    else:
        file_scores(interview, link)


def _start(interview: Interview, told: dict[str, str], *, at: datetime) -> None:
    """A request to cancel that is pending is taken back by coming, as in our own room."""
    sitting = Sitting(
        interview=interview,
        entered_at=at,
        last_seen_at=at,
        resume_until=at + room_queries.RESUME_WITHIN,
    )
    interview_entered.send(sender=Sitting, sitting=sitting, by=interview.candidate.user)
    interview.start()
    interview.save(update_fields=["status"])
    if room_queries.open_sitting(interview) is None:
        sitting.save()
    history.record(interview, ("started", told), by=None, at=at)


def _why_ended(interview: Interview, cause: str) -> Ending:
    """As they say, and by the evidence: a fault of the platform never counts against a candidate,
    whatever else is said."""
    sitting = room_queries.open_sitting(interview)
    found = Ending.DROPPED
    if sitting is not None:
        events = list(sitting.events.order_by("at", "pk"))
        found = room_queries.ending_by_evidence(sitting, events)
    return Ending(cause) if cause and found != Ending.PLATFORM_FAULT else found


def _seen_until(interview: Interview, at: datetime) -> Sitting:
    """Their stay, as long as the platform says: of what goes on over there we see nothing."""
    sitting = room_queries.open_sitting(interview)
    if sitting is None:  # begun where nobody kept one
        sitting = Sitting(interview=interview, entered_at=at, resume_until=at)
    sitting.interview = interview
    sitting.last_seen_at = max(at, sitting.entered_at)
    sitting.save()
    return sitting


def _end(
    interview: Interview,
    link: PlatformLink,
    ending: Ending,
    event: tuple[str, dict[str, str]],
    *,
    at: datetime,
) -> None:
    sitting = _seen_until(interview, at)
    room.end_sitting(sitting, ending=ending, at=sitting.last_seen_at)
    file_scores(interview, link)
    name, told = event
    history.record(interview, (name, {**told, "ending": ending}), by=None, at=at)


def file_scores(interview: Interview, link: PlatformLink) -> None:
    """What they scored goes to the candidate's file, with the last stay it belongs to."""
    if not link.scores:
        return
    entries = FileEntry.objects.filter(interview=interview.reference).order_by("-entered_at", "-pk")
    FileEntry.objects.filter(pk__in=entries.values("pk")[:1]).update(scores=link.scores)
    weigh(interview, link.scores, at=timezone.now())


def record_fault(interview: Interview, code: str, *, at: datetime) -> bool:
    """Evidence of a fault that is not the candidate's, with their sitting; False where there is
    none, and only the event tells of it."""
    sitting = room_queries.latest_sitting(interview)
    if sitting is None:
        return False
    room.record_event(sitting, RoomEventKind.PLATFORM_ERROR, {"code": code}, at=at)
    return True


# --- Where neither is plainly right -------------------------------------------------------------


def note(interview: Interview, link: PlatformLink, difference: Difference | None) -> None:
    """HR gets it to look at, once; it closes itself when the difference is gone. What somebody has
    settled by hand is not put before them again as long as nothing changes."""
    if difference is None:
        if link.difference:
            link.difference = ""
            _close(interview)
        return
    is_new = link.difference != difference
    if is_new and link.difference:
        _close(interview)
    link.difference = difference
    if is_new or not _items(interview).filter(params__code=difference).exists():
        _open(interview, link, difference)


def _items(interview: Interview) -> WorkItemQuerySet:
    return WorkItem.objects.filter(subject=interview.subject, kind=WorkKind.ANOMALY)


def _open(interview: Interview, link: PlatformLink, difference: Difference) -> None:
    """An anomaly of another sort that is open already goes first; the next look opens this one."""
    if _items(interview).open().exists():
        return
    now = timezone.now()
    work.open_item(
        WorkKind.ANOMALY,
        audience=interview.position.department.audience,
        subject=interview.subject,
        params={"code": difference.value, "platform": link.platform.slug},
        due_at=now + PATIENCE,
        opened_at=now,
    )
    item = _items(interview).open().get()
    told = {"item": item.reference, "kind": item.kind, "platform": link.platform.slug}
    history.record(interview, ("work_opened", told), by=None, at=now)


def _close(interview: Interview) -> None:
    now = timezone.now()
    for item in _items(interview).open().filter(params__code__in=CODES):
        closed = WorkItem.objects.open().filter(pk=item.pk)
        if closed.update(closed_at=now, closed_by=history.SYSTEM):
            told = {"item": item.reference, "kind": item.kind}
            history.record(interview, ("work_resolved", told), by=None, at=now)
