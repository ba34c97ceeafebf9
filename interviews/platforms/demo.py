"""The platform that `make run` starts beside itself (config/fake_platform.py), as the desk knows
it, with the interviews of one position."""

from django.utils import timezone

from interviews.models import Interview, InterviewKind, Position
from interviews.platforms import written
from interviews.platforms.base import Standing
from interviews.platforms.models import Platform, PlatformLink, Sign, Wish
from interviews.states import InterviewStatus

SLUG = "alder"
# As the fake platform has them.
CLIENT_ID, SECRET = "alder-client", "alder-secret"
WEBHOOK_SECRET = "whsec_demo"  # noqa: S105 - the demo's, known to everybody
SCORES = ({"total": 86, "skill": 90, "expression": 79}, {"total": 71.5, "skill": 68})


def hold(position: Position, *, address: str) -> None:
    """Its interviews take place there: of those to come the platform is told as soon as the worker
    runs, those that took place left scores."""
    platform = Platform.objects.create(
        slug=SLUG,
        name=SLUG.title(),
        base_url=address,
        sign=Sign.OAUTH,
        client_id=CLIENT_ID,
        secret=SECRET,
        webhook_secret=WEBHOOK_SECRET,
        mapping=written.examples()[SLUG],
    )
    position.platform = platform
    position.save(update_fields=["platform"])
    there = Interview.objects.filter(application__position=position, kind=InterviewKind.AI)
    now = timezone.now()
    to_come = there.filter(status=InterviewStatus.BOOKED, starts_at__gt=now)
    PlatformLink.objects.bulk_create(
        PlatformLink(
            interview=each, platform=platform, wanted=Wish.BOOK, wanted_at=now, not_before=now
        )
        for each in to_come
    )
    PlatformLink.objects.bulk_create(
        PlatformLink(
            interview=each,
            platform=platform,
            external_id=f"demo-{number}",
            external_status=Standing.COMPLETED,
            external_starts_at=each.starts_at,
            scores=SCORES[number % len(SCORES)],
            told_at=each.booked_at,
            heard_at=each.ended_at,
        )
        for number, each in enumerate(there.filter(status=InterviewStatus.COMPLETED).order_by("pk"))
    )


def move_to(address: str) -> None:
    """It listens elsewhere this time."""
    Platform.objects.filter(slug=SLUG, client_id=CLIENT_ID).update(base_url=address)
