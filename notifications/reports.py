"""What providers report of a message after they took it. It only ever moves on: a report that comes
late, twice, or about nothing we sent changes nothing."""

from datetime import datetime

from django.core import signing
from django.db import transaction
from django.utils import timezone

from notifications import reach, services
from notifications.models import Channel, Notification, State

SALT = "notifications.reports"
# From where a report may lead where. A mail that was taken in may still be sent back later; nothing
# else follows on an end.
BEFORE = {
    State.DELIVERED: (State.SENDING, State.SENT),
    State.FAILED: (State.SENDING, State.SENT),
    State.BOUNCED: (State.SENDING, State.SENT, State.DELIVERED),
}


def token_of(notification: Notification) -> str:
    """Names the message to us alone, even before the provider's own id for it is stored."""
    return signing.Signer(salt=SALT).sign(str(notification.pk))


def read(token: str) -> int | None:
    try:
        return int(signing.Signer(salt=SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None


@transaction.atomic
def report(pk: int, state: State, *, provider_id: str, code: str = "") -> bool:
    """Whether it changed anything. `provider_id` has to be the one we know, where we know one."""
    notification = Notification.objects.filter(pk=pk).first()
    if notification is None or notification.provider_id not in ("", provider_id):
        return False
    return _move(notification, state, code=code, at=timezone.now())


def report_mail(state: State, *, pk: int | None, provider_id: str, code: str = "") -> bool:
    """As `report`; some providers give back nothing but their own id."""
    if pk is not None:
        return report(pk, state, provider_id=provider_id, code=code)
    if not provider_id:
        return False
    mails = Notification.objects.filter(channel=Channel.EMAIL, provider_id=provider_id)
    found = mails.order_by("-pk").values_list("pk", flat=True).first()
    return found is not None and report(found, state, provider_id=provider_id, code=code)


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
