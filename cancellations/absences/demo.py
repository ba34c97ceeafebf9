"""Absences for the demonstration: one that waits for HR, and one on a record, appealed against."""

from datetime import datetime, timedelta

from accounts.models import User
from cancellations.absences import services
from cancellations.absences.models import MISSED
from config.references import new_reference
from interviews.models import Interview
from interviews.notices import facts
from interviews.states import InterviewStatus
from notifications.models import Notification, State

APPEAL = "面试当天发高烧，在医院急诊，附后可补交病历。"


def show(by: User, *, now: datetime) -> None:
    """The last two who did not come to an AI interview; `by` is who put the older one on record."""
    missed = Interview.objects.with_facts().filter(
        status=InterviewStatus.NO_SHOW,
        kind="ai",
        booked_at__isnull=False,
        application__position__platform=None,
    )
    for number, interview in enumerate(missed.order_by("-starts_at", "pk")[:2]):
        locked = Interview.objects.lock(interview.reference)
        _was_reminded(locked)
        absence = services.open_absence(locked, MISSED, at=now)
        if absence is not None and number:
            mark = services.mark(absence.reference, by=by)
            services.appeal(mark.reference, by=locked.candidate.user, text=APPEAL)


def _was_reminded(interview: Interview) -> None:
    """By a text message that arrived, the day before."""
    if interview.starts_at is None:
        return
    at = interview.starts_at - timedelta(days=1)
    user = interview.candidate.user
    Notification.objects.create(
        event="interview_reminder",
        channel="sms",
        recipient=f"user:{user.pk}",
        address=user.mobile or "",
        language=user.language or "zh-hans",
        subject=interview.subject,
        params=facts(interview),
        dedupe_key=f"interview_reminder:{new_reference()}",
        state=State.DELIVERED,
        not_before=at,
        created_at=at,
        sent_at=at,
    )
