"""Setting platforms up, and looking after what is kept of them."""

import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from interviews.platforms import adapters, outbox
from interviews.platforms.base import Trouble
from interviews.platforms.models import Platform, PlatformCall, PlatformEvent
from interviews.platforms.written import Wrong
from notifications.channels import webhook as channel

BOTH_VERIFY = timedelta(hours=24)  # after a new webhook secret was made, the old one counts as well
CALLS_KEPT, EVENTS_KEPT = timedelta(days=30), timedelta(days=400)  # events are evidence
AGAIN = {"failures": 0, "rests_until": None}


def new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def set_up(chosen: dict[str, Any], *, pk: int | None = None) -> Platform:
    """A new platform, or the one with `pk` changed; empty secrets stay as they are, and a new
    platform gets one for its webhooks. The mapping has been looked at.

    Raises channels.webhook.BadAddress, Platform.DoesNotExist.
    """
    channel.look_at(chosen["base_url"])
    given = {name: value for name, value in chosen.items() if value or "secret" not in name}
    if pk is None:
        return Platform.objects.create(**{"webhook_secret": new_secret(), **given})
    with transaction.atomic():
        platform = Platform.objects.select_for_update(no_key=True).get(pk=pk)
        for field, value in (given | AGAIN).items():
            setattr(platform, field, value)
        platform.save(update_fields=[*given, *AGAIN])
        transaction.on_commit(lambda: outbox.publish(platform.pk))
    return platform


@transaction.atomic
def rotate_webhook_secret(pk: int) -> Platform:
    """A new secret for events; the one before counts for BOTH_VERIFY as well, so that it can be
    changed over there in between. Raises Platform.DoesNotExist."""
    platform = Platform.objects.select_for_update(no_key=True).get(pk=pk)
    if not platform.both_verify:
        platform.previous_webhook_secret = platform.webhook_secret
        platform.previous_until = timezone.now() + BOTH_VERIFY
    platform.webhook_secret = new_secret()
    platform.save(update_fields=["webhook_secret", "previous_webhook_secret", "previous_until"])
    return platform


@transaction.atomic
def switch(pk: int, *, on: bool) -> Platform:
    """Off, nothing is told and no event is let in; what is to be told waits until it is on again.
    Raises Platform.DoesNotExist."""
    platform = Platform.objects.select_for_update(no_key=True).get(pk=pk)
    platform.is_active = on
    platform.failures, platform.rests_until = 0, None
    platform.save(update_fields=["is_active", *AGAIN])
    if on:
        transaction.on_commit(lambda: outbox.publish(platform.pk))
    return platform


def test(platform: Platform) -> tuple[bool, str]:
    """Whether the platform lets us in and its list can be read, and how that went in words. It asks
    the platform, so it may take seconds; it changes nothing."""
    try:
        adapter = adapters.http_adapter(platform)
    except Wrong as wrong:
        return False, wrong.messages[0]
    adapter.pause = lambda seconds: None
    try:
        first = next(adapter.pages(timezone.now() - timedelta(days=adapter.mapping.days)), [])
    except Trouble as trouble:
        return False, _("It did not work: %(why)s.") % {"why": adapters.why(trouble.code)}
    finally:
        adapters.write_log(platform.pk, adapter)
    unclear = sum(each.standing is None for each in first)
    if unclear:
        words = _("It answers, but of %(unclear)d of %(count)d interviews the state is not known.")
        return False, words % {"unclear": unclear, "count": len(first)}
    words = _("It answers. Interviews on the first page of its list: %(count)d.")
    return True, words % {"count": len(first)}


def forget_old() -> int:
    """Drop the old end of the logs; how many rows."""
    now = timezone.now()
    calls = PlatformCall.objects.filter(at__lt=now - CALLS_KEPT).delete()[0]
    return calls + PlatformEvent.objects.filter(received_at__lt=now - EVENTS_KEPT).delete()[0]
