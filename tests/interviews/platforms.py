"""What the tests of platforms share: a fake one that listens, and our row that leads to it."""

from contextlib import contextmanager

from config.fake_platform import VENDORS, FakePlatform
from interviews.models import Platform
from interviews.platforms import outbox, reconcile, written
from tests.factories import InterviewFactory, PositionFactory

WEBHOOK_SECRET = "whsec_test"


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
