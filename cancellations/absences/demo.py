"""Absences for the demonstration: one that waits for HR, one on a record, appealed against, and the
older ones excused."""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import User
from cancellations.absences import services
from cancellations.absences.models import MISSED
from config.references import new_reference
from interviews.models import Interview
from interviews.notices import facts
from interviews.states import InterviewStatus
from notifications.models import Notification, State

EXCUSE = "当天园区停电，已电话说明。"
APPEAL = "面试当天发高烧，在医院急诊，附后可补交病历。"


def show(by: User, *, now: datetime) -> None:
    """Everybody who did not come: the last one to an AI interview waits for HR, and `by` has put
    the one before on record and excused the others."""
    missed = Interview.objects.with_facts().filter(
        status=InterviewStatus.NO_SHOW, booked_at__isnull=False
    )
    ours = missed.filter(kind="ai", application__position__platform=None)
    shown = list(ours.order_by("-starts_at", "pk").values_list("pk", flat=True)[:2])
    for interview in missed.order_by("-starts_at", "pk"):
        locked = Interview.objects.lock(interview.reference)
        waits = interview.pk in shown[:1]
        _was_reminded(locked)
        absence = services.open_absence(locked, MISSED, at=now, knows=not waits)
        if absence is None or waits:
            continue
        if interview.pk in shown:
            mark = services.mark(absence.reference, by=by)
            services.appeal(mark.reference, by=locked.candidate.user, text=APPEAL)
        else:
            services.excuse(absence.reference, by=by, note=EXCUSE)
        # All of this was long ago, and would seem to have been told just now, or called off.
        told = Notification.objects.filter(subject=locked.subject, created_at__gte=now)
        told.filter(Q(state=State.SUPERSEDED) | Q(event="absence_excused")).delete()


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
