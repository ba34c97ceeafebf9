"""What mail providers report, in our words."""

from typing import Any

from anymail.signals import EventType, RejectReason, tracking
from django.dispatch import receiver

from notifications import reports
from notifications.models import State

ENDS = {
    EventType.DELIVERED: State.DELIVERED,
    EventType.BOUNCED: State.BOUNCED,
    EventType.REJECTED: State.FAILED,
    EventType.FAILED: State.FAILED,
}
CODES = {
    RejectReason.INVALID: "invalid",
    RejectReason.BOUNCED: "bounced",
    RejectReason.TIMED_OUT: "timed_out",
    RejectReason.BLOCKED: "blocked",
    RejectReason.SPAM: "spam",
    RejectReason.UNSUBSCRIBED: "unsubscribed",
}


@receiver(tracking)
def hear_of_mail(event: Any, **kwargs: Any) -> None:
    """One event of a provider whose webhook has let it in."""
    state = ENDS.get(event.event_type)
    if state is None:
        return
    token = (event.metadata or {}).get("notification", "")
    code = CODES.get(event.reject_reason, event.event_type)
    reports.report_mail(
        state,
        pk=reports.read(token) if token else None,
        provider_id=event.message_id or "",
        code=code,
    )
