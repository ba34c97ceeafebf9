"""What the tests of platforms share: a fake one that listens, and our row that leads to it."""

from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from config.fake_platform import VENDORS, FakePlatform
from interviews.models import Platform, PlatformCall, PlatformEvent, PlatformLink
from interviews.platforms import outbox, reconcile, written
from interviews.platforms.models import Difference, Outcome, Wish
from tests.factories import InterviewFactory, PositionFactory

WEBHOOK_SECRET = "whsec_test"
EVENTS = [
    {"kind": "started"},
    {"kind": "cancelled"},
    {"kind": "error", "error": "media_server_down"},
    {"kind": "completed", "scores": {"total": 88.5}},
]


def platform_for(vendor="alder", url="http://127.0.0.1:9", **fields) -> Platform:
    """Our account with a vendor, at this address."""
    given = {
        "slug": vendor,
        "name": vendor.title(),
        "base_url": url,
        "sign": "oauth" if vendor == "alder" else "hmac",
        "client_id": VENDORS[vendor].client_id,
        "secret": VENDORS[vendor].secret,
        "webhook_secret": WEBHOOK_SECRET,
        "mapping": written.examples()[vendor],
        **fields,
    }
    return Platform.objects.create(**given)


@contextmanager
def vendor_listening(vendor="alder", **fields):
    """The fake, and our account with it."""
    with FakePlatform(vendor, **fields) as fake:
        fake.webhook_secret = WEBHOOK_SECRET
        yield fake, platform_for(vendor, fake.url)


def position_on(platform):
    return PositionFactory(platform=platform)


def booked_on(platform, **given):
    """A booked interview held there, of which the platform has not been told yet."""
    given.setdefault("position", position_on(platform))
    return InterviewFactory(**given)


def tell(platform, *, seconds=20) -> int:
    return outbox.tell_due(platform.pk, seconds=seconds)


def reconciled(platform):
    """What one pass found, counted."""
    return reconcile.summary(reconcile.run(platform.pk))[1]


def with_a_past(platform, interviews) -> Platform:
    """What its pages look like after some weeks: events, calls that failed, one that was refused,
    and the first of these interviews differing, the second one still to be told."""
    now = timezone.now()
    links = [
        {"external_status": "cancelled", "difference": Difference.CANCELLED},
        {"external_status": "booked", "wanted": Wish.BOOK, "error_code": "timeout"},
        {"external_status": "completed", "scores": {"total": 88.5, "skill": 91.0}},
    ]
    for number, (interview, link) in enumerate(zip(interviews, links, strict=False), start=1):
        given = {
            "platform": platform,
            "external_id": f"0000{number}",
            "external_starts_at": interview.starts_at,
            "not_before": now + timedelta(minutes=5),
            "told_at": now - timedelta(days=1),
            "heard_at": now - timedelta(minutes=12),
            **link,
        }
        PlatformLink.objects.update_or_create(interview=interview, defaults=given)
        PlatformEvent.objects.create(
            platform=platform,
            event_id=f"e{number}",
            external_id="00002",
            at=now,
            body=EVENTS[number],
        )
    PlatformEvent.objects.filter(event_id="e1").update(outcome=Outcome.DIFFERS)
    PlatformEvent.objects.filter(event_id="e3").update(outcome=Outcome.FOLLOWED)
    PlatformEvent.objects.filter(event_id="e2").update(outcome=Outcome.NOTED)
    for operation, status, code in (
        ("create", 201, ""),
        ("move", None, "timeout"),
        ("token", 401, "token_http_401"),
        ("list", 200, "not_understood:data"),
    ):
        PlatformCall.objects.create(
            platform=platform,
            operation=operation,
            reference=interviews[0].reference if status else "",
            status_code=status,
            error_code=code,
            milliseconds=128,
        )
    Platform.objects.filter(pk=platform.pk).update(
        refused_at=now, refused_code="forged", reconciled_at=now - timedelta(minutes=40)
    )
    return platform
