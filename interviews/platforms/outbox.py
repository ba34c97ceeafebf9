"""What platforms are still to be told: kept with what happened, told after it commits.

Each interview on a platform has one row (PlatformLink), and only its newest wish is sent: what is
told is read off the interview at that moment. A platform that fails is left alone for a while; a
worker that dies leaves a lease that ends; a request that is sent again carries the same key.
"""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from interviews.models import Application, HistoryEntry, Interview, InterviewKind
from interviews.platforms import adapters
from interviews.platforms.agreement import moved, verdict
from interviews.platforms.base import (
    MAY_BEGIN,
    Adapter,
    Appointment,
    Held,
    Refused,
    Standing,
    Trouble,
    Unavailable,
    Unknown,
)
from interviews.platforms.following import lock, note
from interviews.platforms.models import Difference, Platform, PlatformLink, Wish
from interviews.platforms.written import Wrong
from interviews.room import queries as room
from interviews.states import ENDED, InterviewStatus

logger = structlog.get_logger(__name__)

# After each try that failed, in seconds; the last one is repeated: what is wanted stays wanted.
BACKOFF = [timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600)]
TOLERATED = 3  # failures in a row before a platform is left alone
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=15)
AT_ONCE = 4  # calls to one platform at the same moment
ALONE = 7_305_003  # the locks of PostgreSQL by which one worker at a time tells a platform

# --- Wishes come in -----------------------------------------------------------------------------

MARK = """
INSERT INTO interviews_platformlink AS link
    (interview_id, platform_id, external_id, external_status, scores, wanted, wanted_at, not_before,
     attempts, error_code, difference)
SELECT interview.id, position.platform_id, '', '', '{}', wished.wish, %(now)s, %(now)s, 0, '', ''
FROM unnest(%(interviews)s::bigint[], %(wishes)s::text[]) AS wished(interview, wish)
JOIN interviews_interview AS interview ON interview.id = wished.interview
    AND interview.kind = 'ai'
JOIN interviews_application AS application ON application.id = interview.application_id
JOIN interviews_position AS position ON position.id = application.position_id
    AND position.platform_id IS NOT NULL
WHERE wished.wish = 'book'
    OR EXISTS (SELECT FROM interviews_platformlink WHERE interview_id = interview.id)
ON CONFLICT (interview_id) DO UPDATE
    SET wanted = excluded.wanted, wanted_at = excluded.wanted_at,
        not_before = excluded.not_before, attempts = 0
RETURNING link.platform_id
"""
_WISHES = {
    InterviewStatus.BOOKED: Wish.BOOK,
    InterviewStatus.CANCELLED: Wish.CANCEL,
    InterviewStatus.WITHDRAWN: Wish.CANCEL,
}


def mark(entries: Iterable[HistoryEntry]) -> None:
    """Something happened to interviews: where they are held on a platform, have it told. In the
    caller's transaction; for interviews that are not on one it asks the database nothing."""
    wishes: dict[int, Wish] = {}
    for entry in entries:
        wish = _WISHES.get(entry.data.get("status", ""))
        if wish and not _is_beside_the_point(entry):
            wishes[entry.interview_id] = wish
    if not wishes:
        return
    values: dict[str, Any] = {
        "now": timezone.now(),
        "interviews": list(wishes),
        "wishes": [wish.value for wish in wishes.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(MARK, values)
        platforms = {platform for (platform,) in cursor.fetchall()}
    for platform_id in sorted(platforms):
        transaction.on_commit(partial(publish, platform_id))


def _is_beside_the_point(entry: HistoryEntry) -> bool:
    """What a platform told us itself; what changes nothing about the appointment; and, as far as
    that is known without asking, what is not held on a platform. Imports are not told: what lies
    ahead of them is found by reconciling."""
    if "platform" in entry.data or entry.event == "imported" or entry.event.startswith("work_"):
        return True
    interview = entry.interview
    if interview.kind != InterviewKind.AI:
        return True
    if not Interview.application.is_cached(interview):
        return False
    application = interview.application
    if not Application.position.is_cached(application):
        return False
    return application.position.platform_id is None


def publish(platform_id: int) -> None:
    """Tell a worker; the sweep finds the rows where the broker is away."""
    try:
        current_app.send_task("interviews.tasks.tell_platform", [platform_id])
    except Exception as trouble:
        logger.warning("broker_away", error=type(trouble).__name__)


# --- Wishes go out ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Telling:
    """One wish in hand: which request it makes now ("" for none), and by which claim."""

    link: int
    interview: int
    claimed_until: datetime
    wanted_at: datetime
    attempts: int
    request: str
    external_id: str
    appointment: Appointment
    key: str


@dataclass(frozen=True)
class Result:
    """How a request ended: what they hold now, or the trouble."""

    held: Held | None = None
    trouble: Trouble | None = None


def waiting_platforms() -> list[int]:
    """The platforms that have something to be told now."""
    now = timezone.now()
    links = PlatformLink.objects.filter(_due(now), platform__in=_awake(now))
    return list(links.order_by("platform").values_list("platform", flat=True).distinct())


def hurry(platform_id: int) -> None:
    """Let what waits for another try, and the platform itself, wait no longer."""
    now = timezone.now()
    Platform.objects.filter(pk=platform_id).update(rests_until=None)
    waiting = PlatformLink.objects.filter(~Q(wanted=""), platform=platform_id)
    waiting.filter(not_before__gt=now).update(not_before=now)


def tell_due(platform_id: int, *, seconds: float) -> int:
    """Tell a platform what it is to know, several interviews side by side, and begin nothing later
    than `seconds` from now; how many wishes were dealt with. Nothing while another worker is at
    it."""
    with alone(ALONE, platform_id) as is_alone:
        return _tell(platform_id, time.monotonic() + seconds) if is_alone else 0


def _tell(platform_id: int, deadline: float) -> int:
    platform = Platform.objects.get(pk=platform_id)
    try:
        adapter = adapters.http_adapter(platform)
    except Wrong:  # written by a hand that went past the form
        count(platform_id, Unavailable("mapping"), timezone.now())
        return 0
    dealt_with = 0
    under_way: dict[Future[Result], Telling] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="platform") as pool:
        while True:
            while len(under_way) < AT_ONCE and time.monotonic() < deadline:
                telling = claim(platform_id, timezone.now(), careful=bool(under_way))
                if telling is None:
                    break
                # Threads get values, never the database.
                under_way[pool.submit(ask, adapter, telling)] = telling
            if not under_way:
                return dealt_with
            ended, _ = wait(under_way, timeout=1, return_when=FIRST_COMPLETED)
            for each in ended:
                finish(platform_id, under_way.pop(each), each.result())
                dealt_with += 1
            adapters.write_log(platform_id, adapter)


@contextmanager
def alone(what: int, platform_id: int) -> Iterator[bool]:
    """Whether nobody else does this with that platform; from then on nobody else may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [what, platform_id])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [what, platform_id])


def _awake(now: datetime) -> QuerySet[Platform]:
    return Platform.objects.filter(Q(rests_until=None) | Q(rests_until__lte=now), is_active=True)


def _due(now: datetime) -> Q:
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return ~Q(wanted="") & Q(not_before__lte=now) & free


@transaction.atomic
def claim(platform_id: int, now: datetime, *, careful: bool = False) -> Telling | None:
    """Take the wish that waits longest until the lease ends. `careful`: while a platform is
    failing, one request at a time finds out whether it has recovered."""
    platform = _awake(now).filter(pk=platform_id).first()
    if platform is None or (careful and platform.failures):
        return None
    link = (
        PlatformLink.objects.filter(_due(now), platform=platform)
        .order_by("not_before", "pk")
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )
    if link is None:
        return None
    link.claimed_until = now + settings.DELIVERY_LEASE
    link.attempts += 1
    link.save(update_fields=["claimed_until", "attempts"])
    return _telling(link, Interview.objects.with_facts().get(pk=link.interview_id), now)


def _telling(link: PlatformLink, interview: Interview, now: datetime) -> Telling:
    request = _request(link, interview, now)
    stamp = int(link.wanted_at.timestamp() * 1_000_000) if link.wanted_at else 0
    key = f"{interview.reference}-{request}-{stamp}"
    if request == "create":
        # The same until there is one: a first try may have arrived without our learning so. Where
        # they refuse that, the appointment was moved since: it is another one to them, and the next
        # reconciliation calls the first one off.
        key = f"{interview.reference}-create-{link.external_id}"
        if link.difference == Difference.REFUSED:
            key = f"{key}-{stamp}"
    return Telling(
        link=link.pk,
        interview=interview.pk,
        claimed_until=link.claimed_until or now,
        wanted_at=link.wanted_at or now,
        attempts=link.attempts,
        request=request,
        external_id=link.external_id,
        appointment=appointment(interview),
        key=key[:255],
    )


def _request(link: PlatformLink, interview: Interview, now: datetime) -> str:
    """What would bring the platform to where the interview is now."""
    is_there = bool(link.external_id) and link.external_status in MAY_BEGIN
    if interview.status in ENDED:
        may_be_off = link.external_status == Standing.BOOKED
        return "cancel" if is_there and may_be_off else ""
    if interview.status not in {InterviewStatus.BOOKED, InterviewStatus.CANCELLING}:
        return ""
    if not is_there:
        closes_at = room.closes_at(interview)
        is_to_come = closes_at is not None and closes_at > now
        return "create" if is_to_come and interview.status == InterviewStatus.BOOKED else ""
    differs = moved(interview.starts_at, link.external_starts_at)
    return "move" if differs and link.external_status == Standing.BOOKED else ""


def appointment(interview: Interview) -> Appointment:
    """The interview as a platform is told of it."""
    person = interview.candidate.user
    starts_at = interview.starts_at or interview.created_at
    return Appointment(
        reference=interview.reference,
        starts_at=starts_at,
        ends_at=interview.ends_at or starts_at + timedelta(minutes=30),
        position=interview.position.title,
        position_code=interview.position.code,
        name=person.name,
        email=person.email or "",
        mobile=person.mobile or "",
        language=person.language or settings.LANGUAGE_CODE,
    )


def ask(adapter: Adapter, telling: Telling) -> Result:
    """One request; never raises."""
    there = {"reference": telling.appointment.reference, "key": telling.key}
    try:
        match telling.request:
            case "create":
                return Result(adapter.create(telling.appointment, key=telling.key))
            case "move":
                held = adapter.move(telling.external_id, telling.appointment, key=telling.key)
                return Result(held)
            case "cancel":
                adapter.cancel(telling.external_id, **there)
                return Result(Held(telling.external_id, standing=Standing.CANCELLED))
        return Result()
    except Trouble as trouble:
        return Result(trouble=trouble)
    except Exception as error:
        logger.error("platform_broke", error=type(error).__name__)
        return Result(trouble=Unavailable("error"))


def finish(platform_id: int, telling: Telling, result: Result) -> None:
    """Write down how it ended, unless the lease ended meanwhile and somebody else has it."""
    now = timezone.now()
    if telling.request:
        count(platform_id, result.trouble, now)
    with transaction.atomic():
        interview, link = lock(telling.interview)
        if link.claimed_until != telling.claimed_until:
            return
        link.claimed_until = None
        match result.trouble:
            case None:
                _told(interview, link, telling, result.held, now)
            case Unknown():
                _gone(link, telling, now)
            case trouble:
                link.error_code = trouble.code[:60]
                link.not_before = now + BACKOFF[min(telling.attempts, len(BACKOFF)) - 1]
                if isinstance(trouble, Refused):
                    note(interview, link, Difference.REFUSED)
        try:
            with transaction.atomic():
                link.save(update_fields=TOLD)
        except IntegrityError:  # an id that another interview has there
            again = now + BACKOFF[-1]
            PlatformLink.objects.filter(pk=link.pk).update(
                claimed_until=None, error_code="id_taken", not_before=again
            )


TOLD = [
    "external_id", "external_status", "external_starts_at", "wanted", "not_before", "attempts",
    "claimed_until", "told_at", "error_code", "difference",
]  # fmt: skip


def _told(
    interview: Interview, link: PlatformLink, telling: Telling, held: Held | None, now: datetime
) -> None:
    link.error_code, link.attempts = "", 0
    if held is not None:
        link.told_at = now
        link.external_id = held.id
        link.external_status = held.standing or Standing.BOOKED
        if telling.request != "cancel":
            link.external_starts_at = held.starts_at or telling.appointment.starts_at
        if held.link and held.link != interview.link and held.link.startswith("https://"):
            interview.link = held.link[:200]
            interview.save(update_fields=["link"])
    if link.difference == Difference.REFUSED or (held and _agrees(interview, link)):
        note(interview, link, None)
    if link.wanted_at == telling.wanted_at:
        link.wanted = ""
    else:
        link.not_before = now  # something else was wished meanwhile


def _agrees(interview: Interview, link: PlatformLink) -> bool:
    there = Held(
        link.external_id,
        standing=Standing(link.external_status),
        starts_at=link.external_starts_at,
    )
    return verdict(interview.status, interview.starts_at, there).agrees


def _gone(link: PlatformLink, telling: Telling, now: datetime) -> None:
    """There is nothing there to be called off; what was to be moved is made anew."""
    link.external_status, link.error_code, link.told_at = Standing.CANCELLED, "", now
    if telling.request == "cancel" and link.wanted_at == telling.wanted_at:
        link.wanted, link.attempts = "", 0
    else:
        link.not_before = now


# --- The circuit breaker ------------------------------------------------------------------------


def count(platform_id: int, trouble: Trouble | None, now: datetime) -> None:
    """How the platform is doing. One that would not do something is doing well; after TOLERATED
    failures in a row it is left alone, each time for longer."""
    platforms = Platform.objects.filter(pk=platform_id)
    if not isinstance(trouble, Unavailable):
        platforms.exclude(failures=0, rests_until=None).update(failures=0, rests_until=None)
        return
    platforms.update(failures=F("failures") + 1)
    failures = platforms.values_list("failures", flat=True).first() or 0
    rest = timedelta(seconds=trouble.rest)
    if failures >= TOLERATED:
        rest = max(rest, min(FIRST_REST * 2 ** min(failures - TOLERATED, 10), LONGEST_REST))
    if rest:
        platforms.update(rests_until=now + rest)
