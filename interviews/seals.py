"""Seals on history: once a day one fingerprint over everything written until then.

A chain (interviews/history.py) shows what was changed by somebody who does not recompute it. Who
holds the database can recompute every chain, and every seal after it; but not the seal that
somebody printed and put away. Anybody can check: `manage.py verify_history --seals`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ConfigurationChange
from interviews.models import HistoryEntry, HistorySeal, RemovedInterview

PIECE = 5000
WAIT = "5s"  # for what is being written at the moment; then it is tried again later


class Problem(models.TextChoices):
    """What can be wrong with a seal."""

    MISSING = "missing", _("the seal before this one is missing")
    UNLINKED = "unlinked", _("not linked to the seal before it")
    FORGED = "forged", _("the seal itself was changed")
    CONTENT = "content", _("what lies under it is no longer what was sealed")


@dataclass(frozen=True)
class Break:
    """A seal that does not hold, and how much lies under it now."""

    seal: HistorySeal
    problem: Problem
    entries: int
    changes: int


@dataclass(frozen=True)
class _Content:
    """What lies between two seals."""

    fingerprint: str
    entries: int
    changes: int


def seal_history() -> HistorySeal:
    """Put a seal on what was written since the last one. Raises OperationalError where somebody is
    writing for so long that it would keep others waiting."""
    last_entry, last_change = _everything_so_far()
    with transaction.atomic():
        previous = HistorySeal.objects.select_for_update().order_by("number").last()
        seal = HistorySeal(
            number=previous.number + 1 if previous else 1,
            at=timezone.now(),
            last_entry=last_entry,
            last_change=last_change,
            previous_fingerprint=previous.fingerprint if previous else "",
        )
        content = _content(previous, seal)
        seal.content, seal.entries, seal.changes = (
            content.fingerprint,
            content.entries,
            content.changes,
        )
        seal.fingerprint = fingerprint(seal)
        seal.save()
    return seal


def seal_due(now: datetime) -> bool:
    """Whether the local day has none yet."""
    last = HistorySeal.objects.order_by("number").last()
    return last is None or timezone.localdate(last.at) < timezone.localdate(now)


def fingerprint(seal: HistorySeal) -> str:
    """SHA-256 over the canonical JSON of everything the seal says and of the one before it."""
    said = {
        "number": seal.number,
        "at": seal.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "last_entry": seal.last_entry,
        "entries": seal.entries,
        "last_change": seal.last_change,
        "changes": seal.changes,
        "content": seal.content,
        "previous": seal.previous_fingerprint,
    }
    return hashlib.sha256(_canonical(said).encode()).hexdigest()


def broken_seals() -> Iterator[Break]:
    """Every seal that does not hold. That each entry's hash fits what it says is for the chains to
    tell."""
    seals: Iterable[HistorySeal] = HistorySeal.objects.order_by("number").iterator()
    for previous, seal in pairwise(chain([None], seals)):
        assert seal is not None  # noqa: S101 - only the first has none before it
        content = _content(previous, seal)
        for problem in _problems(previous, seal, content):
            yield Break(seal, problem, content.entries, content.changes)


def _problems(
    previous: HistorySeal | None, seal: HistorySeal, content: _Content
) -> Iterator[Problem]:
    if seal.number != (previous.number + 1 if previous else 1):
        yield Problem.MISSING
    elif seal.previous_fingerprint != (previous.fingerprint if previous else ""):
        yield Problem.UNLINKED
    if fingerprint(seal) != seal.fingerprint:
        yield Problem.FORGED
    if content != _Content(seal.content, seal.entries, seal.changes):
        yield Problem.CONTENT


@transaction.atomic
def _everything_so_far() -> tuple[int, int]:
    """The last keys up to which nothing can be added any more.

    Keys are given out before transactions commit, so this waits for those that write, and holds
    others back for that moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
        for model in (HistoryEntry, ConfigurationChange):
            cursor.execute(f'LOCK TABLE "{model._meta.db_table}" IN SHARE MODE')
    entry = HistoryEntry.objects.aggregate(last=Max("pk"))["last"] or 0
    moved = RemovedInterview.objects.aggregate(last=Max("entry"))["last"] or 0
    change = ConfigurationChange.objects.aggregate(last=Max("pk"))["last"] or 0
    return max(entry, moved), change


def _content(previous: HistorySeal | None, seal: HistorySeal) -> _Content:
    """What lies under `seal` and not under the one before. An entry's hash stands for all it says;
    a change of the configuration is told whole."""
    first_entry, first_change = (previous.last_entry, previous.last_change) if previous else (0, 0)
    entries = HistoryEntry.objects.filter(pk__gt=first_entry, pk__lte=seal.last_entry)
    # Entries of interviews whose import was undone have moved; they stay under their seal.
    moved = RemovedInterview.objects.filter(entry__gt=first_entry, entry__lte=seal.last_entry)
    sealed = entries.values_list("id", "hash").union(moved.values_list("entry", "hash"))
    changes = ConfigurationChange.objects.filter(pk__gt=first_change, pk__lte=seal.last_change)
    sha = hashlib.sha256()
    counted = {"entries": 0, "changes": 0}
    for key, digest in sealed.order_by("id").iterator(PIECE):
        sha.update(f"{key}:{digest}\n".encode())
        counted["entries"] += 1
    for change in changes.order_by("pk").values().iterator(PIECE):
        sha.update(f"{_canonical(change)}\n".encode())
        counted["changes"] += 1
    return _Content(sha.hexdigest(), **counted)


def _canonical(said: Mapping[str, Any]) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=_in_utc)


def _in_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
