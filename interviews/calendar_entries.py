"""An interview as an entry of the candidate's calendar: always the same one, moved and called off
with it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from interviews.models import Interview, InterviewKind

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
# What a mail of these events to the candidate does in their calendar.
METHODS = {
    "interview_booked": REQUEST,
    "interview_moved": REQUEST,
    "interview_rebooked": REQUEST,
    "interview_reinstated": REQUEST,
    "booked_again": REQUEST,
    "cancellation_done": CANCEL,
    "company_cancelled": CANCEL,
}
LENGTH = timedelta(minutes=30)  # of an interview whose end nobody named
# Revisions are counted in seconds from here: each is greater than the one before, whoever made it,
# and nothing has to be looked up for it.
FIRST = datetime(2020, 1, 1, tzinfo=UTC)


def entry(
    interview: Interview, method: str, *, language: str, starts_at: datetime | None = None
) -> dict[str, Any] | None:
    """The `calendar` parameter of a mail about it; None where it has no time. `starts_at` where the
    interview itself does not know any more when it was to be."""
    starts_at = starts_at or interview.starts_at
    if starts_at is None:
        return None
    ends_at = interview.ends_at
    if ends_at is None or ends_at <= starts_at:
        ends_at = starts_at + LENGTH
    now = timezone.now()
    page = settings.PUBLIC_URL.rstrip("/") + reverse(
        "cancellations:interview", args=[interview.reference]
    )
    with translation.override(language or settings.LANGUAGE_CODE):
        words = {
            InterviewKind.AI: _("AI interview: %(position)s"),
            InterviewKind.ON_SITE: _("On-site interview: %(position)s"),
        }[InterviewKind(interview.kind)]
        summary = words % {"position": interview.position.title}
        description = _("Move or cancel it here: %(url)s") % {"url": page}
    return {
        "method": method,
        "uid": f"{interview.reference}@{urlsplit(settings.PUBLIC_URL).hostname}",
        "sequence": int((now - FIRST).total_seconds()),
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "changed_at": now.isoformat(),
        "summary": summary,
        "location": interview.location,
        "description": description,
        "url": page,
    }


def param(
    interview: Interview,
    event: str,
    address: Mapping[str, str],
    *,
    was_to_start: datetime | None = None,
) -> dict[str, Any]:
    """Beside the other parameters of a message to `address`. What is called off is called off at
    the time it was to be."""
    method = METHODS.get(event)
    if method is None or address["channel"] != "email":
        return {}
    starts_at = was_to_start if method == CANCEL else None
    found = entry(interview, method, language=address["language"], starts_at=starts_at)
    return {"calendar": found} if found else {}
