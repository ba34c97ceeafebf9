"""One pass over a platform's list and ours, side by side: what differs is repaired where one side
is plainly right, and otherwise put before HR.

Their list comes page by page; of ours, what a page names is looked up in one query. Which of ours
have been seen is kept as one bit each, so that memory stays flat however many there are. What
agrees is not touched; each repair is a transaction of its own. Nothing is asked of the platform
inside a transaction, and what was told or heard since a page was asked for is left to the next
pass.
"""

import json
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min, Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.platforms import adapters, outbox
from interviews.platforms.agreement import Verdict, verdict
from interviews.platforms.base import MAY_BEGIN, Held, Refused, Standing, Trouble, Unknown
from interviews.platforms.following import ACTED_ON, act_on, decided, file_scores, lock, wish
from interviews.platforms.http import HttpPlatform
from interviews.platforms.incoming import replay_unknown
from interviews.platforms.models import Difference, Outcome, Platform, PlatformLink, Wish
from interviews.platforms.written import Wrong
from interviews.states import InterviewStatus

ALONE = 7_305_004  # the locks of PostgreSQL by which there is one pass at a time over a platform
CHUNK = 5000  # of our rows that are looked through at once
TELLING = 120.0  # seconds for telling, before the pass and after it
MOST_STRANGERS = 1000  # of theirs that are named one by one in the report


class Found(TextChoices):
    """What the report of a pass says of an interview."""

    FOLLOWED = "followed", _("Followed the platform")
    TOLD = "told", _("The platform was told anew")
    CREATED = "created", _("Was not on the platform yet")
    ADOPTED = "adopted", _("Found again by its reference")
    REMOVED = "removed", _("Booked twice there; one was cancelled")
    AGAIN = "again", _("Agrees again")
    DIFFERS = "differs", _("Differs: HR looks at it")
    STRANGER = "stranger", _("Known there only")
    UNREACHABLE = "unreachable", _("The platform could not be asked to the end")


class Busy(Exception):
    """Another pass over this platform is under way."""


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    found: Found
    reference: str = ""
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """How far the pass has come: interviews compared, of how many, and what was found."""

    done: int
    total: int
    rows: Sequence[Row] = ()


def run(platform_id: int) -> Generator[Step]:
    """Go over everything, step by step; begun anew it does no harm. Raises Busy.

    A platform that cannot be asked to the end leaves a row that says so, and `reconciled_at` as it
    was.
    """
    with outbox.alone(ALONE, platform_id) as is_alone:
        if not is_alone:
            raise Busy
        platform = Platform.objects.get(pk=platform_id)
        try:
            adapter = adapters.http_adapter(platform)
        except Wrong:
            yield Step(0, 0, [Row(Found.UNREACHABLE, detail={"code": "mapping"})])
            return
        over_all = _Pass(platform, adapter)
        try:
            yield from over_all.steps()
        except Trouble as trouble:
            outbox.count(platform_id, trouble, timezone.now())
            unreachable = Row(Found.UNREACHABLE, detail={"code": trouble.code})
            yield Step(over_all.done, over_all.total, [unreachable])
        else:
            Platform.objects.filter(pk=platform_id).update(reconciled_at=over_all.begun_at)
        finally:
            adapters.write_log(platform_id, adapter)


def summary(steps: Iterator[Step]) -> tuple[int, Counter[Found]]:
    """How many were compared, and what was found how often."""
    compared, found = 0, Counter[Found]()
    for step in steps:
        compared = step.done
        found.update(row.found for row in step.rows)
    return compared, found


# --- Ours, as a page of theirs is held against it -----------------------------------------------

OURS = """
SELECT link.id, link.interview_id, interview.reference, link.external_id, link.external_status,
    link.external_starts_at, link.scores, link.wanted, link.difference,
    GREATEST(link.told_at, link.heard_at) AS touched_at, interview.status, interview.starts_at
FROM interviews_platformlink AS link
JOIN interviews_interview AS interview ON interview.id = link.interview_id
WHERE link.platform_id = %(platform)s AND {named}
"""
# Only what is written out can be seen to lie within the partial index (platform_link_once).
BY_ID = OURS.format(named="link.external_id <> '' AND link.external_id = ANY(%(names)s)")
BY_REFERENCE = OURS.format(named="interview.reference = ANY(%(names)s)")

ADOPT = """
INSERT INTO interviews_platformlink
    (interview_id, platform_id, external_id, external_status, scores, wanted, wanted_at, not_before,
     attempts, error_code, difference)
SELECT interview.id, position.platform_id, '', '', '{}', 'book', %(now)s, %(now)s, 0, '', ''
FROM interviews_position AS position
JOIN interviews_interview AS interview ON interview.listed_position = position.id
WHERE position.platform_id = %(platform)s AND interview.kind = 'ai'
    AND interview.status = 'booked' AND interview.listed_at > %(now)s
    AND NOT EXISTS (SELECT FROM interviews_platformlink WHERE interview_id = interview.id)
ON CONFLICT (interview_id) DO NOTHING
RETURNING (SELECT reference FROM interviews_interview WHERE id = interview_id)
"""

COPY = """
UPDATE interviews_platformlink AS link
SET external_status = seen.standing, scores = seen.scores,
    external_starts_at = COALESCE(seen.starts_at, link.external_starts_at)
FROM jsonb_to_recordset(%(seen)s::jsonb)
    AS seen(link bigint, standing text, starts_at timestamptz, scores jsonb)
WHERE link.id = seen.link AND link.wanted = ''
    AND COALESCE(GREATEST(link.told_at, link.heard_at), '-infinity') < %(asked_at)s
"""


@dataclass(frozen=True)
class Ours:
    """What we hold of one interview on the platform."""

    link: int
    interview: int
    reference: str
    external_id: str
    standing: str
    external_starts_at: datetime | None
    scores: str
    wanted: str
    difference: str
    touched_at: datetime | None
    status: str
    starts_at: datetime | None

    def is_on_its_way(self, asked_at: datetime) -> bool:
        """Whether the page may be older than what we know. What they would not take is not: their
        list may say why."""
        if self.wanted and self.difference != Difference.REFUSED:
            return True
        return self.touched_at is not None and self.touched_at >= asked_at

    def agrees_with(self, held: Held) -> bool:
        return not self.difference and verdict(self.status, self.starts_at, held).agrees

    def copies(self, held: Held) -> bool:
        """Whether what the pages show of it is what stands there."""
        return (
            self.standing == held.standing
            and (held.starts_at is None or self.external_starts_at == held.starts_at)
            and (not held.scores or json.loads(self.scores) == held.scores)
        )


class _Seen:
    """Which links were named by the platform: one bit each."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._bits = bytearray((last - first) // 8 + 1)

    def add(self, link: int) -> None:
        number = link - self._first
        if 0 <= number < len(self._bits) * 8:
            self._bits[number >> 3] |= 1 << (number & 7)

    def __contains__(self, link: int) -> bool:
        number = link - self._first
        inside = 0 <= number < len(self._bits) * 8
        return inside and bool(self._bits[number >> 3] & 1 << (number & 7))


class _Pass:
    """One pass over one platform."""

    def __init__(self, platform: Platform, adapter: HttpPlatform) -> None:
        self.platform, self.adapter = platform, adapter
        self.begun_at = timezone.now()
        self.since = self.begun_at - timedelta(days=adapter.mapping.days)
        self.done = self.total = 0
        self.strangers: list[tuple[Ours, Held]] = []
        self.named = 0

    def steps(self) -> Iterator[Step]:
        self._catch_up()
        created = self._adopt()
        yield Step(0, 0, created)
        self._tell()
        keys = self._links().aggregate(first=Min("pk"), last=Max("pk"))
        self.total = self._expected().count()
        self.seen = _Seen(keys["first"] or 0, keys["last"] or 0)
        self.begun_at = asked_at = timezone.now()
        for page in self.adapter.pages(self.since):
            rows = list(self._compare(page, asked_at))
            asked_at = timezone.now()
            self.done += len(page)
            yield Step(self.done, max(self.total, self.done), rows)
        yield Step(self.done, max(self.total, self.done), list(self._settle_strangers()))
        for rows in self._missing():
            yield Step(self.done, max(self.total, self.done), rows)
        self._tell()
        yield Step(self.done, self.done)

    def _links(self) -> QuerySet[PlatformLink]:
        return PlatformLink.objects.filter(platform=self.platform)

    def _expected(self) -> QuerySet[PlatformLink]:
        """Those that should stand in their list."""
        return self._links().filter(interview__listed_at__gte=self.since).exclude(external_id="")

    def _catch_up(self) -> None:
        """What was told of interviews before we knew that they are ours."""
        unknown = self.platform.events.filter(outcome=Outcome.UNKNOWN).values("external_id")
        known = self._links().filter(external_id__in=unknown).exclude(external_id="")
        replay_unknown(self.platform, list(known.values_list("external_id", flat=True)))

    def _adopt(self) -> list[Row]:
        """Interviews that lie ahead and were never told: those there were before the platform."""
        with connection.cursor() as cursor:
            cursor.execute(ADOPT, {"platform": self.platform.pk, "now": timezone.now()})
            return [Row(Found.CREATED, reference) for (reference,) in cursor.fetchall()]

    def _tell(self) -> None:
        adapters.write_log(self.platform.pk, self.adapter)
        outbox.hurry(self.platform.pk)
        outbox.tell_due(self.platform.pk, seconds=TELLING)

    # --- A page of theirs -------------------------------------------------------------------------

    def _compare(self, page: list[Held], asked_at: datetime) -> Iterator[Row]:
        ours = {each.external_id: each for each in self._ours(BY_ID, [held.id for held in page])}
        strange = [held for held in page if held.id not in ours]
        by_reference = {}
        if names := [held.reference for held in strange if held.reference]:
            by_reference = {each.reference: each for each in self._ours(BY_REFERENCE, names)}
        stale: list[tuple[Ours, Held]] = []
        for held in page:
            known = ours.get(held.id)
            if known is None:
                yield from self._strange(held, by_reference.get(held.reference), asked_at)
                continue
            self.seen.add(known.link)
            if known.is_on_its_way(asked_at):
                continue
            if not known.agrees_with(held):
                yield from self._put_right(known.interview, held, asked_at)
            elif not known.copies(held):
                stale.append((known, held))
        self._copy(stale, asked_at)

    def _ours(self, query: str, names: list[str]) -> list[Ours]:
        with connection.cursor() as cursor:
            cursor.execute(query, {"platform": self.platform.pk, "names": names})
            return [Ours(*row) for row in cursor.fetchall()]

    def _strange(self, held: Held, known: Ours | None, asked_at: datetime) -> Iterator[Row]:
        """One whose id we do not know. Perhaps the answer that named it was lost."""
        if known is None:
            self.named += 1
            if self.named <= MOST_STRANGERS and held.standing in MAY_BEGIN:
                yield Row(Found.STRANGER, detail={"id": held.id})
        elif not known.external_id:
            yield from self._take_as_ours(known, held, asked_at)
        elif held.standing == Standing.BOOKED:
            self.strangers.append((known, held))

    def _take_as_ours(self, known: Ours, held: Held, asked_at: datetime) -> Iterator[Row]:
        free = PlatformLink.objects.filter(pk=known.link, external_id="")
        # What is still wanted is decided anew, now that it is there.
        if free.update(external_id=held.id, external_status=held.standing or "", wanted=""):
            self.seen.add(known.link)
            yield Row(Found.ADOPTED, known.reference)
            yield from self._put_right(known.interview, held, asked_at)
            replay_unknown(self.platform, [held.id])

    def _copy(self, stale: list[tuple[Ours, Held]], asked_at: datetime) -> None:
        """What they show of interviews on which we agree, in one statement."""
        if not stale:
            return
        seen = [
            {
                "link": ours.link,
                "standing": held.standing,
                "starts_at": held.starts_at and held.starts_at.isoformat(),
                "scores": held.scores or json.loads(ours.scores),
            }
            for ours, held in stale
        ]
        with connection.cursor() as cursor:
            cursor.execute(COPY, {"seen": json.dumps(seen), "asked_at": asked_at})

    @transaction.atomic
    def _put_right(self, interview_id: int, held: Held, asked_at: datetime) -> list[Row]:
        """What does not agree, looked at again now that it cannot change."""
        interview, link = lock(interview_id)
        touched = max(filter(None, (link.told_at, link.heard_at)), default=None)
        if (touched and touched >= asked_at) or link.external_id != held.id:
            return []
        if link.wanted and not self._was_refused_for(link, held):
            return []
        had = link.difference
        link.external_status = held.standing or link.external_status
        link.external_starts_at = held.starts_at or link.external_starts_at
        if held.scores:
            link.scores = held.scores
        if link.wanted == Wish.BOOK and held.standing == Standing.CANCELLED:
            link.not_before = timezone.now()  # our word is the later one: it is made anew
            link.save(update_fields=PUT_RIGHT)
            return [Row(Found.TOLD, interview.reference, {"state": Wish.BOOK.value})]
        link.wanted = ""
        found = decided(interview, link, held)
        act_on(found, interview, link, at=None)
        if found.follow:
            link.heard_at = timezone.now()
        if held.scores:
            file_scores(interview, link)
        link.save(update_fields=PUT_RIGHT)
        if found.follow:
            return [Row(Found.FOLLOWED, interview.reference, {"state": found.follow.value})]
        if found.tell:
            return [Row(Found.TOLD, interview.reference, {"state": found.tell.value})]
        if found.difference:
            return [Row(Found.DIFFERS, interview.reference, {"code": found.difference.value})]
        return [Row(Found.AGAIN, interview.reference)] if had else []

    def _was_refused_for(self, link: PlatformLink, held: Held) -> bool:
        """Whether it got somewhere else there than we thought when they would not take our wish."""
        in_hand = link.claimed_until is not None and link.claimed_until >= timezone.now()
        refused = link.difference == Difference.REFUSED and not in_hand
        return refused and held.standing not in {None, link.external_status}

    # --- What is there too much, and too little ---------------------------------------------------

    def _settle_strangers(self) -> Iterator[Row]:
        """A second appointment under the same reference: where the one we know of is gone or over
        it takes its place, else it is called off."""
        for ours, held in self.strangers:
            if self._takes_its_place(ours, held):
                self.seen.add(ours.link)
                yield Row(Found.ADOPTED, ours.reference)
                yield from self._put_right(ours.interview, held, timezone.now())
                continue
            key = f"{ours.reference}-extra-{held.id}"[:255]
            try:
                self.adapter.cancel(held.id, reference=ours.reference, key=key)
            except Refused:
                continue
            yield Row(Found.REMOVED, ours.reference, {"id": held.id})

    def _takes_its_place(self, ours: Ours, held: Held) -> bool:
        links = PlatformLink.objects.filter(pk=ours.link, external_id=ours.external_id)
        if ours.link in self.seen:
            links = links.exclude(external_status__in=MAY_BEGIN)
        return bool(links.update(external_id=held.id, wanted=""))

    def _missing(self) -> Iterator[list[Row]]:
        """What they hold as not over and did not name. Each is asked for once more."""
        known_before = Q(told_at=None) | Q(told_at__lt=self.begun_at)
        links = self._expected().filter(known_before, external_status__in=MAY_BEGIN).order_by("pk")
        columns = ("pk", "interview", "interview__reference", "external_id")
        last = 0
        while chunk := list(links.filter(pk__gt=last).values_list(*columns)[:CHUNK]):
            last = chunk[-1][0]
            rows: list[Row] = []
            for link, interview_id, reference, external_id in chunk:
                if link in self.seen:
                    continue
                asked_at = timezone.now()
                try:
                    held = self.adapter.fetch(external_id, reference=reference)
                except Unknown:
                    rows += self._is_gone(interview_id, external_id)
                else:
                    rows += self._put_right(interview_id, held, asked_at)
            yield rows

    @transaction.atomic
    def _is_gone(self, interview_id: int, external_id: str) -> list[Row]:
        """It is not there any more: made anew where it lies ahead."""
        interview, link = lock(interview_id)
        if link.wanted or link.external_id != external_id:
            return []
        now = timezone.now()
        gone = Held(external_id, standing=Standing.CANCELLED)
        link.external_status = Standing.CANCELLED
        found = decided(interview, link, gone)
        row = Row(Found.AGAIN, interview.reference)
        lies_ahead = interview.starts_at is not None and interview.starts_at > now
        if lies_ahead and interview.status == InterviewStatus.BOOKED:
            wish(link, Wish.BOOK)
            row = Row(Found.CREATED, interview.reference)
        elif found.difference:
            act_on(Verdict(difference=Difference.MISSING), interview, link, at=None)
            row = Row(Found.DIFFERS, interview.reference, {"code": Difference.MISSING.value})
        link.save(update_fields=PUT_RIGHT)
        return [row]


PUT_RIGHT = [
    "external_status", "external_starts_at", "scores", "heard_at", *ACTED_ON,
]  # fmt: skip
