"""How often one may ask. Each request that HR decides, and each taking back, sends text messages to
the candidate and to HR."""

from datetime import datetime, timedelta

from interviews.models import Interview

REQUESTS_AN_HOUR = 5


class AskedTooOften(Exception):
    """Asked and taken back REQUESTS_AN_HOUR times within the hour."""


def limit_requests(interview: Interview, asked_at: datetime) -> None:
    """Raises AskedTooOften. Only what HR decides can be taken back and asked again."""
    lately = interview.cancellations.filter(requested_at__gt=asked_at - timedelta(hours=1))
    if lately.count() >= REQUESTS_AN_HOUR:
        raise AskedTooOften
