"""The append-only, hash-chained log of what happened to an interview."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from config.prepared import Later, Prepared
from interviews.models import HistoryEntry, Interview
from interviews.signals import history_recorded

SYSTEM = "system"
GENESIS = ""


def actor_of(by: User | None) -> str:
    return f"user:{by.pk}" if by else SYSTEM


def digest(entry: HistoryEntry, reference: str) -> str:
    """SHA-256 over the canonical JSON of everything the entry says and of the hash before it."""
    content = {
        "interview": reference,
        "sequence": entry.sequence,
        "event": entry.event,
        "actor": entry.actor,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "data": entry.data,
        "previous": entry.previous_hash,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def chain(
    interview: Interview,
    events: Iterable[tuple[str, dict[str, Any]]],
    *,
    actor: str,
    at: datetime,
    after: tuple[int, str] | None = None,
) -> Iterator[HistoryEntry]:
    """Unsaved entries for `events`, each linked to the one before it, beginning after the entry
    with the number and the hash `after`."""
    sequence, previous = after or (0, GENESIS)
    for event, data in events:
        sequence += 1
        entry = HistoryEntry(
            interview=interview,
            sequence=sequence,
            event=event,
            actor=actor,
            at=at,
            data=data,
            previous_hash=previous,
        )
        entry.hash = previous = digest(entry, interview.reference)
        yield entry


_last = Prepared(
    lambda: (
        HistoryEntry.objects.filter(interview=Later("interview"))
        .order_by("-sequence")
        .values_list("sequence", "hash")[:1]
    )
)


def record(
    interview: Interview,
    *events: str | tuple[str, dict[str, Any]],
    by: User | None,
    at: datetime | None = None,
) -> list[HistoryEntry]:
    """Append `events`: names, or names with data (ids, codes, times, states: nothing personal).

    Each entry also says which status the interview was then left in, so that a status changed
    behind our back, or a chain cut short, shows; and which token of the API, if any, the person
    acted through. The caller holds the interview's row lock; that
    keeps the chain a line.
    """
    last = _last.first(interview=interview.pk)
    named = [event if isinstance(event, tuple) else (event, {}) for event in events]
    through = _through(by)
    named = [(event, {**data, **through, "status": interview.status}) for event, data in named]
    entries = HistoryEntry.objects.bulk_create(
        chain(interview, named, actor=actor_of(by), at=at or timezone.now(), after=last)
    )
    history_recorded.send(sender=HistoryEntry, entries=entries)
    return entries


def _through(by: User | None) -> dict[str, Any]:
    return {"token": by.api_token_id} if by and by.api_token_id else {}


def record_many(
    told: Sequence[tuple[Interview, Sequence[tuple[str, dict[str, Any]]]]],
    *,
    by: User | None,
    at: datetime,
) -> list[HistoryEntry]:
    """As `record`, of many interviews whose locks the caller holds, in two statements."""
    through = _through(by)
    ids = [interview.pk for interview, _events in told]
    ends = HistoryEntry.objects.filter(interview__in=ids).order_by("interview", "-sequence")
    last = {
        interview: (sequence, previous)
        for interview, sequence, previous in ends.distinct("interview").values_list(
            "interview", "sequence", "hash"
        )
    }
    entries = HistoryEntry.objects.bulk_create(
        entry
        for interview, events in told
        for entry in chain(
            interview,
            [(event, {**data, **through, "status": interview.status}) for event, data in events],
            actor=actor_of(by),
            at=at,
            after=last.get(interview.pk),
        )
    )
    history_recorded.send(sender=HistoryEntry, entries=entries)
    return entries


class Problem(models.TextChoices):
    """What can be wrong with a chain."""

    MISSING = "missing", _("an entry is missing here")
    UNLINKED = "unlinked", _("not linked to the entry before it")
    ALTERED = "altered", _("the content does not match its hash")
    STATUS = "status", _("the interview's status is not the one its history ends with")
    HIDDEN = "hidden", _("kept out of the lists its interview stands in")


@dataclass(frozen=True)
class Break:
    """Where a chain no longer holds."""

    interview: str
    sequence: int
    problem: Problem


@dataclass
class Tally:
    """How much has been looked at so far."""

    interviews: int = 0
    entries: int = 0

    def add(self, entries: int) -> None:
        """One more interview, with so many entries."""
        self.interviews += 1
        self.entries += entries


def breaks(interview: Interview, entries: Iterable[HistoryEntry]) -> Iterator[Break]:
    """What is wrong with the chain of one interview, given all its entries in order."""

    def broken(problem: Problem) -> Break:
        return Break(interview.reference, sequence, problem)

    sequence, previous, status = 0, GENESIS, None
    for entry in entries:
        sequence += 1
        if entry.sequence != sequence:
            yield broken(Problem.MISSING)
            sequence = entry.sequence
        elif entry.previous_hash != previous:
            yield broken(Problem.UNLINKED)
        if digest(entry, interview.reference) != entry.hash:
            yield broken(Problem.ALTERED)
        if _list_of(entry) != _list_of(interview) or entry.listed_source != interview.source:
            yield broken(Problem.HIDDEN)
        told = entry.data if isinstance(entry.data, dict) else {}  # a hand may have been at it
        previous, status = entry.hash, told.get("status")
    if status != interview.status:
        yield broken(Problem.STATUS)


def _list_of(row: Interview | HistoryEntry) -> tuple[int, int]:
    return row.listed_department, row.listed_position


CHECKED = ("id", "reference", "status", "source", "listed_department", "listed_position")


def verify(interviews: models.QuerySet[Interview], tally: Tally | None = None) -> Iterator[Break]:
    """Every break in the chains of `interviews`, read in batches of constant size and counted in
    `tally` as they are looked at."""
    tally = tally or Tally()
    chained = interviews.only(*CHECKED).order_by("pk")
    for interview in chained.prefetch_related("history").iterator(chunk_size=2000):
        entries = interview.history.all()
        if any(breaks(interview, entries)):
            yield from _confirmed_breaks(interview.pk)
        tally.add(len(entries))


@transaction.atomic
def _confirmed_breaks(interview_id: int) -> list[Break]:
    """What is wrong with one chain while nobody can write to it. On a live system an interview and
    its history, read one after the other, may be those of two moments."""
    locked = Interview.objects.select_for_update(no_key=True).only(*CHECKED)
    return [
        found
        for interview in locked.filter(pk=interview_id)
        for found in breaks(interview, interview.history.all())
    ]
