"""What providers report of a message after they took it. It only ever moves on: a report that comes
late, twice, or about nothing we sent changes nothing."""

from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone

from notifications import reach, services
from notifications.models import Channel, Notification, State

SALT = "notifications.reports"
# From where a report may lead where. What we gave up waiting for, and are to try again, may have
# arrived all the same; a mail that was taken in may still be sent back; nothing else follows on an
# end.
BEFORE = {
    State.DELIVERED: (State.QUEUED, State.SENDING, State.SENT),
    State.FAILED: (State.SENDING, State.SENT),
    State.BOUNCED: (State.SENDING, State.SENT, State.DELIVERED),
}


def token_of(notification: Notification) -> str:
    """Names the message to us alone, even before the provider's own id for it is stored."""
    return signing.Signer(salt=SALT).sign(str(notification.pk))


def come_for(channel: str) -> bool:
    """Whether the provider of this channel tells us what became of what it took."""
    if settings.MESSAGES_STAY_HERE:
        return False
    if channel == Channel.SMS:
        return settings.PUBLIC_URL.startswith("https:")  # else Twilio could not reach us
    return channel == Channel.EMAIL and bool(settings.ANYMAIL_PROVIDER)


def has_arrived(channel: str, state: str) -> bool:
    """Whether a message is known to have reached whom it was for, as far as anybody could know."""
    return state == State.DELIVERED or (state == State.SENT and not come_for(channel))


def read(token: str) -> int | None:
    try:
        return int(signing.Signer(salt=SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None


@transaction.atomic
def report(pk: int, state: State, *, provider_id: str = "", code: str = "") -> bool:
    """Whether it changed anything. Where both are known, `provider_id` has to be the one we have:
    else it is about a try before this one."""
    notification = Notification.objects.filter(pk=pk).first()
    if notification is None:
        return False
    if provider_id and notification.provider_id not in ("", provider_id):
        return False
    return _move(notification, state, code=code, at=timezone.now())


def report_mail(state: State, *, pk: int | None, provider_id: str, code: str = "") -> bool:
    """As `report`. Some providers give nothing back but their own id, others write it another way
    than they told us."""
    if pk is None and provider_id:
        mails = Notification.objects.filter(channel=Channel.EMAIL, provider_id=provider_id)
        pk = mails.order_by("-pk").values_list("pk", flat=True).first()
    return pk is not None and report(pk, state, code=code)


def _move(notification: Notification, state: State, *, code: str, at: datetime) -> bool:
    if state != State.DELIVERED:
        services.lock_all_told(notification)
    values = {"arrived_at": at} if state == State.DELIVERED else {"error_code": code[:60]}
    movable = Notification.objects.filter(pk=notification.pk, state__in=BEFORE[state])
    if not movable.update(state=state, **values):
        return False
    if state == State.DELIVERED:
        reach.solve(notification.recipient, at=at)
    else:
        services.tell_of_failure(notification, code)
    return True
