"""What platforms tell us: verified, kept once, and followed in the order in which it happened.

An event is believed when it carries the platform's signature, made within the last five minutes.
It counts once by its id, and by its own time: what comes late moves nothing back. All of it is in
one transaction; only then is the platform told that it arrived.
"""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from interviews.models import Interview
from interviews.platforms.base import MAY_BEGIN, EventKind, Held, Standing
from interviews.platforms.following import (
    ACTED_ON,
    act_on,
    decided,
    file_scores,
    lock,
    record_fault,
)
from interviews.platforms.http import verify
from interviews.platforms.mapping import Heard, NotThere
from interviews.platforms.models import Outcome, Platform, PlatformEvent, PlatformLink
from interviews.platforms.outbox import publish
from interviews.platforms.written import Wrong, parse

logger = structlog.get_logger(__name__)

LARGEST = 64 * 1024  # bytes of an event
CLOCK = timedelta(minutes=5)  # how far ahead of ours their clock may be
SAID_AGAIN = timedelta(seconds=30)  # at most that often is it written down that one was refused
STANDS = {
    EventKind.STARTED: Standing.STARTED,
    EventKind.COMPLETED: Standing.COMPLETED,
    EventKind.INCOMPLETE: Standing.INCOMPLETE,
    EventKind.EXITED: Standing.EXITED,
    EventKind.CANCELLED: Standing.CANCELLED,
    EventKind.MISSED: Standing.MISSED,
}
_MOVES = [kind.value for kind in STANDS]


class NotLetIn(Exception):
    """An event that is not taken; `code` says why, `status` is what the caller is answered."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code, self.status = code, status


def receive(slug: str, body: bytes, headers: Mapping[str, str]) -> Outcome | None:
    """Take one event in; what became of it, None where it is of a type that the mapping does not
    name. Raises NotLetIn."""
    platform = Platform.objects.filter(slug=slug, is_active=True).first()
    if platform is None:
        raise NotLetIn("no_such_platform", 404)
    try:
        heard = _understood(platform, body, headers)
    except NotLetIn as refusal:
        _write_down(platform, refusal.code)
        raise
    return _take_in(platform, heard) if heard else None


def _understood(platform: Platform, body: bytes, headers: Mapping[str, str]) -> Heard | None:
    try:
        mapping = parse(platform.mapping, sign=platform.sign)
    except Wrong:
        raise NotLetIn("mapping", 503) from None
    if mapping.events is None:
        raise NotLetIn("no_events", 404)
    if len(body) > LARGEST:
        raise NotLetIn("too_large", 413)
    secrets = [platform.webhook_secret]
    if platform.both_verify:
        secrets.append(platform.previous_webhook_secret)
    fault = verify(mapping.events.signature, secrets, headers, body, now=time.time())
    if fault:
        raise NotLetIn(fault, 401)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise NotLetIn("not_json", 400) from None
    try:
        heard = mapping.heard(document)
    except NotThere as missing:
        raise NotLetIn(f"missing:{missing.place}"[:60], 400) from None
    if heard and heard.at > timezone.now() + CLOCK:
        raise NotLetIn("in_the_future", 400)
    return heard


def _write_down(platform: Platform, code: str) -> None:
    """For whoever sets the webhook up over there. Not for each: anybody may send anything."""
    now = timezone.now()
    logger.warning("platform_event_refused", platform=platform.slug, code=code)
    lately = Q(refused_at__gt=now - SAID_AGAIN, refused_code=code)
    platforms = Platform.objects.filter(pk=platform.pk).exclude(lately)
    platforms.update(refused_at=now, refused_code=code)


@transaction.atomic
def _take_in(platform: Platform, heard: Heard) -> Outcome:
    event, is_new = PlatformEvent.objects.get_or_create(
        platform=platform,
        event_id=heard.id,
        defaults={"external_id": heard.held.id, "at": heard.at, "body": _kept(heard)},
    )
    if not is_new:
        return Outcome(event.outcome)
    link = link_of(platform, heard.held)
    event.outcome = Outcome.UNKNOWN if link is None else _apply(event, link)
    event.save(update_fields=["outcome"])
    return Outcome(event.outcome)


def _kept(heard: Heard) -> dict[str, Any]:
    kept = {
        "kind": heard.kind.value,
        "scores": heard.held.scores,
        "error": heard.error,
        "cause": str(heard.cause),
    }
    return {name: value for name, value in kept.items() if value}


def link_of(platform: Platform, held: Held) -> PlatformLink | None:
    """Which interview of ours they speak of: by their id; where we do not know that yet, because
    an answer was lost, by our reference. In the caller's transaction."""
    links = PlatformLink.objects.filter(platform=platform)
    known = links.exclude(external_id="").filter(external_id=held.id).first()
    if known or not held.reference:
        return known
    unnamed = links.filter(external_id="", interview__reference=held.reference).first()
    if unnamed is None:
        return None
    _interview, link = lock(unnamed.interview_id)  # in this order, as whoever tells them does
    if not link.external_id:
        link.external_id = held.id
        link.save(update_fields=["external_id"])
    return link if link.external_id == held.id else None


def replay_unknown(platform: Platform, external_ids: list[str]) -> int:
    """Apply what was told about these before we knew whose they are; how many events."""
    waiting = PlatformEvent.objects.filter(
        platform=platform, external_id__in=external_ids, outcome=Outcome.UNKNOWN
    )
    return sum(_replay(pk) for pk in waiting.order_by("at", "pk").values_list("pk", flat=True))


@transaction.atomic
def _replay(event_id: int) -> bool:
    event = PlatformEvent.objects.select_related("platform").get(pk=event_id)
    link = link_of(event.platform, Held(event.external_id))
    if link is None:
        return False
    event.outcome = _apply(event, link)
    event.save(update_fields=["outcome"])
    return True


def _apply(event: PlatformEvent, link: PlatformLink) -> Outcome:
    """What the event changes. The interview is locked first, then what the platform holds of it."""
    interview, link = lock(link.interview_id)
    kind = EventKind(event.kind)
    if kind == EventKind.ERROR:
        # Evidence, and nothing more: what it means is decided when the interview ends.
        record_fault(interview, event.body.get("error", ""), at=min(event.at, timezone.now()))
    outcome = Outcome.NOTED
    if not _is_overtaken(event, [EventKind.SCORES.value, *_MOVES], scores=True):
        _take_scores(event, interview, link)
    if kind in STANDS:
        outcome = _moved(event, interview, link, STANDS[kind])
    link.heard_at = timezone.now()
    if link.wanted:  # what they say may be answered: after a false start it is made anew
        transaction.on_commit(partial(publish, link.platform_id))
    link.save(update_fields=["heard_at", "external_status", "scores", *ACTED_ON])
    return outcome


def _moved(
    event: PlatformEvent, interview: Interview, link: PlatformLink, standing: Standing
) -> Outcome:
    if standing == link.external_status:
        return Outcome.AGREED
    if _is_overtaken(event, _MOVES) or _is_behind(event, link, standing):
        return Outcome.LATE
    link.external_status = standing
    verdict = decided(interview, link, Held(link.external_id, standing=standing))
    act_on(verdict, interview, link, at=event.at, cause=event.body.get("cause", ""))
    if verdict.difference:
        return Outcome.DIFFERS
    return Outcome.FOLLOWED if verdict.follow else Outcome.AGREED


def _is_overtaken(event: PlatformEvent, kinds: list[str], *, scores: bool = False) -> bool:
    """Whether something later has been told already. Of two at the same moment an end weighs more
    than a beginning."""
    later = Q(at__gt=event.at)
    if event.kind == EventKind.STARTED:
        later |= Q(at=event.at) & ~Q(body__kind=EventKind.STARTED)
    others = PlatformEvent.objects.filter(
        later, platform=event.platform_id, external_id=event.external_id, body__kind__in=kinds
    )
    if scores:
        others = others.filter(body__has_key="scores")
    return others.exclude(outcome__in=["", Outcome.UNKNOWN]).exclude(pk=event.pk).exists()


def _is_behind(event: PlatformEvent, link: PlatformLink, standing: Standing) -> bool:
    """Whether we know already, from their list, that it has got further since."""
    is_known = link.heard_at is not None and event.at <= link.heard_at
    return is_known and standing in MAY_BEGIN and link.external_status not in {"", *MAY_BEGIN}


def _take_scores(event: PlatformEvent, interview: Interview, link: PlatformLink) -> None:
    scores = event.body.get("scores")
    if scores:
        link.scores = scores
        file_scores(interview, link)
